"""What `check` finds in journeys, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.language.conftest import Folder

Check = Callable[[str], list[str]]


def test_a_sound_journey_has_no_problems(check_steps: Check) -> None:
    assert check_steps("- email: hello\n- delay: 2 days\n- sms: hello\n") == []


def test_every_problem_of_a_file_is_told_in_one_pass(check: Check) -> None:
    told = check(
        """
        journey: j
        titel: Oops
        priority: high
        trigger: {event: lead.craeted, when: "lead.consnt.email"}
        messages: {topic: newslettr}
        steps:
          - emial: hello
          - email: {template: helo, tpic: newsletter}
          - delay: 2 dais
          - if: "lead.vip &&"
            assign: {to: x}
          - wait_for: demo.boked
            then:
              - task: {for: x}
              - foo: bar
        """
    )
    assert told == [
        "2:1 unknown-key",
        "3:11 wrong-type",
        "4:18 unknown-event",
        "4:39 unknown-attribute",
        "5:19 unknown-topic",
        "7:5 unknown-verb",
        "8:23 missing-template",
        "8:29 unknown-key",
        "9:12 bad-duration",
        "10:19 bad-expression",
        "12:15 unknown-event",
        "14:15 missing-key",
        "15:9 unknown-verb",
    ]


def test_a_bad_condition_does_not_hide_what_else_is_wrong(check_steps: Check) -> None:
    told = check_steps('- if: "lead.vip ="\n  email: hello\n- stop: done\n- email: hello\n  if: nobody.x\n')
    assert told == ["6:17 bad-expression", "9:3 unreachable", "10:7 unknown-name"]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (
            "- wait_for: demo.booked\n  timeout: 1 day\n  then: [{stop: x}]\n  since: some-step",
            "9:10 unknown-step",
        ),
        (
            "- wait_for: {event: demo.booked, since: email:hello}\n- email: hello",
            "6:41 not-earlier",
        ),
        ("- email: hello\n  delay: 1 day", "7:3 two-verbs"),
        ("- note: nothing", "6:3 no-verb"),
        ("- hello", "6:3 wrong-type"),
        ("- emial: hello", "6:3 unknown-verb"),
        ("- email: [hello]", "6:10 wrong-type"),
        ("- delay: {days: 2}", "6:10 wrong-type"),
        ("- email: {subject: x}", "6:10 missing-key"),
        ("- email: ../secret", "6:10 bad-template-name"),
        ("- sms: {template: hello, subject: x}", "6:3 unknown-key"),
        ("- delay: 1 day\n  as: x", "7:3 unknown-key"),
        ("- email: hello\n  as: lead", "7:7 bad-name"),
        ("- email: {template: hello, transactional: yes}", "6:43 wrong-type"),
        ("- email: {template: hello, limit: many}", "6:35 bad-limit"),
        ("- email: {template: hello, topic: nope}", "6:35 unknown-topic"),
        ("- email: {template: hello, from: nobody}", "6:34 unknown-sender"),
        ("- branch: []", "6:11 wrong-value"),
        ("- branch: [{when: lead.vip}]", "6:12 missing-key"),
        ("- branch: [{else: [{stop: a}]}, {when: lead.vip, steps: [{stop: b}]}]", "6:3 wrong-value"),
        (
            "- wait_for: {event: demo.booked, timeout: 1 day}\n  timeout: 2 days\n  then: [{stop: x}]",
            "7:3 duplicate-key",
        ),
        (
            "- wait_for: demo.booked\n  timeout: 1 day\n  as: x\n  when: event.seat > 3",
            "9:9 unknown-property",
        ),
        ("- wait_for: [demo.booked, order.payed]\n  timeout: 1 day\n  as: x", "6:27 unknown-event"),
        ("- stop: a\n- email: hello", "7:3 unreachable"),
        ("- wait_for: demo.booked\n  else: [{stop: x}]", "7:3 unreachable"),
        ("- email: hello\n  id: a\n- sms: hello\n  id: a", "7:7 duplicate-id"),
        ("- email: nope", "6:10 missing-template"),
        ("- email: hello\n  if: lead.firstname", "7:7 unknown-attribute"),
        ("- email: hello\n  if: lead.first_name.x", "7:7 unknown-attribute"),
        ("- email: hello\n  if: lead.consent.phone", "7:7 unknown-attribute"),
        ("- email: hello\n  if: lead.topics.nope", "7:7 unknown-attribute"),
        ("- email: hello\n  if: trigger.seats", "7:7 unknown-property"),
        ("- email: hello\n  if: journey.x", "7:7 unknown-property"),
        ("- email: hello\n  if: now.year > 3", "7:7 unknown-property"),
        ("- email: hello\n  if: ledd.email", "7:7 unknown-name"),
        ("- email: hello\n  as: h\n- sms: hello\n  if: h.snt", "9:7 unknown-property"),
        ("- email: {template: hello, subject: '{{ lead.nme }}'}", "6:41 unknown-attribute"),
        ("- email: {template: hello, subject: '{{ lead. }}'}", "6:38 bad-template"),
    ],
)
def test_what_is_wrong_in_a_step_is_told_at_its_place(check_steps: Check, step: str, problem: str) -> None:
    assert problem in check_steps(step)


def test_built_in_events_and_fields_need_no_declaration(check: Check) -> None:
    assert (
        check(
            """
            journey: j
            trigger: {event: [lead.created, lead.updated], when: "'stage' in event.changed"}
            exit: [{event: lead.unsubscribed, when: "event.channel == 'email' or lead.topics.newsletter"}]
            steps:
              - email: {template: hello, transactional: true}
                if: lead.consent.sms and lead.created_at > now - days(2)
            """
        )
        == []
    )


def test_a_message_needs_a_topic_unless_it_is_transactional(check: Check) -> None:
    head = "journey: j\ntrigger: {event: lead.created}\nsteps:\n"
    assert check(head + "  - email: hello\n") == ["4:12 no-topic"]
    assert check(head + "  - email: {template: hello, transactional: true}\n") == []
    assert check(head + "  - email: {template: hello, topic: newsletter}\n") == []


def test_a_name_must_be_set_on_every_way_that_leads_to_it(check_steps: Check) -> None:
    wait = "- wait_for: demo.booked\n  timeout: 1 day\n  as: demo\n"
    assert check_steps(wait + "- sms: hello\n  if: demo.seats > 3\n") == ["10:7 unset-name"]
    assert check_steps(wait + "- sms: hello\n  if: demo and demo.seats > 3\n") == []
    assert check_steps(wait + "  then:\n    - sms: hello\n      if: demo.seats > 3\n") == []
    assert check_steps(wait + "  else:\n    - stop: silent\n- sms: hello\n  if: demo.seats > 3\n") == []
    assert check_steps(wait + "  else:\n    - sms: hello\n      if: demo.seats > 3\n") == ["11:11 unset-name"]


def test_a_name_set_in_a_skipped_step_is_not_surely_set(check_steps: Check) -> None:
    told = check_steps("- email: hello\n  as: h\n  if: lead.vip\n- sms: hello\n  if: h.sent\n")
    assert told == ["10:7 unset-name"]


def test_ways_that_all_end_leave_nothing_to_follow(check_steps: Check) -> None:
    told = check_steps(
        "- branch:\n    - {when: lead.vip, steps: [{stop: a}]}\n    - else: [{stop: b}]\n- email: hello\n"
    )
    assert told == ["9:3 unreachable"]


def test_a_journey_is_named_like_its_file(check: Check) -> None:
    assert check("journey: k\ntrigger: {event: lead.created}\nsteps: [{stop: x}]\n") == [
        "1:10 id-not-file-name"
    ]


def test_two_journeys_cannot_have_one_id(folder: Folder) -> None:
    for path in ("journeys/a/j.yaml", "journeys/b/j.yaml"):
        folder.write(path, "journey: j\ntrigger: {event: lead.created}\nsteps: [{stop: x}]\n")
    assert folder.told() == ["journeys/b/j.yaml:1:10 duplicate-journey"]
    assert set(folder.load().plans) == {"j"}


def test_templates_are_checked_with_the_names_of_the_step(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "templates/t.en.txt", "Hello {{ lead.nme }},\nsee you on {{ demo.starts_at | date }} {{ x }}\n"
    )
    assert check_steps("- sms: t\n") == [
        "templates/t.en.txt:1:10 unknown-attribute",
        "templates/t.en.txt:2:15 unknown-name",
        "templates/t.en.txt:2:43 unknown-name",
    ]


def test_a_printed_attribute_that_a_lead_may_lack_is_warned_of(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/t.en.txt", "Hello {{ lead.first_name }}")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:1:10 may-be-empty"]
    folder.write(
        "templates/t.en.txt",
        "{{ lead.first_name | default('you') }}{% if lead.plan %}{{ lead.plan }}{% endif %}",
    )
    assert check_steps("- sms: t\n") == []


def test_warnings_do_not_keep_a_journey_from_running(folder: Folder, check_steps: Check) -> None:
    assert check_steps(
        "- delay: 1 day\n- wait_for: order.paid\n  timeout: 1 day\n  since: now\n- email: hello\n"
    ) == [
        "8:3 unused-timeout",
        "9:3 misses-events",
    ]
    assert check_steps("- wait_for: order.paid\n") == ["6:3 no-way-out"]
    assert set(folder.load().plans) == {"j"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{% include 'x' %}", "bad-template"),
        ("{% macro x() %}{% endmacro %}", "bad-template"),
        ("{% for a in lead.tags recursive %}{% endfor %}", "bad-template"),
        (
            "{% for a in lead.tags %}" * 3 + "{% endfor %}" * 3,
            "bad-template",
        ),
        ("{{ lead.email.upper() }}", "bad-template"),
        ("{{ lead.email | safe }}", "bad-template"),
        ("{% if %}", "bad-template"),
        ("{{", "bad-template"),
        ("", "empty-template"),
    ],
)
def test_what_templates_cannot_do_is_told(
    folder: Folder, check_steps: Check, text: str, problem: str
) -> None:
    folder.write("templates/t.en.txt", text)
    assert check_steps("- sms: t\n") == [f"templates/t.en.txt:1:1 {problem}"]


def test_the_files_of_templates_are_told_apart(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/t.en.html", "<p>no head: {{ unsubscribe_link() }}</p>")
    folder.write("templates/t.en.md", "---\nsubject: x\n---\nagain")
    folder.write("templates/nolocale.txt", "x")
    folder.write("templates/open.en.html", "---\nsubject: x\n")
    folder.write("templates/odd.en.html", "---\nsubjekt: x\n---\nbody")
    folder.write("templates/broken.en.mjml", "---\nsubject: x\n---\n<mjml><mj-body></mjml>")
    assert sorted(check_steps("- email: t\n")) == sorted(
        [
            "templates/t.en.html:1:1 missing-subject",
            "templates/t.en.md:1:1 duplicate-template",
            "templates/nolocale.txt:1:1 bad-template-name",
            "templates/open.en.html:1:1 open-head",
            "templates/open.en.html:1:1 empty-template",
            "templates/odd.en.html:2:1 unknown-key",
            "templates/broken.en.mjml:4:7 bad-mjml",
        ]
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{% if lead.email %}x", "end it with `{% endif %}`"),
        ("{% for tag in lead.tags %}x", "end it with `{% endfor %}`"),
        ("Dear {{ lead.id }, hello", "end it with `}}`"),
    ],
)
def test_what_a_template_leaves_open_is_told_with_its_end(
    folder: Folder, check_steps: Check, text: str, hint: str
) -> None:
    folder.write("templates/t.en.txt", text)
    check_steps("- sms: t\n")
    [problem] = folder.load().problems
    assert (problem.code, problem.hint) == ("bad-template", hint)
    assert "Jinja" not in problem.message


def test_an_element_that_mjml_has_not_is_told_at_its_place(folder: Folder, check_steps: Check) -> None:
    body = "<mjml><mj-body><mj-section><mj-column>\n  <!-- <mj-old> -->\n  <mj-buton>go</mj-buton>\n"
    end = "</mj-column></mj-section></mj-body></mjml>"
    folder.write("templates/t.en.mjml", f"---\nsubject: x\n---\n{body}{end}")
    assert check_steps("- email: t\n") == ["templates/t.en.mjml:6:4 bad-mjml"]
    assert [problem.hint for problem in folder.load().problems] == ["did you mean `mj-button`?"]


def test_a_template_that_is_not_utf8_is_told_at_its_place(folder: Folder, check_steps: Check) -> None:
    folder.write("templates/t.en.txt", "")
    (folder.root / "templates/t.en.txt").write_bytes("one\nԲա".encode() + b"\xff")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:2:3 not-utf8"]


def test_a_filter_that_is_not_there_is_answered_with_those_that_an_author_may_use(
    folder: Folder, check_steps: Check
) -> None:
    folder.write("templates/t.en.txt", "{{ lead.id | shout }}")
    check_steps("- sms: t\n")
    [problem] = folder.load().problems
    assert "`date`" in problem.hint
    assert "_" not in problem.hint


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("- stop: x\n  if: !lead.vip\n", "7:7 unquoted"),
        ("- stop: x\n  if:\n", "7:3 missing-value"),
        ("- wait_for:\n  timeout: 1 day\n", "6:3 missing-value"),
        ("- branch:\n- stop: x\n", "6:3 missing-value"),
        ("\n", "5:1 missing-value"),
    ],
)
def test_a_value_that_is_not_there_is_told_once(check_steps: Check, steps: str, problem: str) -> None:
    assert check_steps(steps) == [problem]


def test_a_text_without_quotation_marks_is_told_what_it_lacks(folder: Folder, check_steps: Check) -> None:
    check_steps("- stop: x\n  if: lead.stage == customer\n")
    [problem] = folder.load().problems
    assert problem.hint.endswith("a text stands in quotation marks: `'customer'`")


def test_a_template_must_be_there_in_every_locale(folder: Folder, check_steps: Check) -> None:
    workspace = (folder.root / "dripline.yaml").read_text().replace("[en]", "[en, hy, hy-AM, ru]")
    folder.write("dripline.yaml", workspace)
    folder.write("templates/hello.hy.md", "---\nsubject: Բարև\n---\nԲարև {{ unsubscribe_link() }}")
    assert check_steps("- email: hello\n") == ["6:10 missing-locale"]
    messages = [problem.message for problem in folder.load().problems]
    assert messages == ["the template `hello` is not there in `ru`"]


def test_problems_read_well(folder: Folder, check_steps: Check) -> None:
    check_steps("- email: hello\n  if: lead.consent.emial\n")
    (problem,) = folder.load().problems
    assert str(problem) == (
        "journeys/j.yaml:7:7: error[unknown-attribute]: leads have no `consent.emial` "
        "(did you mean `lead.consent.email`?)"
    )


def test_what_a_touch_does_not_have_is_told_with_the_nearest(folder: Folder, check_steps: Check) -> None:
    check_steps("- email: hello\n  if: lead.first_touch.sorce == 'google'\n")
    (problem,) = folder.load().problems
    assert (problem.code, problem.hint) == ("unknown-attribute", "did you mean `lead.first_touch.source`?")
