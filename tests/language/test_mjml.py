"""What MRML cannot read."""

from __future__ import annotations

import pytest

from dripline.language.mjml import BadMjml, to_html


@pytest.mark.parametrize("body", ["<mjml>", "<mjml><mj-head>\n\u2028e>x</mj-title></mj-head></mjml>"])
def test_whatever_it_cannot_read_is_one_error(body: str) -> None:
    with pytest.raises(BadMjml):
        to_html(body)
