"""The page on hidden models in a real browser: the whole road from a number to the attack, and narrow windows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from decam.models import hidden
from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Watch
from tests.tools.server import Server

NUMBER = "08"
SECRET = hidden.secret(f"hidden-{NUMBER}")


def start(page: Page, url: str) -> None:
    """Open the page, and wait until a search can be started."""
    page.goto(url)
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Search", exact=True)).to_be_visible(timeout=LONG_MS)


def test_a_reader_searches_guesses_sees_what_is_hidden_and_tries_the_attack(page: Page, common_server: Server) -> None:
    main = page.get_by_test_id("stMain")
    start(page, f"{common_server.url}backdoors?model={NUMBER}")
    page.get_by_role("radio", name="1", exact=True).click()
    expect(main.get_by_text("10 maps", exact=False).or_(main.get_by_text("40 maps", exact=False))).to_be_visible()
    main.get_by_role("button", name="Search", exact=True).click()
    expect(main.get_by_role("button", name=re.compile("^star;")).first).to_be_visible(timeout=LONG_MS)
    main.get_by_role("button", name="Stop", exact=True).click()
    expect(Compare(page).status("Stopped").or_(Compare(page).status("Finished"))).to_be_visible(timeout=LONG_MS)
