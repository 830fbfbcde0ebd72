"""How a form answers: visitors with and without scripts, programs, and rubbish."""

from __future__ import annotations

import pytest

from dripline.web.forms.stamps import NAME as STAMP
from dripline.web.forms.words import WORDS
from tests.web.forms.conftest import AWAY, Desk

ANI = {"email": "ani@example.com", "consent": "yes"}
READER = {"Accept": "text/html,application/xhtml+xml"}


def test_a_visitor_without_scripts_is_thanked_on_a_page_in_its_language(desk: Desk) -> None:
    visitor = desk.visitor()
    sent = visitor.post("/f/news", data={**ANI, "_locale": "hy"}, headers=READER)
    assert (sent.status_code, sent.headers["location"]) == (303, "news/thanks?locale=hy")
    page = visitor.get("/f/news/thanks?locale=hy")
    assert '<html lang="hy">' in page.text
    assert WORDS["hy"]["thanks-confirm"] in page.text


@pytest.mark.parametrize(("locale", "where"), [("en", "/thanks"), ("hy", "/hy/thanks"), ("fr", "/thanks")])
def test_a_visitor_goes_where_the_form_says_and_nowhere_else(desk: Desk, locale: str, where: str) -> None:
    said = {**ANI, "_locale": locale, "redirect": "https://evil.example", "_redirect": "//evil.example"}
    sent = desk.visitor().post("/f/quick?redirect=https://evil.example", data=said, headers=READER)
    assert (sent.status_code, sent.headers["location"]) == (303, AWAY + where)


def test_what_is_wrong_is_told_beside_the_field_and_nothing_is_lost(desk: Desk) -> None:
    said = {"email": "ani@", "name": 'Ani "<b>"', "seats": "many", "_locale": "hy"}
    page = desk.visitor().post("/f/news", data=said, headers=READER)
    assert page.status_code == 422
    assert WORDS["hy"]["email"] in page.text
    assert WORDS["hy"]["value"] in page.text
    assert "Ani &#34;&lt;b&gt;&#34;" in page.text
    assert desk.leads() == []


def test_a_script_is_told_every_field_in_the_visitors_words(desk: Desk) -> None:
    said = {
        "phone": "12",
        "name": "Buy at www.spam.example",
        "plan": "another",
        "message": "x" * 5_001,
        "_locale": "hy",
    }
    answer = desk.send("news", said, Origin=AWAY)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == AWAY
    words = WORDS["hy"]
    assert {error["field"]: error["detail"] for error in answer.json()["errors"]} == {
        "email": words["required"],
        "phone": words["phone"],
        "name": words["web-address"],
        "plan": words["choice"],
        "message": words["too-long"],
    }


def test_a_box_that_must_be_ticked_must(desk: Desk) -> None:
    answer = desk.send("quick", {"email": "ani@example.com"})
    assert [error["field"] for error in answer.json()["errors"]] == ["consent"]


def test_json_says_the_same_as_a_form(desk: Desk) -> None:
    said = {"email": "ani@example.com", "seats": 8, "consent": True}
    answer = desk.visitor().post("/f/news", json=said)
    assert answer.status_code == 200
    assert answer.json()["redirect"] is None
    assert desk.lead().attributes == {"seats": 8}
    assert desk.submitted()[0]["agreed"] is True


def test_pages_of_the_forms_own_sites_may_read_the_answer_and_no_others(desk: Desk) -> None:
    visitor = desk.visitor()
    asked = visitor.options("/f/news", headers={"Origin": AWAY, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == AWAY
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert desk.send("news", ANI, Origin=AWAY).headers["access-control-allow-origin"] == AWAY
    for origin in ("https://evil.example", AWAY + ".evil.example", AWAY.replace("https", "http")):
        refused = desk.send("news", ANI, Origin=origin)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
        assert visitor.options("/f/news", headers={"Origin": origin}).status_code == 403
    assert desk.send("quick", ANI, Origin=AWAY).status_code == 403, "that form names no site"
    assert desk.send("quick", ANI, Origin="https://drip.example").status_code == 200, "its own page may"
    assert desk.send("quick", ANI, Origin="null").status_code == 200, (
        "a browser that keeps its site to itself"
    )


def test_who_fills_in_what_nobody_sees_is_thanked_and_left(desk: Desk) -> None:
    honest = desk.send("news", ANI)
    robot = desk.send("news", {"email": "robot@example.com", "_homepage": "http://spam.example"})
    assert (robot.status_code, robot.json()) == (honest.status_code, honest.json())
    assert len(desk.leads()) == 1
    assert desk.counted() == {"form.news.honeypot": 1}


def test_who_is_quicker_than_people_is_thanked_and_left(desk: Desk) -> None:
    stamp = desk.visitor().get("/f/news/start", headers={"Origin": AWAY}).json()["stamp"]
    assert desk.send("news", {**ANI, STAMP: stamp}).status_code == 200
    assert desk.leads() == []
    desk.later(seconds=3)
    assert desk.send("news", {**ANI, STAMP: stamp}).status_code == 200
    assert len(desk.leads()) == 1
    assert desk.counted() == {"form.news.too-quick": 1}


def test_who_mends_a_word_may_be_quick(desk: Desk) -> None:
    stamp = desk.visitor().get("/f/news/start").json()["stamp"]
    desk.later(seconds=30)
    page = desk.visitor().post("/f/news", data={"email": "ani@", STAMP: stamp}, headers=READER)
    assert f'name="{STAMP}" value="{stamp}"' in page.text


def test_the_stamp_of_one_form_is_of_no_use_for_another(desk: Desk) -> None:
    stamp = desk.visitor().get("/f/news/start").json()["stamp"]
    desk.later(seconds=10)
    for bad in (stamp, stamp[:-1], "x", "ä" * 300, "." * 100):
        answer = desk.send("quick", {**ANI, STAMP: bad})
        assert (answer.status_code, answer.json()["code"]) == (422, "stale")
    assert desk.leads() == []
    assert desk.counted() == {"form.quick.bad-stamp": 5}


def test_a_visitor_who_sends_too_often_is_told_to_wait_and_others_are_not(desk: Desk) -> None:
    answers = [desk.send("news", {**ANI, "message": str(number)}) for number in range(12)]
    assert [one.status_code for one in answers] == [200] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["detail"] == WORDS["en"]["later"]
    assert desk.visitor("198.51.100.7").post("/f/news", data=ANI, headers=READER).status_code == 303


def test_the_address_that_a_proxy_of_ours_names_is_the_visitors_and_not_what_the_visitor_claims(
    desk: Desk,
) -> None:
    def send(peer: str, forwarded: str) -> int:
        headers = {"Accept": "application/json", "X-Forwarded-For": forwarded}
        return int(desk.visitor(peer).post("/f/news", data=ANI, headers=headers).status_code)

    assert [send("10.0.0.2", f"{number}.1.1.1, 203.0.113.50") for number in range(11)].count(429) == 1
    assert [send("8.8.8.8", f"203.0.113.{number}") for number in range(11)].count(429) == 1


def test_what_a_visitor_claims_above_the_header_of_the_proxy_is_not_believed(desk: Desk) -> None:
    def send(claimed: int) -> int:
        headers = [("Accept", "application/json"), ("X-Forwarded-For", f"1.1.1.{claimed}")]
        headers.append(("X-Forwarded-For", "203.0.113.50"))
        return int(desk.visitor("10.0.0.2").post("/f/news", data=ANI, headers=headers).status_code)

    assert [send(number) for number in range(11)].count(429) == 1


def test_all_addresses_of_one_ipv6_network_are_one_visitors(desk: Desk) -> None:
    def send(address: str) -> int:
        return int(desk.visitor(address).post("/f/news", data=ANI, headers=READER).status_code)

    assert [send(f"2001:db8:1:2::{number}") for number in range(11)].count(429) == 1
    assert send("2001:db8:1:3::1") == 303
    assert send("::ffff:198.51.100.8") == send("::ffff:198.51.100.9") == 303


RUBBISH = [
    ("application/x-www-form-urlencoded", b"\xff\xfe%00&&==%zz", 422),
    ("application/x-www-form-urlencoded", b"email=a%00b@example.com", 200),
    ("application/x-www-form-urlencoded", b"&".join(b"x%d=1" % n for n in range(500)), 400),
    ("application/x-www-form-urlencoded", b"email=" + b"a" * 3_000 + b"@example.com", 422),
    ("application/x-www-form-urlencoded", b"email=a@example.com&email=b@example.com", 422),
    ("application/json", b"[1, 2]", 422),
    ("application/json", b"{", 400),
    ("application/json", b'{"email": {"a": 1}}', 422),
    ("application/json", b'{"email": [["a@example.com"]]}', 422),
    ("application/json", b'{"email": "a@example.com", "name": "\\ud800"}', 422),
    ("application/json", b'{"email": "a@example.com", "seats": 1e400}', 422),
    ("multipart/form-data", b"email", 400),
    ("multipart/form-data; boundary=x", b"--y\r\n\r\n", 400),
    ("text/plain", b"email=a@example.com", 415),
    ("", b"email=a@example.com", 415),
]


@pytest.mark.parametrize(("kind", "body", "status"), RUBBISH)
def test_rubbish_is_refused_with_a_reason(desk: Desk, kind: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": kind, "Accept": "application/json"}
    answer = desk.visitor().post("/f/news", content=body, headers=headers)
    assert answer.status_code == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert desk.leads() == []


def test_files_and_bodies_that_are_too_large_are_refused(desk: Desk) -> None:
    visitor = desk.visitor()
    sent = visitor.post(
        "/f/news", data=ANI, files={"cv": ("cv.pdf", b"%PDF")}, headers={"Accept": "application/json"}
    )
    assert sent.status_code == 400
    assert visitor.post("/f/news", data={**ANI, "message": "x" * 70_000}).status_code == 413
    assert (
        visitor.post("/f/news", files={"email": (None, "ani@example.com")}, headers=READER).status_code == 303
    )


def test_a_form_that_is_not_there_is_not_there(desk: Desk) -> None:
    for path in ("/f/other", "/f/other/start", "/f/other/thanks", "/f/static/other.css", "/f/"):
        assert desk.visitor().get(path).status_code == 404
    assert desk.visitor().post("/f/other", data=ANI).status_code == 404


def test_every_language_says_everything() -> None:
    for words in WORDS.values():
        assert words.keys() == WORDS["en"].keys()
        assert all(words.values())
