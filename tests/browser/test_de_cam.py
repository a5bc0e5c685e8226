"""The DE-CAM page in a browser: a search is run, played, slid through and opened again; a population moves."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.compare import LONG_MS, RUN_MS, STARS, Compare
from tests.tools.server import Server


def pixels(canvas: Locator) -> str:
    """What a canvas shows, as a data address."""
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def test_a_search_is_run_played_slid_through_and_opened_by_its_link(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open_search(common_server.url)
    compare.sample(STARS)
    run = compare.start()
    expect(compare.status("Finished")).to_be_visible(timeout=RUN_MS)

    where = page.locator("output.where")
    slider = page.get_by_role("slider", name="Generation")
    individuals = page.get_by_role("group", name="Individuals").get_by_role("button")
    expect(where).to_have_text(re.compile(r"^Generation (\d+) of \1 · 1,000 evaluations$"))
    expect(individuals).to_have_count(16)
    asked = page.get_by_role("region", name="What the fittest was judged by")
    expect(asked.locator("canvas").last).to_have_attribute("width", "128")  # the picture has come
    last = [pixels(canvas) for canvas in individuals.locator("canvas").all()]
    assert len(set(last)) > 8, "every individual shows its own mask"

    slider.fill("0")
    expect(where).to_have_text(re.compile("^Generation 1 of"))
    expect(page.get_by_text("A first generation has no trials")).to_be_visible()
    assert [pixels(canvas) for canvas in individuals.locator("canvas").all()] != last
    page.get_by_role("combobox", name="Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    expect(where).to_have_text(re.compile(r"^Generation (\d+) of \1 "))
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert [pixels(canvas) for canvas in individuals.locator("canvas").all()] == last

    individuals.nth(3).click()
    expect(page.get_by_role("heading", name="Trial vector of individual 4")).to_be_visible()
    mutation = page.get_by_role("group", name="Mutation")
    expect(mutation.locator("canvas")).to_have_count(4)
    expect(page.get_by_role("group", name="Crossover and selection")).to_contain_text(re.compile("Kept|Not kept"))
    expect(asked.locator("canvas")).to_have_count(2)
    assert len({pixels(canvas) for canvas in asked.locator("canvas").all()}) == 2

    page.reload()
    expect(where).to_have_text(re.compile(r"^Generation (\d+) of \1 · 1,000 evaluations$"), timeout=LONG_MS)
    assert compare.run == run
    page.get_by_role("link", name="Compare").click()
    compare.in_state("DE-CAM", STARS, "done")
    assert compare.run == run
    assert not compare.overflow()


def test_rivals_stand_beside_a_search_regions_are_outlined_and_maps_on_the_way_are_drawn(
    page: Page, common_server: Server
) -> None:
    compare = Compare(page)
    compare.open_search(common_server.url)
    compare.sample(STARS)
    run = compare.start()
    expect(compare.status("Finished")).to_be_visible(timeout=RUN_MS)

    individuals = page.get_by_role("group", name="Individuals").get_by_role("button")
    asked = page.get_by_role("region", name="What the fittest was judged by")
    expect(asked.locator("canvas").last).to_have_attribute("width", "128")  # the picture has come
    share = page.get_by_role("slider", name="Share kept")
    expect(share).to_be_hidden()
    page.get_by_role("radio", name="Regions").check(force=True)
    expect(individuals.first).to_have_accessible_name(re.compile(r"\d+ regions? of the image kept"))
    quarter = pixels(individuals.first.locator("canvas"))
    share.fill("75")
    expect(page.get_by_text("75 %", exact=True)).to_be_visible()
    assert pixels(individuals.first.locator("canvas")) != quarter
    page.get_by_role("radio", name="Cells").check(force=True)
    expect(share).to_be_hidden()
    expect(individuals.first.locator("canvas")).to_have_attribute("width", "10")
    expect(page.get_by_role("region", name="Curves")).to_contain_text("too short to stop early")

    page.get_by_role("button", name="Compare", exact=True).click()
    for title in ("DE-CAM", "Greedy regions", "RISE", "CMA-ES"):
        compare.in_state(title, STARS, "done")
    page.get_by_role("button", name="Measure maps on the way").click()
    expect(page.get_by_text(re.compile(r"^Measuring these \d+ maps took [\d,]+ evaluations"))).to_be_visible(
        timeout=RUN_MS
    )
    chart = page.get_by_test_id("stPlotlyChart")
    expect(chart.locator(".legendtext")).to_have_text(["DE-CAM", "Greedy regions", "RISE", "CMA-ES"])
    expect(chart).to_contain_text("Insertion − deletion")
    page.get_by_role("radio", name="Deletion", exact=True).click()
    expect(page.get_by_text("Lower is better: without the pixels")).to_be_visible(timeout=LONG_MS)
    assert compare.run == run
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()
        expect(chart).to_be_visible(timeout=LONG_MS)
        over = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")
        assert over <= 0, "nothing is wider than the window"


def test_how_sure_a_map_is_stands_beside_it_on_wide_and_narrow_screens(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open_search(common_server.url)
    compare.sample(STARS)
    box = page.get_by_role("spinbutton", name="Settled")
    box.fill("0.9")
    box.press("Enter")
    expect(
        page.get_by_text(re.compile("^1 map · at most 1,000 evaluations|^1 of 1 map is here already"))
    ).to_be_visible(timeout=LONG_MS)
    compare.start()
    expect(compare.status("Finished")).to_be_visible(timeout=RUN_MS)

    certain = page.get_by_role("region", name="How sure the map is")
    expect(certain).to_contain_text(re.compile("The map had (not )?settled after|whether its map had settled"))
    expect(certain).to_contain_text(re.compile(r"known to ±\d+\.\d % of all places"))
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()  # a sidebar that was open when the window shrank would cover the page
        expect(certain).to_be_visible(timeout=LONG_MS)
        drawn, errors = certain.get_by_role("img").all()
        expect(drawn).to_have_js_property("complete", True)
        expect(errors).to_have_js_property("complete", True)
        sizes = [image.bounding_box() for image in (drawn, errors)]
        assert all(sizes) and sizes[0]["y"] == sizes[1]["y"] and abs(sizes[0]["width"] - sizes[1]["width"]) < 1
        over = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")
        assert over <= 0, "nothing is wider than the window"


def test_a_population_moves_over_a_landscape(page: Page, common_server: Server) -> None:
    page.goto(f"{common_server.url}de_cam")
    page.get_by_role("tab", name="Landscapes").click()
    where = page.locator("output.where")
    expect(where).to_have_text(re.compile("^Generation 1 of 50 · 20 evaluations"), timeout=LONG_MS)
    relief = page.get_by_role("img", name="Population over the landscape")
    first = pixels(relief)
    page.get_by_role("slider", name="Generation").fill("10")
    expect(where).to_have_text(re.compile("^Generation 11 of 50"))
    assert pixels(relief) != first
    page.get_by_role("button", name="Play").click()
    expect(where).not_to_have_text(re.compile("^Generation 11 of 50"))
    page.get_by_role("button", name="Pause").click()

    page.get_by_role("spinbutton", name="Generations").fill("30")
    page.get_by_role("spinbutton", name="Generations").press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]walk-generations=30"))
    again = page.context.new_page()
    again.goto(page.url)
    expect(again.locator("output.where")).to_have_text(re.compile("^Generation 1 of 30 · 20 "), timeout=LONG_MS)
