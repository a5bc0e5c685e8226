"""A run's owner is the browser that started it: it comes back to it, names it, deletes it and undoes that."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.compare import LONG_MS, Compare
from tests.tools.server import Server

FOREIGN = re.compile("^This run belongs to somebody else")


def test_on_a_shared_server_a_browser_owns_its_run_when_it_comes_back_and_a_stranger_only_looks(
    chromium_context: Callable[[], BrowserContext], start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(DECAM_SHARED="1")
    context = chromium_context()
    owner = Compare(context.new_page())
    owner.open(server.url)
    owner.sample("Star")
    owner.new_budget(20_000)
    run = owner.start()
    expect(owner.stop).to_be_visible(timeout=LONG_MS)
    (cookie,) = (one for one in context.cookies() if one["name"] == "decam_browser")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["value"] not in owner.page.url

    guest = Compare(chromium_context().new_page())
    guest.open(server.url, run)
    expect(guest.cell("DE-CAM", "Star")).to_be_visible(timeout=LONG_MS)
    expect(guest.main.get_by_text(FOREIGN)).to_be_visible()
    expect(guest.explain).to_be_visible()
    expect(guest.stop).to_have_count(0)
    expect(guest.main.get_by_role("button", name="Name and note")).to_have_count(0)
    expect(guest.sidebar.get_by_role("button", name=re.compile("^Delete comparison"))).to_have_count(0)

    owner.page.close()
    again = Compare(context.new_page())  # the same browser another day: a new session with the cookie
    again.open(server.url, run)
    again.stop.click(timeout=LONG_MS)
    expect(again.status("Stopped")).to_be_visible(timeout=LONG_MS)
    expect(guest.status("Stopped")).to_be_visible(timeout=LONG_MS)
    expect(guest.main.get_by_role("button", name="Continue")).to_have_count(0)

    again.main.get_by_role("button", name="Name and note").click()
    again.page.get_by_label("Name", exact=True).fill("Star, <b> & co")
    again.page.get_by_label("Note", exact=True).fill("Stopped early.\nFor *Tuesday*.")
    again.page.get_by_role("button", name="Save", exact=True).click()
    expect(again.page).to_have_title(re.compile("^Star, <b> & co · Compare"))
    expect(again.main.get_by_text("For *Tuesday*.")).to_be_visible()
    line = again.sidebar.get_by_role("button", name=re.compile("^Star, <b> & co .*Stopped early"))
    expect(line).to_be_visible()
    guest.open(server.url, run)
    expect(guest.main.get_by_text("For *Tuesday*.")).to_be_visible(timeout=LONG_MS)

    again.sidebar.get_by_role("button", name=re.compile("^Delete comparison Star, <b> & co")).click()
    window = again.page.get_by_role("dialog", name=re.compile("^Delete “Star, <b> & co”"))
    expect(window.get_by_text("You can undo this for 10 minutes.")).to_be_visible()
    window.get_by_role("button", name="Delete", exact=True).click()
    expect(line).to_have_count(0)
    guest.page.goto(f"{server.url}?run={run}")
    expect(guest.alert(re.compile("There is no run"))).to_be_visible(timeout=LONG_MS)
    assert (tmp_path / "decam-data" / "runs" / run).is_dir()
    again.sidebar.get_by_role("button", name="Undo", exact=True).click()
    expect(line).to_be_visible()
    expect(again.cell("DE-CAM", "Star")).to_be_visible()
    again.page.close()
    guest.page.close()  # before their server ends
