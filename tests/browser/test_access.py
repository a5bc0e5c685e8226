"""Every page for whoever hears it, uses it by keyboard, sees it faintly, or is made sick by what moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from decam.lessons import LESSONS
from decam.ui.compare.tabs import TABS
from decam.ui.nav import NAME, PAGES
from tests.browser.compare import LONG_MS, SHAPES, STARS, Compare
from tests.browser.conftest import Finished, Watch
from tests.browser.looks import faults, moving, ringless, small

EXCEPTED = {
    "presentation-role-conflict": (
        '[data-testid="stFileUploaderDropzone"]',
        "The framework names its place for files, to which it gives no role; no option takes the name away.",
    ),
    "region": (
        "#stFloatingOverlayPortal",
        "The framework puts tooltips beside the page's landmarks; the button that each describes is in one.",
    ),
    "scrollable-region-focusable": (
        '[data-testid="stCode"] pre',
        "The framework's code to copy scrolls; browsers let the keyboard into what scrolls without being asked.",
    ),
}
"""Rules of axe-core that the framework breaks: where alone they may be broken, and why that cannot be mended here."""
# The value above a slider stands on the page, but lies within its thumb, whose colour is taken for the ground.
ABOVE_A_SLIDER = r'^p "[\d.]+( %)?" has a contrast of 1\.00$'
# The framework's way out of a list or a dialog for those who hear it; nobody sees or points at it.
WAY_OUT = r'^button "Dismiss" measures'
SEEN_WRONGLY = re.compile(f"{ABOVE_A_SLIDER}|{WAY_OUT}")
LESSON = next(iter(LESSONS.values()))
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


def rests(page: Page) -> None:
    """Wait until a page has been drawn."""
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", level=1)).to_have_count(1, timeout=LONG_MS)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=LONG_MS)


def barriers(page: Page) -> list[str]:
    """What axe-core finds on a page, of any weight, without what is excepted."""
    found = []
    for broken in Axe().run(page).response["violations"]:
        place, _ = EXCEPTED.get(broken["id"], ("", ""))
        there = page.locator(place).evaluate_all("nodes => nodes.map((node) => node.outerHTML)") if place else []
        found += [
            f"{broken['id']} ({broken['impact']}): {node['html'][:160]}"
            for node in broken["nodes"]
            if not any(known.startswith(node["html"][:100]) for known in there)
        ]
    return found


RESTS = """() => document.getAnimations().every(
  (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity
)"""
"""True once nothing fades in or out any more; what turns until an answer comes is no matter."""


def wrong(page: Page) -> list[str]:
    """All that can be measured of a page, a sentence each."""
    page.wait_for_function(RESTS)
    return [*barriers(page), *small(page), *(fault for fault in faults(page) if not SEEN_WRONGLY.match(fault))]


def named(page: Page, *names: str) -> None:
    """See that the tab and the one heading of the first level say what is shown, once each."""
    expect(page.get_by_role("heading", level=1)).to_have_text(" · ".join(dict.fromkeys(names)))
    expect(page).to_have_title(" · ".join(dict.fromkeys([*names, NAME])))


@pytest.fixture
def visit(chromium: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open tabs in a theme, for somebody who may want nothing to move."""
    made = []

    def fresh(theme: Theme, *, still: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": 1440, "height": 900},
            color_scheme=theme,
            reduced_motion="reduce" if still else "no-preference",
        )
        context.set_default_timeout(LONG_MS)
        context.on("page", watch.attach)
        made.append(context)
        return context.new_page()

    yield fresh
    for context in made:
        context.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("address", [entry.address for entry in PAGES])
def test_a_page_has_no_barriers_and_says_what_it_is(
    address: str, theme: Theme, finished: Finished, visit: Callable[..., Page]
) -> None:
    page = visit(theme)
    page.goto(finished.url + address)
    rests(page)
    named(page, next(entry.title for entry in PAGES if entry.address == address))
    assert wrong(page) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("address", "title"),
    [("compare?run={run}", "Compare"), ("de_cam?run={run}", NAME), ("learn?lesson={lesson}&step=2", "Learn")],
)
def test_what_a_link_leads_to_is_named_and_has_no_barriers(
    address: str, title: str, theme: Theme, finished: Finished, visit: Callable[..., Page]
) -> None:
    page = visit(theme)
    page.goto(finished.url + address.format(run=finished.run, lesson=LESSON.name))
    rests(page)
    named(page, LESSON.title if title == "Learn" else f"{STARS} +1", title)
    assert wrong(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_pictures_windows_and_questions_have_no_barriers_either(
    theme: Theme, finished: Finished, visit: Callable[..., Page]
) -> None:
    page = visit(theme)
    compare = Compare(page)
    compare.open(finished.url)
    compare.sample(STARS)
    expect(compare.sidebar.get_by_role("button", name=f"{STARS}, chosen", exact=True)).to_be_visible()
    expect(compare.explain).to_be_enabled()
    compare.explain.hover()
    assert wrong(page) == [], "with an image, the button under the pointer"
    window = compare.pick()
    assert wrong(page) == [], "with the window of methods"
    window.get_by_role("button", name="Done").click()
    compare.sidebar.get_by_role("button", name=re.compile(rf"^Delete \w+ {STARS}")).first.click()
    expect(page.get_by_role("dialog")).to_contain_text("You can undo this for 10 minutes")
    assert wrong(page) == [], "with the question before something is deleted"
    page.keyboard.press("Escape")
    compare.open(finished.url, finished.run)
    compare.has_map("Grad-CAM", STARS, "eval")
    compare.cell("Grad-CAM", STARS).click()
    expect(page.get_by_role("dialog", name="Map enlarged")).to_be_visible()
    assert wrong(page) == [], "with a map enlarged"


@pytest.mark.parametrize("theme", THEMES)
def test_no_tab_below_the_maps_has_barriers(theme: Theme, finished: Finished, visit: Callable[..., Page]) -> None:
    page = visit(theme)
    compare = Compare(page)
    compare.open(finished.url, finished.run)
    found = {}
    expect(compare.main.get_by_role("tab", name="Convergence")).to_be_visible()
    for title, _, _ in TABS:
        if compare.main.get_by_role("tab", name=title).count():
            compare.tab(title)
            rests(page)
            found[title] = wrong(page)
    assert len(found) >= 7
    assert not any(found.values()), found


@pytest.mark.parametrize("address", [*(entry.address for entry in PAGES), "compare?run={run}"])
def test_the_keyboard_is_always_seen(address: str, finished: Finished, visit: Callable[..., Page]) -> None:
    page = visit("light", still=True)
    page.goto(finished.url + address.format(run=finished.run))
    rests(page)
    assert ringless(page) == []
    assert moving(page) == [], "nothing moves for whoever asked for that"


def test_the_measures_find_what_is_wrong(page: Page) -> None:
    page.set_content(
        """<title>T</title><main><style>button { outline: none; border: 0; } .seen:focus { outline: 2px solid; }
        .slow { transition: color 1s; } .fine { font-size: 12.9px; }</style>
        <button class="seen">Seen</button><button>Unseen</button><b class="slow">Slow</b>
        <i class="fine">Fine</i></main>"""
    )
    assert ringless(page) == ['button "Unseen"']
    assert moving(page) == ["b.slow moves for 1 s"]
    assert small(page) == ['i "Fine" is 12.9 pixels high']
    assert any(found.startswith("html-has-lang (serious)") for found in barriers(page))


def test_the_first_stop_of_the_keyboard_leads_past_the_sidebar(finished: Finished, visit: Callable[..., Page]) -> None:
    page = visit("light")
    page.goto(finished.url)
    rests(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMain")).to_be_focused()


def test_a_run_is_named_when_it_begins_and_what_becomes_of_it_is_read_out(
    finished: Finished, visit: Callable[..., Page]
) -> None:
    page = visit("light")
    compare = Compare(page)
    compare.open(finished.url)
    compare.sample(SHAPES)
    page.evaluate(
        """() => {
        window.said = [];
        new MutationObserver(() => {
          const region = document.querySelector("#decam-said[role=status]");
          if (region?.textContent && said.at(-1) !== region.textContent) said.push(region.textContent);
        }).observe(document.body, { childList: true, characterData: true, subtree: true });
        }"""
    )
    compare.start()
    named(page, SHAPES, "Compare")
    compare.finished()
    said = page.evaluate("said")
    assert any(line.startswith("Running") for line in said[:-1]) and said[-1] == "Finished", said
