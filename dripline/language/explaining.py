"""What every code means: the rule, an example that breaks it, and the cure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from pydantic import Field

from dripline.language.check import RULES
from dripline.language.check_contents import RULES_OF_CONTENTS
from dripline.language.check_forms import RULES_OF_FORMS
from dripline.language.check_referrals import RULES_OF_REFERRALS
from dripline.language.check_scenarios import known_expectations
from dripline.language.check_segments import RULES_OF_SEGMENTS
from dripline.language.check_together import RULES_TOGETHER
from dripline.language.compile_scoring import own_rules
from dripline.language.load import Written
from dripline.language.yaml_reader import read_yaml

FILE = "codes.yaml"
_RULES: tuple[Callable[..., Any], ...] = (
    *RULES,
    *RULES_OF_CONTENTS,
    *RULES_TOGETHER,
    *RULES_OF_FORMS,
    *RULES_OF_SEGMENTS,
    *RULES_OF_REFERRALS,
    known_expectations,
    own_rules,
)
_CHECKS: Mapping[str, Callable[..., Any]] = {rule.__name__: rule for rule in _RULES}


class Explanation(Written):
    """What a code means."""

    severity: Literal["error", "warning", "at run"] = Field(
        description="An error keeps the journey from running; `at run` only the data of a lead brings to light."
    )
    check: str | None = Field(None, description="The check whose docstring is the rule.")
    rule: str | None = Field(None, description="The rule, where it is not a check's docstring.")
    where: str | None = Field(
        None, alias="in", description="The file of the example; else a journey's steps."
    )
    example: str | None = Field(None, description="What is told so.")
    cure: str = Field(description="What to do.")

    @property
    def text(self) -> str:
        """The rule in words."""
        return self.rule or inspect.getdoc(_CHECKS[self.check or ""]) or ""

    @property
    def summary(self) -> str:
        """Its first sentences, on one line."""
        return " ".join(self.text.split("\n\n")[0].split())


class _Codes(Written):
    codes: dict[str, Explanation]


@lru_cache(maxsize=1)
def explanations() -> Mapping[str, Explanation]:
    """Every code that there is, in the order in which one learns of them."""
    content = resources.files(__package__).joinpath(FILE).read_bytes()
    document, problems = read_yaml(FILE, content)
    assert document is not None, problems
    found = _Codes.model_validate({"codes": document.plain()})
    return found.codes


def severities() -> Mapping[str, str]:
    """The severity of every code that a file may be told by."""
    return {code: one.severity for code, one in explanations().items() if one.severity != "at run"}


def table() -> str:
    """Every code with its rule, as docs/language.md shows them."""
    rows = [
        f"| `{code}` | {one.severity} | {one.summary.replace('|', '&#124;')} |"
        for code, one in explanations().items()
    ]
    return "\n".join(["| code | kind | rule |", "|---|---|---|", *rows]) + "\n"
