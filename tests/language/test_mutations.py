"""Whatever a file holds, its author gets problems, never a traceback."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dripline.language.explaining import explanations
from dripline.language.project import load_project

ROOT = Path(__file__).parents[2]
FILES = (
    "journeys/welcome.yaml",
    "journeys/welcome.test.yaml",
    "dripline.yaml",
    "templates/welcome/hello.en.mjml",
    "templates/welcome/see-you-there.hy.txt",
    "templates/extra/page.en.html",
    "templates/extra/page.hy.md",
    "journeys/reactivation.yaml",
    "journeys/extra.yaml",
    "journeys/blocks/extra.yaml",
)
EXTRA = {
    "templates/extra/page.en.html": """---
subject: Hello {{ lead.first_name | default('you') }}
---
<p class='a'>Hello <a href="https://example.com/{{ lead.id }}">you</a> {# dripline: allow no-alt because x #}
<img src=https://example.com/a.png>
</p>
""",
    "templates/extra/page.hy.md": """---
subject: Բարև
---
Բարև [այստեղ](https://example.com) ![](https://example.com/a)
""",
    "journeys/blocks/extra.yaml": """block: extra
with: [plan]
steps:
  - branch:
      - when: "plan == 'team' and lead.seats > 3"
        steps: [{set: {x: lead.seats + 1}}]
      - else: [{update: {plan: free}}]
""",
    "journeys/extra.yaml": """journey: extra
trigger: {event: cart.abandoned, when: event.total > 5, key: event.cart_id}
messages: {topic: newsletter, quiet_hours: 21:00-09:00}
steps:
  - split:
      - {percent: 40, name: a, steps: [{stop: x, if: trigger.total >= 9}]}
      - {percent: 60, name: b, steps: [{include: {block: extra, with: {plan: lead.plan}}}]}
  - repeat: {every: 1 day, times: 3, steps: [{email: {template: extra/page, expires: 2h}}]}
  - delay_until: 22:00   # dripline: allow dead-branch because x
  - wait_for: lead.updated
    when: "'stage' in event.changed and lead.plan != 'x'"
    timeout: 1 day
    as: it
  - enroll: welcome
    if: it is defined
""",
}
"""Files with what the repository's own have not: other verbs, other markups, comments that allow."""
SCRAPS = st.sampled_from(
    [
        *(
            " - x\n",
            "{",
            "}",
            "[",
            "]",
            ": ",
            "\n",
            "  ",
            "\t",
            '"',
            "'",
            "{{",
            "}}",
            "{% if x %}",
            "!x ",
            "*x ",
            "&x ",
        ),
        *(
            "x",
            "9",
            "-1",
            "null",
            "true",
            "steps:\n",
            "then:\n",
            "- delay: 1 day\n",
            "else: []\n",
            "---\n",
            "<mj-x>",
            "|\n",
        ),
        *(
            "# dripline: allow dead-branch because x\n",
            "# dripline: allow ",
            "{# dripline: ",
            " and lead.plan == 3",
        ),
        *(
            "{% for x in lead.tags %}",
            "{% set lead = 3 %}",
            "| date",
            "| length > 'a'",
            "not ",
            "<img ",
            "](http://",
        ),
        *("- repeat: {}\n", "trigger: manual\n", "as: y\n", "\u2028", "\ufeff", "\x00", "Ա", "🎈"),
    ]
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    for name in ("welcome", "reactivation"):
        shutil.copytree(ROOT / "templates" / name, root / "templates" / name)
    for path in (
        "dripline.yaml",
        *(path for path in FILES if path.startswith("journeys/") and path not in EXTRA),
    ):
        (root / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    for path, text in EXTRA.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    assert load_project(root).errors == 1  # the page is not there in Russian
    return root


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_edit_of_a_file_ends_in_a_traceback(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FILES))
    whole = EXTRA.get(path) or (ROOT / path).read_text(encoding="utf-8")
    text = whole
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(SCRAPS) + text[end:]
    (copy / path).write_text(text, encoding="utf-8")
    try:
        project = load_project(copy)
    finally:
        (copy / path).write_text(whole, encoding="utf-8")
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in project.problems)
    assert project.problems or project.plans
    assert {problem.code for problem in project.problems} <= explanations().keys()
