"""Real messages with tracked links, fetched and followed as readers and machines do, on both databases."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from activities.content import Tracking
from dripline.clock import machine_clock
from dripline.ingest.hits import MOST, PATIENCE, QUICK, settle
from dripline.ingest.reports import take_report
from dripline.language.links import PreferencesLink
from dripline.language.plan import MessageStep, Plan, TemplateSource, WaitForStep
from dripline.language.tracking import TrackingEntry
from dripline.links import Links
from dripline.providers import DeliveryReport, Outgoing, PermanentFailure
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import change_lead
from dripline.tracking import Tokens
from dripline.web.app import create_app
from dripline.web.tracking import PIXEL
from tests.durable.house import NOW, FakeProvider, House
from tests.engine.plans import email, on, plan
from tests.web.conftest import WORKSPACE

AT = "http://go.example.com"
PEOPLE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
APPLE = "Mozilla/5.0"
BOTH = TrackingEntry(clicks=True, opens=True)
LETTER = TemplateSource(
    markup="html",
    subject="Hello",
    body="<html><body>"
    + "".join(f'<a href="https://example.com/{n}?u=1">{n}</a>' for n in range(5))
    + '<a href="{{ unsubscribe_link() }}">leave</a></body></html>',
)
TEXT = TemplateSource(markup="text", body="See https://example.com/0?u=1.")
LISTENS = WaitForStep(id="wait", on=on("email.opened", "email.clicked", "sms.clicked", when="false"))


def journey(**more: Any) -> Plan:
    return plan(email("hello", next="wait", **more), LISTENS, templates={"email:hello": {"en": LETTER}})


class Post:
    """A house with one tracked message that has left, and the web process as the whole world sees it."""

    def __init__(self, store: Store, rules: TrackingEntry | None = BOTH, made: Plan | None = None) -> None:
        self.house = House(store, made or journey(), tracking=Tracking(rules, AT))
        self.rules = rules
        self.client = self.web(store)

    def web(self, store: Store, **settings: Any) -> TestClient:
        workspace = WORKSPACE.model_copy(update={"tracking": self.rules})
        known = Settings(_env_file=None, api_key="key", tracking_url=AT, **settings)
        app = create_app(known, store, workspace, machine=self.house.clock)
        far = ("203.0.113.9", 4_000)
        return TestClient(app, base_url=AT, client=far, raise_server_exceptions=False, follow_redirects=False)

    def goes_to(self, after: timedelta) -> None:
        self.house.clock.offset = NOW + after - machine_clock()

    def sends(self) -> tuple[list[str], str]:
        """Deliver the message; the paths of its tracked links, and of its pixel."""
        self.goes_to(timedelta())
        key = self.house.queued_message()
        self.house.deliveries.attempt(key)
        html = self.house.message().html or self.house.message().body
        pixels = re.findall(rf"{AT}(/o/[^\"]+)", html)
        self.goes_to(QUICK + timedelta(minutes=5))
        return re.findall(rf"{AT}(/c/[\w-]+)", html), pixels[0] if pixels else ""

    def fetches(self, path: str, agent: str = PEOPLE, method: str = "GET", **headers: str) -> Any:
        return self.client.request(method, path, headers={"User-Agent": agent, **headers})

    def settles(self) -> None:
        self.house.clock.offset += PATIENCE + timedelta(seconds=1)
        settle(self.house.store, machine=self.house.clock)

    def rows(self, table: Any) -> list[Any]:
        with self.house.store.read() as connection:
            return list(
                connection.execute(select(table).order_by(table.c[table.primary_key.columns.keys()[0]]))
            )

    def hits(self) -> list[tuple[str, str | None, str | None]]:
        return [(row.kind, row.link, row.machine) for row in self.rows(schema.hits)]

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        query = select(schema.events).order_by(schema.events.c.seq).where(schema.events.c.name.like("%.%ed"))
        with self.house.store.read() as connection:
            rows = connection.execute(query.where(schema.events.c.name != "lead.created")).all()
        return [(row.name, row.properties) for row in rows]


@pytest.fixture
def post(store: Store) -> Post:
    return Post(store)


def test_a_person_who_clicks_goes_on_at_once_and_counts_a_few_seconds_later(post: Post) -> None:
    links, _ = post.sends()
    assert len(links) == 5
    answer = post.fetches(links[1])
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/1?u=1")
    assert "no-store" in answer.headers["cache-control"]
    assert post.hits() == [("click", "https://example.com/1", "undecided")]
    assert post.house.message().first_clicked_at is None
    assert post.told() == []
    post.settles()
    message = post.house.message()
    assert post.hits() == [("click", "https://example.com/1", None)]
    assert message.first_clicked_at is not None
    assert message.first_opened_at is None
    about = {name: getattr(message, name) for name in ("template", "journey", "step")}
    said = {"message": message.id, "run": message.run_id, "link": "https://example.com/1", **about}
    assert post.told() == [("email.clicked", said)]


def test_a_second_click_is_no_second_event_but_another_link_is_one(post: Post) -> None:
    links, _ = post.sends()
    for link in (links[0], links[0], links[2]):
        post.fetches(link)
        post.settles()
    assert [properties["link"] for _, properties in post.told()] == [
        "https://example.com/0",
        "https://example.com/2",
    ]
    assert len(post.hits()) == 3


def test_the_pixel_is_always_the_same_and_an_open_counts_once(post: Post) -> None:
    _, pixel = post.sends()
    for _ in range(2):
        answer = post.fetches(pixel)
        assert (answer.status_code, answer.content) == (200, PIXEL)
        assert answer.headers["content-type"] == "image/gif"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "no-store" in answer.headers["cache-control"]
    post.settles()
    assert [name for name, _ in post.told()] == ["email.opened"]
    assert post.hits() == [("open", None, None)] * 2
    assert post.house.message().first_opened_at is not None


def test_machines_that_say_so_are_kept_apart_and_tell_nobody(post: Post) -> None:
    links, pixel = post.sends()
    assert post.fetches(pixel, APPLE).content == PIXEL
    assert post.fetches(links[0], method="HEAD").status_code == 302
    assert post.fetches(links[0], "Barracuda Sentinel (EE)").status_code == 302
    assert post.fetches(links[0], **{"Sec-Purpose": "prefetch"}).status_code == 302
    post.settles()
    assert [machine for _, _, machine in post.hits()] == ["apple-privacy", "head", "scanner", "prefetch"]
    assert post.told() == []
    message = post.house.message()
    assert (message.first_opened_at, message.first_clicked_at) == (None, None)


def test_who_follows_many_links_at_once_is_a_machine_from_the_first_on(post: Post) -> None:
    links, pixel = post.sends()
    for path in (pixel, *links):
        post.fetches(path)
    post.settles()
    assert {machine for _, _, machine in post.hits()} == {"burst"}
    assert post.told() == []


def test_who_comes_as_soon_as_the_message_was_delivered_is_a_machine(post: Post) -> None:
    links, _ = post.sends()
    post.goes_to(QUICK - timedelta(seconds=1))
    post.fetches(links[0])
    assert post.hits() == [("click", "https://example.com/0", "too-quick")]


def test_a_delivery_that_is_reported_late_still_shows_who_was_too_quick(post: Post) -> None:
    links, _ = post.sends()
    delivered = post.house.clock()
    post.goes_to(QUICK + timedelta(minutes=5, seconds=1))
    post.fetches(links[0])
    report = DeliveryReport(post.house.message().id, "delivered", delivered)
    take_report(post.house.store, report, machine=post.house.clock)
    post.settles()
    assert post.hits() == [("click", "https://example.com/0", "too-quick")]


def test_in_the_local_mailbox_nobody_stands_between_and_a_click_counts_at_once(post: Post) -> None:
    post.house.email.__class__ = _LocalMailbox
    links, _ = post.sends()
    post.goes_to(timedelta(seconds=1))
    post.fetches(links[0])
    assert post.hits() == [("click", "https://example.com/0", None)]
    assert [name for name, _ in post.told()] == ["email.clicked"]


class _LocalMailbox(FakeProvider):
    name = "mailbox"


@pytest.mark.parametrize("path", ["/c/", "/c/x", "/c/a/b", "/c/" + "A" * 5_000, "/c/%00", "/c/%ff", "/c/ա"])
def test_rubbish_is_answered_by_a_page_and_leads_nowhere(post: Post, path: str) -> None:
    post.sends()
    answer = post.fetches(path)
    assert answer.status_code in (400, 404)
    assert "location" not in answer.headers
    if answer.status_code == 404:
        assert "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/o/", "/o/x.gif", "/o/x", "/o/a/b.gif"])
def test_a_pixel_that_is_none_is_not_found(post: Post, path: str) -> None:
    assert post.fetches(path).status_code == 404


def test_a_link_of_ours_with_another_address_behind_it_leads_nowhere(post: Post) -> None:
    links, _ = post.sends()
    for more in ("?url=https://evil.example/", "#https://evil.example/"):
        assert post.fetches(links[0] + more).headers["location"] == "https://example.com/0?u=1"
    assert post.fetches(links[0] + "/https://evil.example/").status_code == 404
    assert post.client.post(links[0]).status_code == 405


def test_the_page_of_rubbish_has_its_style(post: Post) -> None:
    page = post.fetches("/c/a/b/c").text
    found = re.search(r'href="([^"]+page\.css)"', page)
    assert found
    assert post.client.get(f"/c/a/b/{found[1]}").status_code == 200


def test_links_work_while_the_store_is_away_and_only_the_count_is_lost(post: Post) -> None:
    links, pixel = post.sends()
    assert post.fetches(links[0]).status_code == 302
    kept = len(post.hits())

    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    post.house.store.read = post.house.store.write = away  # type: ignore[method-assign,assignment]
    with capture_logs() as logs:
        assert post.fetches(links[1]).headers["location"] == "https://example.com/1?u=1"
        assert post.fetches(pixel).content == PIXEL
    assert [line["event"] for line in logs] == ["hit not kept"] * 2
    assert "example.com" not in str(logs)
    del post.house.store.read, post.house.store.write
    assert len(post.hits()) == kept


def test_with_a_secret_of_its_own_not_even_the_first_link_needs_the_store(post: Post) -> None:
    class Away(Store):
        def __init__(self) -> None: ...

        def read(self) -> Any:
            raise OperationalError("SELECT", {}, Exception("gone"))

        write = read

    message = uuid.UUID(int=1).hex
    token = Tokens("of its own").click(message, "https://example.com/")
    client = post.web(Away(), secret="of its own")
    assert client.get(f"/c/{token}").headers["location"] == "https://example.com/"
    unknown = post.web(Away())
    assert unknown.get(f"/c/{token}").status_code == 503


def test_a_message_that_is_gone_and_an_erased_lead_are_followed_and_not_kept(post: Post) -> None:
    links, pixel = post.sends()
    with post.house.store.write() as connection:
        secret = open_house(connection).secret
        connection.execute(update(schema.leads).values(erased_at=NOW))
    assert post.fetches(links[0]).status_code == 302
    assert post.fetches(pixel).status_code == 200
    gone = Tokens(secret).click(uuid.UUID(int=1).hex, "https://example.com/")
    assert post.fetches(f"/c/{gone}").headers["location"] == "https://example.com/"
    assert post.hits() == []


def test_a_loop_of_somebodys_does_not_fill_the_store(post: Post) -> None:
    _, pixel = post.sends()
    for _ in range(MOST + 5):
        assert post.fetches(pixel).status_code == 200
    assert len(post.hits()) == MOST


# -- who is tracked at all ------------------------------------------------------------------------------------


def test_without_a_word_of_the_workspace_nothing_is_tracked(store: Store) -> None:
    post = Post(store, None)
    assert post.sends() == ([], "")
    assert 'href="https://example.com/0?u=1"' in post.house.message().html


def test_clicks_alone_need_no_pixel(store: Store) -> None:
    links, pixel = Post(store, TrackingEntry(clicks=True)).sends()
    assert (len(links), pixel) == (5, "")


def test_what_a_lead_asked_for_is_not_tracked(store: Store) -> None:
    post = Post(store, BOTH, journey(transactional=True, topic=None))
    assert post.sends() == ([], "")


@pytest.mark.parametrize(
    ("rules", "lead", "tracked"),
    [
        (BOTH, None, True),
        (BOTH, True, True),
        (BOTH, False, False),
        (TrackingEntry(clicks="asked", opens="asked"), None, False),
        (TrackingEntry(clicks="asked", opens="asked"), True, True),
        (TrackingEntry(clicks="asked", opens="asked"), False, False),
        (TrackingEntry(), True, False),
    ],
)
def test_a_lead_decides_for_itself(
    store: Store, rules: TrackingEntry, lead: bool | None, tracked: bool
) -> None:
    post = Post(store, rules)
    with store.write() as connection:
        change_lead(connection, "lead-1", {"tracking": lead}, NOW)
    links, pixel = post.sends()
    assert (bool(links), bool(pixel)) == (tracked, tracked)


def test_who_says_no_afterwards_is_not_kept_any_more(post: Post) -> None:
    links, pixel = post.sends()
    with post.house.store.write() as connection:
        change_lead(connection, "lead-1", {"tracking": False}, NOW)
    assert post.fetches(links[0]).status_code == 302
    post.fetches(pixel)
    assert post.hits() == []


def test_links_of_ours_and_the_text_part_stay_as_they_are(post: Post) -> None:
    post.sends()
    message = post.house.message()
    assert re.search(r'href="http://127\.0\.0\.1:8080/l/', message.html)
    assert "https://example.com/0?u=1" in message.body
    assert AT not in message.body


def test_a_text_message_is_tracked_only_where_the_workspace_says_so(store: Store) -> None:
    sms = MessageStep(id="sms:hi", channel="sms", template="hi", topic="newsletter", next="wait")
    made = plan(sms, LISTENS, templates={"sms:hi": {"en": TEXT}})
    post = Post(store, TrackingEntry(sms=True), made)
    [link], _ = post.sends()
    assert post.house.message().body.endswith(f"{link}.")
    post.fetches(link)
    post.settles()
    assert [name for name, _ in post.told()] == ["sms.clicked"]


def test_the_provider_does_not_track_what_we_track_or_nobody_may(store: Store) -> None:
    seen: list[bool] = []
    post = Post(store)
    post.house.email.meanwhile = lambda message: seen.append(message.untouched)
    post.sends()
    assert seen == [True]


Told = Callable[[], list[tuple[str, dict[str, Any]]]]


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("delivered", "email.delivered"),
        ("opened", "email.opened"),
        ("clicked", "email.clicked"),
        ("bounced", "email.bounced"),
        ("failed", "email.failed"),
        ("complained", "email.complained"),
    ],
)
def test_what_a_provider_reports_is_told_once_to_who_listens(store: Store, kind: str, event: str) -> None:
    wait = WaitForStep(id="wait", on=on(event, when="false"))
    made = plan(email("hello", next="wait"), wait, templates={"email:hello": {"en": LETTER}}, exits=())
    post = Post(store, None, made)
    post.sends()
    message = post.house.message()
    report = DeliveryReport(message.id, kind, NOW, "id", "a reason", "https://example.com/")
    for _ in range(2):
        take_report(store, report, machine=post.house.clock)
    told = [said for name, said in post.told() if name == event]
    assert len(told) == 1
    assert told[0]["message"] == message.id
    assert (told[0].get("reason") == "a reason") == (kind in ("bounced", "failed"))
    assert (told[0].get("link") == "https://example.com/") == (kind == "clicked")


def test_a_message_that_the_provider_refuses_for_good_is_told(store: Store) -> None:
    wait = WaitForStep(id="wait", on=on("email.failed", when="false"))
    post = Post(
        store, None, plan(email("hello", next="wait"), wait, templates={"email:hello": {"en": LETTER}})
    )

    def refuses(message: Outgoing) -> None:
        raise PermanentFailure("sendgrid.invalid-recipient")

    post.house.email.meanwhile = refuses
    post.sends()
    [(name, said)] = post.told()
    assert (name, said["reason"]) == ("email.failed", "sendgrid.invalid-recipient")


def test_what_was_undecided_when_the_web_process_went_is_decided_when_it_is_back(post: Post) -> None:
    links, _ = post.sends()
    post.fetches(links[0])
    post.house.clock.offset += PATIENCE + timedelta(seconds=1)
    with post.client:
        give_up = time.monotonic() + 20
        while not post.told() and time.monotonic() < give_up:
            time.sleep(0.05)
    assert [name for name, _ in post.told()] == ["email.clicked"]


def test_an_event_told_by_hand_is_about_the_last_message_and_moves_the_run(store: Store) -> None:
    wait = WaitForStep(id="wait", on=on("email.clicked"))
    post = Post(
        store, None, plan(email("hello", next="wait"), wait, templates={"email:hello": {"en": LETTER}})
    )
    post.sends()
    for said in ({"template": "another"}, {"link": "https://example.com/0?u=1"}):
        body = {"name": "email.clicked", "lead": {"id": "lead-1"}, "properties": said}
        answer = post.client.post("/v1/events", json=body, headers={"Authorization": "Bearer key"})
        assert answer.status_code == 202, answer.text
        run = post.house.message().run_id
        post.house.advance(run, post.house.clock())
        ended = post.house.run(run).outcome
        assert ended == (None if "template" in said else "finished")
    assert post.told()[-1][1]["link"] == "https://example.com/0"


def test_what_nobody_listens_for_is_no_event_but_stays_in_the_ledger(store: Store) -> None:
    made = plan(email("hello"), templates={"email:hello": {"en": LETTER}})
    post = Post(store, BOTH, made)
    links, _ = post.sends()
    post.fetches(links[0])
    take_report(store, DeliveryReport(post.house.message().id, "delivered", NOW), machine=post.house.clock)
    post.settles()
    assert post.told() == []
    message = post.house.message()
    assert message.first_clicked_at is not None
    assert message.delivered_at == NOW


def test_an_open_of_which_the_provider_says_that_it_was_a_machines_is_kept_as_one(post: Post) -> None:
    post.sends()
    report = DeliveryReport(post.house.message().id, "opened", NOW, by_machine=True)
    for _ in range(2):
        take_report(post.house.store, report, machine=post.house.clock)
    assert post.hits() == [("open", None, "provider")]
    assert post.house.message().first_opened_at is None
    assert post.told() == []


# -- what people are shown ------------------------------------------------------------------------------------


def shown(post: Post, path: str) -> str:
    answer = post.client.get(path, auth=("me", "key"))
    assert answer.status_code == 200, answer.text
    return unescape(re.sub(r"\s+", " ", answer.text))


def came(post: Post) -> None:
    """A person opens and follows two links, one of them twice; Apple and a scanner were there before."""
    links, pixel = post.sends()
    post.fetches(pixel, APPLE)
    post.fetches(links[3], "Barracuda Sentinel (EE)")
    for path in (pixel, links[1], links[2], links[1]):
        post.fetches(path)
        post.settles()


def test_the_message_page_shows_people_and_machines_apart_and_fetches_nothing(post: Post) -> None:
    came(post)
    page = shown(post, f"/messages/{post.house.message().id}")
    rows = [re.sub(r"<[^>]+>| +", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", page)]
    said = [" ".join(row) for row in rows]
    assert any("opened a machine: Apple's privacy proxy 1" in row for row in said)
    assert any("clicked https://example.com/1 a person 2" in row for row in said)
    assert any("clicked https://example.com/3 a machine: a security scanner 1" in row for row in said)
    assert "/c/" not in page
    assert "/o/" not in page
    assert 'href="https://example.com/0?u=1"' in unescape(page)


def test_the_story_of_a_lead_tells_who_opened_and_which_link_was_followed(post: Post) -> None:
    came(post)
    page = shown(post, "/leads/lead-1")
    for line in (
        "the e-mail hello was opened<",
        "the e-mail hello was clicked (https://example.com/1) 2 times<",
        "the e-mail hello was opened by a machine, which counts for nothing: Apple's privacy proxy<",
        "event email.clicked (template: hello, link: https://example.com/1)<",
    ):
        assert line in page, line


@pytest.mark.parametrize(
    ("rules", "button"),
    [(BOTH, "untrack"), (TrackingEntry(clicks="asked"), "track"), (TrackingEntry(), None), (None, None)],
)
def test_a_lead_decides_on_its_own_page(
    store: Store, rules: TrackingEntry | None, button: str | None
) -> None:
    post = Post(store, rules)
    post.sends()
    with store.read() as connection:
        links = Links(open_house(connection).secret)
    page = links.of(post.house.message().id, post.house.clock())(PreferencesLink())
    offers = re.findall(r'value="(u?n?track)"', post.client.get(page).text)
    assert offers == ([button] if button else [])
    if button is None:
        return
    for pressed, means in ((button, button == "track"), ("track", True), ("untrack", False)):
        answer = post.client.post(page, data={"do": pressed})
        assert answer.status_code == 200
        with store.read() as connection:
            assert connection.execute(select(schema.leads.c.tracking)).scalar_one() is means
        assert f'value="{"untrack" if means else "track"}"' in answer.text
    assert "We no longer keep what you open and click." in answer.text


def test_the_api_tells_whether_a_lead_may_be_tracked(post: Post) -> None:
    key = {"Authorization": "Bearer key"}
    for wish in (False, True, None):
        said = post.client.put("/v1/leads", json={"id": "lead-1", "tracking": wish}, headers=key)
        assert said.json()["changed"] == ["tracking"]
        assert post.client.get("/v1/leads/lead-1", headers=key).json()["tracking"] is wish
    assert (
        post.client.put("/v1/leads", json={"id": "lead-1", "tracking": "x"}, headers=key).status_code == 422
    )


def test_the_page_of_the_journey_counts_messages_that_people_opened_and_clicked(post: Post) -> None:
    came(post)
    page = shown(post, "/journeys/welcome")
    assert "<dt>opened</dt><dd>1 <small>100%</small>" in page
    assert "<dt>clicked</dt><dd>1 <small>100%</small>" in page


def test_a_lead_that_may_not_be_tracked_is_shown_as_such(post: Post) -> None:
    with post.house.store.write() as connection:
        change_lead(connection, "lead-1", {"tracking": False}, NOW)
    assert "<dt>Opens and clicks</dt><dd>may not be kept</dd>" in shown(post, "/leads/lead-1")
