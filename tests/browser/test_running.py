"""Runs while they run: uploads, stopping, reloading, other tabs, a server that is killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.compare import SHAPES, STARS, Compare
from tests.browser.conftest import Watch
from tests.tools.server import Server

ENDLESS = 50_000
KILLED = 8_000  # long enough to be killed in on any CPU, short enough to be finished after that on a busy one
STOP_MS = 5_000
# Maps come before curves, so what is cheap is ready long before it is measured.
CHEAP = ("Grad-CAM", "Integrated Gradients")
READY, KEPT = "Map done, measuring …", "Stopped · map kept"


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two real photographs as files that a visitor may have."""
    folder = tmp_path_factory.mktemp("photographs")
    files = folder / "my cat.jpg", folder / "coffee.jpg"
    for path, picture in zip(files, (skimage.data.chelsea(), skimage.data.coffee()), strict=True):
        Image.fromarray(picture).save(path, quality=90)
    return files


def progress(compare: Compare, picture: str) -> int:
    """How far the DE-CAM search on a picture is, in percent."""
    bar = compare.cell("DE-CAM", picture).get_by_role("progressbar")
    return int(bar.get_attribute("aria-valuenow") or 0)


def test_two_uploads_run_survive_a_reload_and_stop(
    page: Page, context: BrowserContext, common_server: Server, photographs: tuple[Path, Path]
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload(photographs)
    for file in photographs:
        expect(compare.card(file.name)).to_be_visible(timeout=120_000)
    compare.budget(ENDLESS)
    run = compare.start()
    for file in photographs:
        for method in CHEAP:
            compare.in_state(method, file.name, "measuring")
            compare.has_map(method, file.name, READY)
    compare.in_state("DE-CAM", photographs[0].name, "running")

    page.reload()
    compare.in_state("DE-CAM", photographs[0].name, "running")
    assert compare.run == run
    expect(compare.card(photographs[1].name)).to_be_visible(timeout=120_000)
    seen = progress(compare, photographs[0].name)
    bar = compare.cell("DE-CAM", photographs[0].name).get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", str(seen), timeout=120_000)
    assert progress(compare, photographs[0].name) > seen

    other = Compare(context.new_page())
    other.open(common_server.url, run)
    other.in_state("DE-CAM", photographs[0].name, "running")

    compare.stop.click()
    expect(compare.status("Stopped")).to_be_visible(timeout=STOP_MS)
    expect(other.status("Stopped")).to_be_visible(timeout=STOP_MS)
    for tab in (compare, other):
        expect(tab.cell("DE-CAM", photographs[0].name)).to_have_attribute("data-state", "stopped")
        for method in CHEAP:
            tab.in_state(method, photographs[1].name, "stopped")
            tab.has_map(method, photographs[1].name, KEPT)
    expect(compare.explain).to_be_enabled()


def test_other_widgets_stay_usable_while_a_run_goes_on(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(STARS)
    compare.budget(ENDLESS)
    compare.start()
    compare.in_state("DE-CAM", STARS, "running")
    compare.method("RISE")
    compare.in_state("DE-CAM", STARS, "running")
    compare.stop.click()
    expect(compare.status("Stopped")).to_be_visible(timeout=STOP_MS)


def test_a_second_visitor_waits_for_a_turn_and_sees_how_many_are_ahead(
    page: Page, common_server: Server, chromium_context: Callable[[], BrowserContext]
) -> None:
    first, second = Compare(page), Compare(chromium_context().new_page())
    for compare in (first, second):
        compare.open(common_server.url)
        # Several searches, each a minute on a quick machine: the first visitor's must outlast the second's arrival.
        for title in (STARS, SHAPES, "Arrow", "Square"):
            compare.sample(title)
        compare.budget(ENDLESS)
        compare.start()
        if compare is first:
            first.in_state("DE-CAM", STARS, "running")
    expect(second.status("Waiting")).to_be_visible()
    expect(second.main.get_by_text("1 run ahead of yours")).to_be_visible()
    first.stop.click()
    expect(second.status("Running")).to_be_visible(timeout=60_000)
    second.stop.click()
    expect(second.status("Stopped")).to_be_visible(timeout=STOP_MS)


def test_runs_outlive_a_restart_and_a_killed_server(
    page: Page, context: BrowserContext, start_server: Callable[..., Server], watch: Watch
) -> None:
    watch.server_goes = True
    server = start_server(CUDA_VISIBLE_DEVICES="")
    compare = Compare(page)
    compare.open(server.url)
    compare.sample(STARS)
    compare.budget(200)
    done = compare.start()
    compare.finished()
    label = compare.cell("DE-CAM", STARS).get_attribute("aria-label") or ""
    compare.open(server.url)  # another picture: of this one Grad-CAM's map is here already
    compare.sample(SHAPES)
    compare.budget(KILLED)
    killed = compare.start()
    compare.in_state("Grad-CAM", SHAPES, "measuring")
    compare.in_state("DE-CAM", SHAPES, "running")
    server.kill()
    page.close()

    again = start_server(server.data)
    compare = Compare(context.new_page())
    compare.open(again.url, done)
    compare.finished()
    expect(compare.cell("DE-CAM", STARS)).to_have_attribute("aria-label", label)
    compare.open(again.url, killed)
    expect(compare.status("Interrupted")).to_be_visible()
    compare.in_state("Grad-CAM", SHAPES, "stopped")
    compare.has_map("Grad-CAM", SHAPES, KEPT)
    compare.main.get_by_role("button", name="Continue").click()
    compare.finished()
    expect(compare.cell("DE-CAM", SHAPES)).to_have_attribute("data-state", "done")
    assert again.stop() == 0, "Ctrl-C ends the server in good order"


def test_a_link_to_no_run_says_so_and_leads_on(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url, "no-such-run")
    expect(compare.alert(re.compile("run"))).to_be_visible()
    page.get_by_role("button", name="Start a new comparison").click()
    expect(compare.alert(re.compile("run"))).to_have_count(0)
