"""Accounts of an OpenID provider open the page on studies, or do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.compare import LONG_MS
from tests.tools.provider import CLIENT, SECRET, Provider
from tests.tools.server import Server

pytestmark = pytest.mark.slow
LISTED, OF_A_DOMAIN, STRANGER = "ada@example.org", "emmy@lab.example.org", "eve@example.org"


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """A provider with three accounts; nothing that the app sends may be wrong."""
    with Provider((LISTED, OF_A_DOMAIN, STRANGER), ends=request.param) as started:
        yield started
    assert started.refusals == []


@pytest.fixture
def server(provider: Provider, start_server: Callable[..., Server], tmp_path: Path) -> Server:
    """The app with accounts of that provider alone."""
    file = tmp_path / "secrets.toml"
    lines = {
        "redirect_uri": "http://127.0.0.1:{port}/oauth2callback",
        "cookie_secret": "a secret of thirty-two characters",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "server_metadata_url": f"{provider.issuer}/.well-known/openid-configuration",
    }
    auth = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
    people = json.dumps([LISTED, "@lab.example.org"])
    file.write_text(f"[auth]\n{auth}\n\n[studies]\npeople = {people}\n", encoding="utf-8")
    return start_server(STREAMLIT_SECRETS_FILES=str(file))


def sign_in(page: Page, account: str) -> None:
    """Go to the provider by the page's button and pick an account there."""
    page.get_by_role("button", name="Sign in with an account").click(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    page.get_by_role("link", name=account).click()


@pytest.mark.parametrize("provider", [False, True], indirect=True, ids=["without-sign-out", "with-sign-out"])
def test_a_listed_account_comes_in_and_signs_out(
    server: Server, provider: Provider, chromium_context: Callable[[], BrowserContext]
) -> None:
    page = chromium_context().new_page()
    page.goto(f"{server.url}studies")
    expect(page.get_by_role("heading", name="Sign in to studies")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="New study")).to_have_count(0)
    sign_in(page, LISTED)
    expect(page.get_by_role("heading", name="New study")).to_be_visible(timeout=LONG_MS)
    expect(page).to_have_url(f"{server.url}studies")
    expect(page.get_by_text(LISTED)).to_be_visible()

    page.reload()
    expect(page.get_by_text(LISTED)).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to studies")).to_be_visible(timeout=LONG_MS)
    expect(page).to_have_url(f"{server.url}studies")
    assert provider.signed_out == int(provider.ends)
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to studies")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text(LISTED)).to_have_count(0)


@pytest.mark.parametrize("provider", [False], indirect=True, ids=["without-sign-out"])
def test_an_account_that_is_not_listed_is_refused_and_another_one_comes_in(
    server: Server, chromium_context: Callable[[], BrowserContext]
) -> None:
    page = chromium_context().new_page()
    page.goto(f"{server.url}studies")
    sign_in(page, STRANGER)
    refusal = f"{STRANGER} is not on the list of people. Add it to people under [studies] in the server's secrets."
    expect(page.get_by_text(refusal)).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="New study")).to_have_count(0)
    page.get_by_role("button", name="Use another account").click()
    sign_in(page, OF_A_DOMAIN)
    expect(page.get_by_role("heading", name="New study")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text(OF_A_DOMAIN)).to_be_visible()
