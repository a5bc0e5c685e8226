"""A server, a Chromium and a page that notices console errors and requests to anywhere but this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.compare import SHAPES, STARS, Compare
from tests.tools.browser import FLAGS, find
from tests.tools.server import Server

WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)
LOCAL = {"127.0.0.1", "localhost"}
LOST_SERVER = re.compile(
    r"ERR_INTERNET_DISCONNECTED|"
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|WebSocket|Failed to fetch|"
    r"Cannot send rerun backMessage when disconnected"
)
# The framework looks for its server beside the page first, and where the page is not the first one, one level up then.
ONE_UP = re.compile(r"404 \(Not Found\) \(http://[^/]+/\w+/_stcore/(health|host-config)\)")


@dataclass
class Watch:
    """What a page did that its user does not see; `server_goes` allows the complaints of a page left alone."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    server_goes: bool = False

    def attach(self, page: Page) -> None:
        """Listen to a page from its first request on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.on("websocket", lambda socket: self._address(socket.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        self._address(request.url)

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOCAL:
            self.outside.append(url)

    def check(self) -> None:
        """Fail on any console error and on any request that left this machine."""
        expected = [ONE_UP, LOST_SERVER] if self.server_goes else [ONE_UP]
        errors = [error for error in self.errors if not any(known.search(error) for known in expected)]
        assert not errors, f"console errors: {errors}"
        assert not self.outside, f"requests outside localhost: {self.outside}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; a missing one is an error."""
    path = find()
    if path is None:
        pytest.fail("No Chromium was found: 'make test' installs one, DECAM_CHROMIUM names one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers on the data directory of the test; all are ended with it, and none may have raised."""
    started: list[Server] = []

    def start(data: Path | None = None, **environment: str) -> Server:
        log = tmp_path / f"server-{len(started)}.log"
        server = Server(data or tmp_path / "decam-data", log, environment)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()
    for server in started:
        assert "Traceback" not in server.output(), server.output()


@pytest.fixture(scope="session")
def common_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that neither end it nor mind the runs of others."""
    folder = tmp_path_factory.mktemp("common")
    server = Server(folder / "decam-data", folder / "server.log").start()
    yield server
    server.stop()
    assert "Traceback" not in server.output(), server.output()


@dataclass(frozen=True)
class Finished:
    """A finished comparison: its server, its link's token and how many maps it has."""

    url: str
    run: str
    maps: int


@pytest.fixture(scope="session")
def finished(common_server: Server, chromium: Browser) -> Finished:
    """Two scenes by the three usual methods, made once for all tests that only look."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT_MS)
    compare = Compare(context.new_page())
    compare.open(common_server.url)
    for title in (STARS, SHAPES):
        compare.sample(title)
    run = compare.start()
    compare.finished()
    context.close()
    return Finished(common_server.url, run, maps=6)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the pages of this test did unseen, checked at its end."""
    seen = Watch()
    yield seen
    seen.check()


@pytest.fixture
def chromium_context(chromium: Browser, watch: Watch) -> Iterator[Callable[[], BrowserContext]]:
    """Fresh browser profiles, one a visitor, whose pages are all watched."""
    made: list[BrowserContext] = []

    def fresh() -> BrowserContext:
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        context.set_default_timeout(WAIT_MS)
        context.on("page", watch.attach)
        made.append(context)
        return context

    yield fresh
    for context in made:
        context.close()


@pytest.fixture
def context(chromium_context: Callable[[], BrowserContext]) -> BrowserContext:
    """The visitor of most tests."""
    return chromium_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab."""
    return context.new_page()
