"""What `check` says of steps that leave the process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.language.conftest import Folder

Check = Callable[[str], list[str]]


def test_a_sound_webhook_has_no_problems(check_steps: Check) -> None:
    told = check_steps(
        """
        - webhook:
            url: https://crm.example.com/{{ lead.id }}
            headers: {Authorization: "Bearer {{ secret.crm }}"}
            body: {company: "{{ lead.plan }}", tags: ["{{ lead.email }}", x]}
          as: crm
        - email: hello
          if: "crm.ok and crm.json.a.b == 3"
        """
    )
    assert told == []


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ("{}", "6:12 missing-key"),
        ("example.com", "6:12 bad-url"),
        ("{url: ftp://example.com}", "6:18 bad-url"),
        ('"https://x.example/{{ lead.emial }}"', "6:34 unknown-attribute"),
        ('"https://x.example/{{ lead.email | date }}"', "6:13 bad-template"),
        ('"https://x.example/{{ secret.crm }}"', "6:34 unknown-name"),
        ('{url: https://x.example, body: {a: ["{{ nobody.x }}"]}}', "6:52 unknown-name"),
        ('{url: https://x.example, body: "{{ lead.email"}', "6:44 bad-template"),
        ("{url: https://x.example, method: GET, body: x}", "6:50 no-body-with-get"),
        ("{url: https://x.example, method: BREW}", "6:45 wrong-value"),
        ("{url: https://x.example, headers: {Host: x}}", "6:47 bad-header"),
        ('{url: https://x.example, headers: {"a b": x}}', "6:48 bad-header"),
        ('{url: https://x.example, headers: {X-A: "{{ lead.x }}"}}', "6:56 unknown-attribute"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_told_at_its_place(
    check_steps: Check, webhook: str, told: str
) -> None:
    assert check_steps(f"- webhook: {webhook}\n") == [told]


def test_functions_are_known_without_running_them(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "extensions.py",
        """
        raise SystemExit("never run by check")

        def rate(seats, factor=1, *, idempotency_key):
            return seats

        def anything(**given):
            return given

        async def later():
            pass
        """,
    )
    told = check_steps(
        """
        - call: {function: rate, with: {seats: "{{ lead.vip }}", factor: x}}
          as: rating
        - call: anything
        - call: rat
        - call: {function: rate, with: {seets: "{{ nobody.x }}"}}
        - call: {function: anything, with: {a: b}}
        - email: hello
          if: "rating.result.x > 3 and rating.score > 3"
        """
    )
    assert told == [
        "extensions.py:9:1 async-function",
        "9:9 unknown-function",
        "10:9 missing-argument",
        "10:33 unknown-argument",
        "10:44 unknown-name",
        "13:32 unknown-property",
    ]


def test_extensions_that_are_no_python_are_told(folder: Folder, check_steps: Check) -> None:
    folder.write("extensions.py", "def rate(:\n")
    assert check_steps("- call: rate\n") == ["extensions.py:1:10 bad-python"]


def test_where_there_are_no_extensions_no_function_is_known(check_steps: Check) -> None:
    assert check_steps("- call: rate\n") == ["6:9 unknown-function"]
