from __future__ import annotations

from pathlib import Path

import pytest

from dripline.language.plan import Duration
from dripline.language.workspace import Workspace, load_workspace
from dripline.trying.acts import Act, Misunderstood, changed, lead_body, read_act, read_order

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    found, _ = load_workspace(ROOT)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "after", "act"),
    [
        ("after 3 days demo.booked seats=8", Duration(days=3), Act("demo.booked", {"seats": 8})),
        ("after 36h demo.booked", Duration(seconds=36 * 3600), Act("demo.booked", {})),
        ("after 1 week 2 days lead.replied", Duration(days=9), Act("lead.replied", {})),
        (
            "after 2 days reason.given reason='too dear'",
            Duration(days=2),
            Act("reason.given", {"reason": "too dear"}),
        ),
        (
            "after P1D lead.updated stage=customer",
            Duration(days=1),
            Act("lead.updated", {"stage": "customer"}),
        ),
    ],
)
def test_orders_are_read_as_they_are_said(text: str, after: Duration, act: Act, workspace: Workspace) -> None:
    order = read_order(text, workspace)
    assert (order.after, order.act) == (after, act)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("demo.booked", "after 3 days demo.booked"),
        ("after demo.booked", "is no length of time"),
        ("after 3 dayz demo.booked", "is no unit of time"),
        ("after 3 days", "the event is missing"),
        ("after 3 days demo.boked", "did you mean `demo.booked`?"),
        ("after 3 days demo.booked seets=8", "did you mean `seats`?"),
        ("after 3 days demo.booked seats=many", "must be a whole number"),
        ("after 3 days demo.booked 8", "is not written name=value"),
        ("after 3 days demo.booked seats='8", "quotation mark"),
        ("after 3 days lead.updated", "what becomes different"),
        ("after 3 days lead.updated stagge=x", "did you mean `stage`?"),
    ],
)
def test_what_cannot_be_understood_is_told_with_the_cure(text: str, says: str, workspace: Workspace) -> None:
    with pytest.raises(Misunderstood) as told:
        read_order(text, workspace)
    assert says in str(told.value)


def test_fields_attributes_consent_and_topics_of_a_lead_are_said_by_name(workspace: Workspace) -> None:
    said = {
        "stage": "customer",
        "first_name": "Ani",
        "consent.sms": "no",
        "topics.newsletter": "true",
        "company": "",
        "tags": "vip,new",
    }
    assert lead_body(said, workspace) == {
        "stage": "customer",
        "attributes": {"first_name": "Ani", "company": None},
        "consent": {"sms": False},
        "topics": {"newsletter": True},
        "tags": ["vip", "new"],
    }


@pytest.mark.parametrize(
    "said", [{"timezone": "Mars"}, {"seats": "many"}, {"consent.fax": "yes"}, {"email": "x@example.com"}]
)
def test_what_a_lead_cannot_be_is_refused(said: dict[str, str], workspace: Workspace) -> None:
    with pytest.raises(Misunderstood):
        lead_body(said, workspace)


def test_an_act_can_be_written_and_read_again(workspace: Workspace) -> None:
    act = Act("reason.given", {"reason": "it's 'too' dear"})
    assert read_act(str(act), workspace) == act


def test_a_chosen_act_takes_other_values(workspace: Workspace) -> None:
    act = Act("demo.booked", {"seats": 5, "starts_at": "2026-03-09T06:00:00+00:00"})
    assert changed(act, "seats=2", workspace).values == {**act.values, "seats": 2}
    assert changed(act, "", workspace) == act
