"""Deleting a run: it is asked by name, and a hasty hand deletes that one alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.status import Status
from decam.images.samples import get
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.ui.shared.thumbnails import pixels
from tests.browser.compare import Compare
from tests.tools.server import Server

NAMES = ("my_cat_*1*.png", "Arrow", "Star")


def runs(directory: Path) -> None:
    """One run a name, the last one the newest, as a server leaves them that was killed."""
    store = Store(directory)
    for age, name in enumerate(reversed(NAMES)):
        plan = comparison.plan("embedded", "cpu", [PictureChoice(name)], [MethodChoice.default("random")])
        grid = Grid.empty(plan, (pixels(get("scene-star").load()),))
        store.add(RunSnapshot(f"run{age}", datetime.now(UTC) - timedelta(minutes=age), Status.QUEUED, grid))
    store.close()


def test_a_double_click_on_delete_takes_the_run_that_was_named_and_no_other(
    page: Page, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    runs(tmp_path / "decam-data")
    compare = Compare(page)
    compare.open(start_server().url)
    bins = compare.sidebar.get_by_role("button", name=re.compile("^Delete comparison "))
    expect(bins).to_have_count(3)
    for left, name in ((2, "Arrow"), (1, "my_cat_*1*.png")):
        compare.sidebar.get_by_role(
            "button", name=re.compile(rf"^Delete comparison {re.escape(name)}, \d\d:\d\d$")
        ).click()
        window = page.get_by_role("dialog", name=re.compile(rf"^Delete “{re.escape(name)}”, \d\d:\d\d, 1 method\?$"))
        window.get_by_role("button", name="Delete", exact=True).dblclick()
        expect(window).to_have_count(0)
        expect(bins).to_have_count(left)
    compare.open(page.url)
    expect(bins).to_have_count(1)
    expect(compare.sidebar.get_by_role("button", name=re.compile("^Delete comparison Star"))).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.close()  # before its server ends


def test_back_between_two_runs_brings_the_cards_along_with_the_grid(
    page: Page, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    runs(tmp_path / "decam-data")
    compare = Compare(page)
    compare.open(start_server().url, "run1")
    expect(compare.card("Arrow")).to_be_visible()
    compare.sidebar.get_by_role("button", name=re.compile(r"^Star .*1 method")).click()
    expect(compare.card("Star")).to_be_visible()
    expect(compare.cell("Random map", "Star")).to_be_visible()
    page.go_back()
    expect(compare.cell("Random map", "Arrow")).to_be_visible()
    expect(compare.card("Arrow")).to_be_visible()
    expect(compare.card("Star")).to_have_count(0)
    page.close()  # before its server ends
