"""The language tags that browsers and registers of customers really send."""

from __future__ import annotations

import pytest

from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.refusal import Refused
from dripline.language.workspace import Workspace

WORKSPACE = Workspace.model_validate({"timezone": "Asia/Yerevan", "locales": ["hy"]})


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("hy-AM", "hy-AM"),
        ("hy_AM", "hy-AM"),
        ("ru", "ru"),
        ("ru-AM", "ru-AM"),  # Russian speakers in Armenia: in no list of locales, and yet many
        ("en_am", "en-AM"),
        ("hy-RU", "hy-RU"),
        ("sr-Latn-AM", "sr-Latn-AM"),
        ("zh-TW", "zh-Hant-TW"),
        ("es-419", "es-419"),
    ],
)
def test_a_known_language_in_a_known_country_is_a_locale(said: str, kept: str) -> None:
    change = read_change(LeadIn(external_id="crm-1", locale=said), WORKSPACE)
    assert change.columns["locale"] == kept


@pytest.mark.parametrize("said", ["Armenian!", "xx-AM", "ru-QQ", "russian", "ru-", "-"])
def test_anything_else_is_refused(said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_change(LeadIn(external_id="crm-1", locale=said), WORKSPACE)
    assert [error.field for error in refused.value.errors] == ["locale"]
