"""A person with a real browser: logs in, looks, is kept out of what is not theirs, and logs out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from dripline.access.people import invite
from dripline.clock import machine_clock
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from tests.access.keys import a_key
from tests.access.people import PASSWORD, a_person
from tests.web.chromium import PROGRAM, Browser
from tests.web.conftest import WORKSPACE

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    app = create_app(Settings(_env_file=None, environment="production"), store, WORKSPACE)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def send(browser: Browser, form: str, **fields: str) -> str:
    """Fill a form in, send it, and wait for the next page; what that says."""
    browser.evaluate("document.body.dataset.old = 'yes'")
    for name, value in fields.items():
        browser.evaluate(f"document.querySelector({f'{form} [name={name}]'!r}).value = {value!r}")
    browser.evaluate(f"document.querySelector({f'{form} button'!r}).click() || 1")
    deadline = time.monotonic() + 20
    while not _is_another_page_there(browser):
        assert time.monotonic() < deadline, "no other page came"
        time.sleep(0.05)
    return str(browser.evaluate("document.body.innerText"))


def _is_another_page_there(browser: Browser) -> bool:
    try:
        return bool(browser.evaluate("!document.body.dataset.old && document.readyState === 'complete'"))
    except (AssertionError, KeyError):  # between two pages there is none
        return False


def where(browser: Browser) -> str:
    return str(browser.evaluate("location.pathname"))


LOGIN = 'form[action="/login"]'


def test_a_person_chooses_a_password_logs_in_looks_and_logs_out(
    browser: Browser, address: str, store: Store
) -> None:
    with store.write() as connection:
        link = invite(connection, "ani@example.com", "publisher", machine_clock(), "levon", "Ani").path
    page = browser.look(address + "/journeys", 390)
    assert page["width"] <= page["seen"]
    assert where(browser) == "/login"
    page = browser.look(address + link, 390)
    assert page["width"] <= page["seen"]
    assert "ani@example.com" in page["text"]
    assert "Log in" in send(browser, "form.card", password=PASSWORD, again=PASSWORD)
    assert "did not work" in send(browser, LOGIN, email="ani@example.com", password="something else")
    send(browser, LOGIN, email="ani@example.com", password=PASSWORD)
    assert where(browser) == "/"
    assert browser.evaluate("document.cookie") == "", "scripts cannot read what proves who one is"
    assert "an admin" in browser.look(address + "/users", 1_280)["text"]
    page = browser.look(address + "/account", 390)
    assert page["width"] <= page["seen"]
    assert "Log in" in send(browser, 'form[action="/logout"]')
    browser.look(address + "/", 390)
    assert where(browser) == "/login"
    assert [text for text in browser.complaints if "status of 40" not in text] == []


@pytest.mark.parametrize("width", [390, 1_280])
def test_the_pages_of_an_admin_fit_and_want_nothing_that_they_may_not_have(
    browser: Browser, address: str, store: Store, width: int
) -> None:
    a_person(store, "admin", "averylongnamewithoutasinglespaceorhyphen@example.com", "Averylongname" * 4)
    a_person(store, "viewer")
    a_key(store, "leads:read", "leads:write", "events:write", name="averylongnamewithoutaspace" * 3)
    browser.look(address + "/login?next=/users", width)
    assert "Add somebody" in send(
        browser, LOGIN, email="averylongnamewithoutasinglespaceorhyphen@example.com", password=PASSWORD
    )
    for path in ("/users", "/keys", "/account", "/"):
        for dark in (False, True):
            page = browser.look(address + path, width, dark=dark)
            assert page["width"] <= page["seen"], path
    browser.look(address + "/users", width)
    told = send(browser, 'form[action="/users"]', email="new@example.com")
    assert "/invitation/" in told
    assert browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert browser.complaints == []
