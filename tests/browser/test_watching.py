"""A run is watched without reruns of the page, and where nothing can be streamed it is watched all the same."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.compare import LONG_MS, STARS, Compare
from tests.browser.conftest import Watch
from tests.tools.server import Server

LONG, CHECKED, SHORT = 20_000, 12_000, 3_000
LIVE = re.compile(r"/live/")


class Talk:
    """Messages that a page sends to the framework: each asks for a rerun of the page or of a part of it."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("websocket", lambda socket: socket.on("framesent", self._sent))

    def _sent(self, _: object) -> None:
        self.count += 1


def begin(page: Page, server: Server, budget: int) -> Compare:
    compare = Compare(page)
    compare.open(server.url)
    compare.sample(STARS)
    compare.new_budget(budget)
    compare.start()
    compare.in_state("DE-CAM", STARS, "running")
    return compare


def goes_on(compare: Compare) -> None:
    """Wait until the bar above the grid has moved twice while the search goes on."""
    bar = compare.main.get_by_role("progressbar", name="Progress").first
    for _ in range(2):
        expect(bar).not_to_have_attribute("aria-valuenow", bar.get_attribute("aria-valuenow") or "")
    expect(compare.cell("DE-CAM", STARS)).to_have_attribute("data-state", "running")


def test_a_run_is_watched_to_its_end_with_no_rerun_in_between_and_is_then_what_a_reload_shows(
    page: Page, common_server: Server
) -> None:
    talk = Talk(page)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if LIVE.search(request.url) else None)
    compare = begin(page, common_server, LONG)
    page.wait_for_timeout(1500)  # what pressing the button still had to ask for
    asked = talk.count
    goes_on(compare)
    assert talk.count == asked, "nothing is drawn again while the search goes on"
    compare.finished()
    assert talk.count - asked <= 3, "the end of the search and the end of the run, each at most once, and no more"
    assert len(streams) == 1, "all parts of the page share one connection"
    page.wait_for_timeout(1000)
    watched, label = compare.drawn(), compare.cell("DE-CAM", STARS).get_attribute("aria-label")

    page.reload()
    compare.finished()
    expect(compare.cell("DE-CAM", STARS)).to_have_attribute("aria-label", label or "")
    compare.has_map("DE-CAM", STARS, "eval.")
    page.wait_for_timeout(1000)
    assert compare.drawn() == watched


def test_curves_of_a_search_grow_while_it_runs(page: Page, common_server: Server) -> None:
    compare = begin(page, common_server, LONG)
    chart = compare.main.get_by_role("img", name=re.compile("Best fitness .* evaluations"))
    expect(chart).to_be_visible()
    early = chart.get_attribute("aria-label")
    expect(chart).not_to_have_attribute("aria-label", early or "")
    expect(compare.main.get_by_role("img", name="Best mask", exact=True)).to_be_visible()
    compare.stop.click()
    expect(compare.status("Stopped")).to_be_visible()


def test_tables_have_what_was_measured_since_they_were_opened(page: Page, common_server: Server) -> None:
    compare = begin(page, common_server, SHORT)
    panel = compare.tab("Export")
    expect(panel).to_be_visible()
    panel = compare.tab("Agreement")
    expect(panel.get_by_role("table")).to_be_visible()
    compare.finished()


def test_where_streams_are_forbidden_the_page_asks_in_turns(
    context: BrowserContext, common_server: Server, watch: Watch
) -> None:
    watch.server_goes = True  # a stream that is refused is an error in the console
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if "once=1" not in route.request.url:
            route.abort("connectionrefused")
            return
        asked.append(route.request.url)
        route.continue_()

    context.route(LIVE, refuse)
    page = context.new_page()
    talk = Talk(page)
    compare = begin(page, common_server, LONG)
    page.wait_for_timeout(1500)
    before = talk.count
    goes_on(compare)
    assert talk.count == before
    compare.finished()
    assert len(asked) > 2


def test_where_nothing_of_a_run_is_answered_the_framework_draws_it_again_and_again(
    context: BrowserContext, common_server: Server, watch: Watch
) -> None:
    context.route(LIVE, lambda route: route.fulfill(status=404, content_type="application/json", body="{}"))
    page = context.new_page()
    talk = Talk(page)
    compare = begin(page, common_server, LONG)
    before = talk.count
    compare.finished()
    assert talk.count - before > 3
    watch.errors = [error for error in watch.errors if "/live/" not in error]  # the refusals, told by the browser


def test_the_server_ends_in_good_order_while_somebody_watches(
    page: Page, start_server: Callable[..., Server], watch: Watch
) -> None:
    watch.server_goes = True
    server = start_server()
    begin(page, server, 40_000)  # more than a search may cost is refused, and numbers are added
    assert server.stop() == 0


def talkative(page: Page) -> tuple[Talk, list[str]]:
    """What a page says to the framework, and the streams that it opens, from now on."""
    talk, streams = Talk(page), list[str]()
    page.on("request", lambda request: streams.append(request.url) if LIVE.search(request.url) else None)
    return talk, streams


def test_a_check_follows_its_run_draws_maps_as_they_come_and_asks_for_what_is_compared_now_and_then(
    page: Page, common_server: Server
) -> None:
    talk, streams = talkative(page)
    page.goto(f"{common_server.url}sanity")
    sidebar = page.get_by_role("region", name="Sidebar")
    sidebar.get_by_role("button", name="Star", exact=True).click()
    sidebar.get_by_text("Random labels", exact=True).click()
    budget = sidebar.get_by_role("spinbutton", name="Budget of a search")
    budget.fill(str(CHECKED))
    budget.press("Enter")
    page.get_by_role("button", name="Randomise", exact=True).click()
    table = page.get_by_role("region", name="Maps of all methods at each stage")
    growing = table.locator("canvas[aria-label='DE-CAM, original']")
    expect(growing).to_be_visible()
    asked, began = talk.count, time.monotonic()
    drawn = growing.evaluate("canvas => canvas.toDataURL()")
    page.wait_for_function(
        """before => { const canvas = document.querySelector('canvas[aria-label="DE-CAM, original"]');
        return !canvas || canvas.toDataURL() !== before; }""",
        arg=drawn,
    )
    expect(page.get_by_role("strong").filter(has_text="Finished")).to_be_visible(timeout=LONG_MS)
    most = 3 + (time.monotonic() - began) / 4
    assert talk.count - asked <= most, "what is compared is asked for once in five seconds at most, and then the end"
    expect(page.get_by_role("button", name="similarities.csv")).to_be_visible()
    expect(table.get_by_role("img", name=re.compile("^DE-CAM"))).to_have_count(2)
    expect(table.locator("canvas")).to_have_count(0)
    assert len(streams) == 1


def test_the_methods_page_follows_its_runs_and_is_drawn_again_once_for_each(
    page: Page, start_server: Callable[..., Server], watch: Watch
) -> None:
    watch.server_goes = True  # it ends before the page does
    talk, streams = talkative(page)
    page.goto(f"{start_server().url}methods")
    expect(page.locator(".dc-method canvas").nth(3)).to_be_visible()
    asked, began = talk.count, time.monotonic()
    card = page.locator(".st-key-card-prototypes")
    expect(page.get_by_role("strong").filter(has_text="Finished")).to_be_visible(timeout=LONG_MS)
    expect(card.get_by_label("This looks like that").locator(".framed")).to_have_count(6)
    runs = len({url.split("?")[0] for url in streams})
    again = (time.monotonic() - began) / 5  # cards with evidence are drawn at most so often while theirs is awaited
    assert talk.count - asked <= 2 * runs + again, "each run's end, and the evidence of cards"
    assert len(streams) <= 2 * runs
    expect(page.locator(".dc-method canvas")).to_have_count(0)


def test_the_metrics_page_follows_its_map_and_all_open_cards_by_one_connection(
    page: Page, start_server: Callable[..., Server], watch: Watch
) -> None:
    watch.server_goes = True  # it ends before the page does
    talk, streams = talkative(page)
    page.goto(f"{start_server().url}metrics")
    expect(page.locator(".dc-value")).to_have_count(1)
    for name in ("infidelity", "max-sensitivity"):
        page.locator(f".st-key-metric-{name}").get_by_text("At work on this map").click()
    expect(page.locator(".dc-value")).to_have_count(3)
    page.wait_for_timeout(1500)
    asked = talk.count
    page.wait_for_timeout(2500)
    assert talk.count == asked, "nothing is drawn again when all is there"
    assert streams and all("once=1" not in url for url in streams)
