"""Every code is explained, and what its explanation shows is told so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dripline.language.explaining import Explanation, explanations, table
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
HEAD = "journey: j\ntrigger: {event: lead.created}\nmessages: {topic: newsletter}\nsteps:\n"
STEPS = {
    "unknown-argument": "- call: {function: rate, with: {totl: 1}}\n  as: rating\n",
    "missing-argument": "- call: {function: rate, with: {total: 1}}\n  as: rating\n",
    "unknown-parameter": "- include: {block: b, with: {plan: lead.plan, paln: lead.plan}}\n",
    "missing-parameter": "- include: {block: b, with: {plan: lead.plan}}\n",
    "recursive-include": "- include: b\n",
    "no-address": "- notify: nare\n  text: A demo is wanted.\n",
    "other-percent": "- discount: {percent: 15}\n  as: offer\n- sms: x\n",
    "unminded-lack": "- discount: {percent: 15, pool: partner}\n  as: offer\n",
    "too-much": "- discount: {percent: 15}\n  as: offer\n",
    "unread-code": "- referral: friends\n",
    "no-currency": "- discount: {amount: '5000'}\n  as: offer\n",
}
"""What is needed of a journey besides, where the example is another file."""


def _journey(code: str, explanation: Explanation) -> str:
    if explanation.where is None:
        return HEAD + "".join(f"  {line}\n" for line in (explanation.example or "").split("\n"))
    name = re.fullmatch(r"templates/(\w+)\.en\.(\w+)", explanation.where)
    step = f"- {'sms' if name[2] == 'txt' else 'email'}: {name[1]}\n" if name else "- email: hello\n"
    return HEAD + "".join(f"  {line}\n" for line in STEPS.get(code, step).splitlines())


@pytest.mark.parametrize("code", [code for code, one in explanations().items() if one.example is not None])
def test_the_example_of_a_code_is_told_as_that_code(folder: Folder, code: str) -> None:
    explanation = explanations()[code]
    folder.write("journeys/j.yaml", _journey(code, explanation))
    if explanation.where is not None:
        folder.write(explanation.where, explanation.example or "")
    problems = folder.load().problems
    assert (code, explanation.severity) in {(problem.code, problem.severity) for problem in problems}


def _literals(path: Path) -> Iterator[str]:
    """The codes that a module tells problems by."""
    tellers = {"Problem", "Misfit", "wrong", "problem", "warning", "tell", "stop", "_told", "_at"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = [one for one in node.args[:6] if isinstance(one, ast.Constant)] if name in tellers else []
            texts = [one.value for one in first if isinstance(one.value, str) and CODE.fullmatch(one.value)]
            yield from (text for text in texts if text not in ("error", "warning"))


def test_every_code_of_the_program_is_explained() -> None:
    told = {code for path in (ROOT / "dripline" / "language").glob("*.py") for code in _literals(path)}
    assert len(told) > 100
    assert told - explanations().keys() == set()


def test_every_code_that_a_run_may_end_at_is_explained() -> None:
    failing = re.compile(r'(?:EvaluationError|RenderError)\(\s*"([a-z-]+)"')
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "dripline").rglob("*.py"))
    found = {code for source in sources for code in failing.findall(source)}
    assert len(found) > 20
    assert found - explanations().keys() == set()


def test_every_explanation_says_how_to_mend_it() -> None:
    for explanation in explanations().values():
        assert explanation.text.endswith(".")
        assert explanation.cure.endswith(".")


def test_the_language_reference_has_the_table_of_codes() -> None:
    docs = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    assert table() in docs, f"docs/language.md needs this table:\n{table()}"
