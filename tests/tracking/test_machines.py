"""Who fetches pixels and follows links, by what they really send."""

from __future__ import annotations

import pytest

from dripline.tracking.machines import KINDS, Kind, machine

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
AHEAD = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135"
    " Safari/537.36 Edge/12.246 Mozilla/5.0"
)
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; ms-office; MSOffice 16)"
)


@pytest.mark.parametrize(
    ("kind", "agent"),
    [
        ("open", SAFARI),
        ("open", CHROME),
        ("open", GMAIL),
        ("open", YAHOO),
        ("open", OUTLOOK),
        ("open", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"),
        ("click", SAFARI),
        ("click", CHROME),
        (
            "click",
            "Mozilla/5.0 (Linux; Android 14; SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125 Mobile",
        ),
    ],
)
def test_people(kind: Kind, agent: str) -> None:
    assert machine(kind, "GET", {"user-agent": agent}) is None


@pytest.mark.parametrize(
    ("kind", "agent", "what"),
    [
        ("open", "Mozilla/5.0", "apple-privacy"),
        ("click", "Mozilla/5.0", "nameless"),
        ("open", AHEAD, "gmail-ahead"),
        ("open", "", "nameless"),
        ("click", "   ", "nameless"),
        ("click", "Barracuda Sentinel (EE)", "scanner"),
        ("click", "Mozilla/5.0 (compatible; proofpoint-urldefense)", "scanner"),
        ("click", "Mimecast", "scanner"),
        ("click", "Microsoft Office Existence Discovery", "scanner"),
        ("click", OUTLOOK, "scanner"),
        ("click", "python-requests/2.32.3", "robot"),
        ("click", "curl/8.7.1", "robot"),
        ("click", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "robot"),
        ("click", "facebookexternalhit/1.1", "robot"),
        ("click", "WhatsApp/2.23.20.0", "robot"),
        ("click", CHROME.replace("Chrome/", "HeadlessChrome/"), "robot"),
        ("click", GMAIL, "robot"),
        ("open", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "robot"),
    ],
)
def test_machines_that_say_so(kind: Kind, agent: str, what: str) -> None:
    assert machine(kind, "GET", {"user-agent": agent}) == what
    assert what in KINDS


@pytest.mark.parametrize(
    "header",
    [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
    ],
)
def test_a_browser_that_fetches_ahead_is_believed(header: tuple[str, str]) -> None:
    assert machine("click", "GET", {"user-agent": CHROME, header[0]: header[1]}) == "prefetch"


def test_who_asks_for_the_head_alone_has_seen_nothing() -> None:
    assert machine("click", "HEAD", {"user-agent": CHROME}) == "head"


def test_no_name_takes_long_to_look_at() -> None:
    assert machine("click", "GET", {"user-agent": "Mozilla " * 100_000}) is None
