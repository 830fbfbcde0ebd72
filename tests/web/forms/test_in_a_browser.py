"""The snippet on a page of another site, and the form's own page, in a real browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from dripline.web.forms.showing import Showing
from dripline.web.forms.words import WORDS
from dripline.web.pages.frame import build_templates
from tests.web.chromium import PROGRAM, Browser
from tests.web.forms.conftest import WORKSPACE, Desk

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")


class Site:
    """A site of somebody's, with the snippet on its page, and our web process elsewhere."""

    def __init__(self, store: Store, folder: Path, stack: ExitStack) -> None:
        self.folder, self.desk = folder, Desk(store)
        self.at = stack.enter_context(_serving(folder))
        said = WORKSPACE.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        said["forms"]["news"]["origins"] = [self.at]
        said["forms"]["quick"] |= {"redirect": f"{self.at}/thanks.html", "origins": [self.at]}
        self.workspace = Workspace.model_validate(said)
        self.ours = stack.enter_context(_running(store, self.workspace))
        self.browser = Browser(folder / "browser")
        stack.callback(self.browser.close)
        (folder / "thanks.html").write_text("<!doctype html><title>Thanks</title><p>You are in.")

    def page(self, form: str, locale: str = "en") -> str:
        """A page with the snippet of the form; its address."""
        snippet = Showing(self.workspace, self.ours, build_templates()).snippet(form, locale)
        (self.folder / f"{form}.html").write_text(
            f"<!doctype html><meta charset=utf-8><title>x</title><link rel=icon href='data:,'>{snippet}"
        )
        return f"{self.at}/{form}.html?utm_source=secret"

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.browser.evaluate(f"document.querySelector('[name={name}]').value = {value!r}")
        self.browser.evaluate("document.querySelector('[name=consent]').checked = true")

    def press(self) -> None:
        self.browser.evaluate("setTimeout(() => document.querySelector('form button').click()), true")

    def until(self, expression: str, seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (
            found := self.browser.evaluate(
                f"!!({expression}) && (({expression}).tagName ? true : ({expression}))"
            )
        ):
            assert time.monotonic() < deadline, self.browser.evaluate("document.body.innerText")
            time.sleep(0.05)
        return found


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def _running(store: Store, workspace: Workspace) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(Settings(_env_file=None), store, workspace),
            port=0,
            log_level="warning",
            log_config=None,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(store, tmp_path, stack)


STATUS = "document.querySelector('[data-dripline-status]').textContent"


def test_the_snippet_sends_from_another_site_and_the_visitor_stays(site: Site) -> None:
    site.browser.look(site.page("news", "hy"), 1_000)
    site.until("document.querySelector('[name=_stamp]') && document.querySelector('[name=_page]')")
    time.sleep(2.1)  # as no person is quicker
    site.fill(email="ani@example.com", name="Ani", plan="team")
    site.press()
    assert site.until(STATUS) == WORDS["hy"]["thanks-confirm"]
    assert site.browser.evaluate("location.href").startswith(site.at)
    [event] = site.desk.submitted()
    assert event["page"] == f"{site.at}/news.html"
    assert site.desk.lead().attributes == {"first_name": "Ani", "plan": "team"}
    assert site.browser.complaints == []


def test_what_is_wrong_is_told_on_the_page(site: Site) -> None:
    site.browser.look(site.page("news"), 390)
    site.until("document.querySelector('[name=_stamp]')")
    time.sleep(2.1)
    site.fill(email="ani@example.com", phone="12")
    site.press()
    assert WORDS["en"]["phone"] in site.until(STATUS)
    assert (
        site.browser.evaluate("document.querySelector('[name=phone]').getAttribute('aria-invalid')") == "true"
    )
    assert site.desk.leads() == []


def test_the_visitor_is_led_on_where_the_form_says(site: Site) -> None:
    site.browser.look(site.page("quick"), 1_000)
    site.until("document.querySelector('[name=_stamp]') && document.querySelector('[name=_page]')")
    site.fill(email="ani@example.com")
    site.browser.evaluate("document.querySelector('[name=_stamp]').remove(), true")  # no person is so quick
    site.press()
    site.until("location.pathname == '/thanks.html'")
    site.until("document.readyState == 'complete'")
    assert site.desk.lead().consent == {"email": True}


def test_the_script_of_a_site_that_the_form_is_not_for_is_kept_out(site: Site) -> None:
    page = site.page("news").replace("127.0.0.1", "localhost")
    site.browser.look(page, 1_000)
    site.browser.evaluate(
        f"fetch('{site.ours}/f/news', {{method: 'POST', body: new URLSearchParams({{email: 'a@example.com'}})}})"
        ".then(() => window.answered = 'read', () => window.answered = 'kept out'), true"
    )
    assert site.until("window.answered") == "kept out"
    assert site.desk.leads() == []


def test_without_scripts_the_browser_is_led_to_the_thanks(site: Site) -> None:
    snippet = site.page("news").partition("?")[0]
    file = site.folder / "news.html"
    file.write_text(file.read_text().partition("<script")[0])
    site.browser.look(snippet, 1_000)
    site.fill(email="ani@example.com")
    site.press()
    site.until(f"location.href.startsWith('{site.ours}/f/news/thanks')")
    assert WORDS["en"]["thanks-confirm"] in site.browser.evaluate("document.body.innerText")
    assert len(site.desk.leads()) == 1


@pytest.mark.parametrize("form", ["news", "quick"])
def test_the_forms_own_page_works_and_leads_on_past_its_own_policy(site: Site, form: str) -> None:
    site.browser.look(f"{site.ours}/f/{form}?locale=en", 1_000)
    time.sleep(2.1)
    site.fill(email="ani@example.com")
    site.press()
    site.until(
        "location.pathname == '/thanks.html'" if form == "quick" else "location.pathname.endsWith('/thanks')"
    )
    assert len(site.desk.leads()) == 1
    assert site.browser.complaints == []


def test_the_forms_own_page_fits_phones_and_both_lights(site: Site) -> None:
    grounds = set()
    for path in ("/f/news", "/f/news/thanks", "/f/quick?locale=hy"):
        for width in (390, 1_280):
            for dark in (False, True):
                seen = site.browser.look(site.ours + path, width, dark=dark)
                assert seen["width"] <= seen["seen"], (path, width)
                grounds.add((dark, seen["ground"]))
    assert len(grounds) == 2
    assert site.browser.complaints == []
