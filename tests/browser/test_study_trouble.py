"""Mistyped codes, lost replies, proxies that refuse, two tabs and late pictures: nothing of a participant is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from decam.studies.design import Entrance, Item
from decam.studies.responses import Lane, Participant, StudyRecord, StudyStore
from tests.browser.study_taking import TRIALS, Taking, all_there, begun, made
from tests.studies.studies import block, study
from tests.tools.server import Server
from tests.web.studies.participants import short

pytestmark = pytest.mark.browser
UNSENT = "Object.keys(localStorage).filter(key => key.includes('answer/')).length"
CODE = "JSON.parse(Object.entries(localStorage).find(([key]) => key.endsWith('/code'))?.[1] ?? 'null')"


@pytest.fixture
def unwatched(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor whose console may have errors: refusals and lost requests are some."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    yield context
    context.close()


def people(store: StudyStore, record: StudyRecord) -> list[Participant]:
    return store.participants(record.id, Lane.REHEARSAL)


def test_a_mistyped_code_is_told_beside_its_field_and_changes_nothing(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    store, record, taking = begun(common_server, page, 2)
    code = page.evaluate(CODE)
    page.route("**/answers", lambda route: route.abort())
    taking.answer(taking.steps[2])
    page.get_by_role("button", name="My participation").click()
    page.get_by_text("I have a code already").click()
    page.get_by_role("textbox", name="Your code").fill("aaaa-bbbb-cccc-dddd")
    page.get_by_role("button", name="Go on with this code").click()
    expect(page.get_by_text("Nobody in this study has this code.")).to_be_visible()
    assert (page.evaluate(CODE), page.evaluate(UNSENT)) == (code, 1)
    page.get_by_role("button", name="Close").click()
    page.unroute("**/answers")
    taking.take(taking.steps[3:])
    taking.finished()
    assert [who.code for who in people(store, record)] == [code]
    all_there(store, record, taking)


def test_an_address_with_a_wrong_code_leaves_somebody_who_has_begun(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    store, record, taking = begun(common_server, page, 2)
    page.goto("about:blank")
    taking.open(common_server, "#code=aaaa-bbbb-cccc-dddd")
    taking.at(taking.steps[2])
    expect(page.get_by_text("Welcome back.")).to_be_visible()
    assert len(people(store, record)) == 1
    store.close()


def test_a_wrong_code_in_the_address_is_told_until_somebody_begins_anew(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    store, record = made(common_server, TRIALS)
    taking = Taking(page, record)
    taking.open(common_server, "#code=aaaa-bbbb-cccc-dddd")
    for _ in range(2):
        expect(page.get_by_text("This code belongs to nobody in this study.")).to_be_visible()
        page.reload()
    assert people(store, record) == []
    page.get_by_role("button", name="Begin anew").click()
    taking.at(taking.steps[0])
    assert len(people(store, record)) == 1
    store.close()


def test_a_code_from_the_address_is_still_there_after_a_reload_before_the_server_was_reached(
    common_server: Server, unwatched: BrowserContext, chromium_context: Callable[[], BrowserContext]
) -> None:
    store, record, elsewhere = begun(common_server, chromium_context().new_page(), 2)
    page = unwatched.new_page()
    page.route("**/enter", lambda route: route.abort())
    here = Taking(page, record)
    here.open(common_server, f"#code={elsewhere.page.evaluate(CODE)}")
    expect(page.get_by_text("No connection to the study.")).to_be_visible()
    page.reload()
    page.unroute("**/enter")
    here.at(here.steps[2])
    assert len(people(store, record)) == 1
    store.close()


def test_whose_coming_in_was_never_answered_is_one_participant(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    store, record = made(common_server, dataclasses.replace(TRIALS, entrance=Entrance(most=1)))
    lost: list[str] = []

    def lose(route: Route) -> None:
        """The server hears of it, and its answer gets lost: once."""
        if lost:
            route.continue_()
            return
        lost.append(str(route.fetch().status))
        route.abort()

    page.route("**/enter", lose)
    taking = Taking(page, record)
    taking.open(common_server)
    taking.take(taking.steps[:1])
    taking.at(taking.steps[1])
    assert lost == ["200"]
    assert [who.sequence for who in people(store, record)] == [0]
    store.close()


def test_a_proxy_that_refuses_in_json_is_no_refusal_of_the_study(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    store, record, taking = begun(common_server, page, 2)
    page.route("**/answers", lambda route: route.fulfill(status=403, json={"error": "Forbidden by the gateway"}))
    taking.take(taking.steps[2:4])
    expect(page.get_by_text("No connection.")).to_be_visible()
    assert page.evaluate(UNSENT) == 2
    page.unroute("**/answers")
    taking.take(taking.steps[4:])
    taking.finished()
    all_there(store, record, taking)


def test_a_screen_whose_pictures_come_late_stays_away_after_everything_was_deleted(
    common_server: Server, page: Page
) -> None:
    store, record, taking = begun(common_server, page, 1)
    page.evaluate("""() => {
        const decode = HTMLImageElement.prototype.decode;
        window.let = new Promise((done) => (window.go = done));
        HTMLImageElement.prototype.decode = async function () { await window.let; return decode.call(this); };
    }""")
    taking.answer(taking.steps[1])
    expect(page.get_by_text("One moment …")).to_be_visible()
    page.get_by_role("button", name="My participation").click()
    page.get_by_role("button", name="Delete everything of mine").click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    page.evaluate("() => { window.go(); return new Promise((done) => setTimeout(done, 300)); }")
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    assert page.locator("form").count() == 0
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('decam-study/'))") == []
    assert people(store, record) == []
    store.close()


@pytest.mark.parametrize(
    ("typed", "then", "kept"), [("1,000", "1000", 1000), ("2.718", "", 2.718), ("1.000", "１０００", 1000)]
)
def test_a_number_that_may_have_thousands_is_asked_about_once(
    common_server: Server, page: Page, typed: str, then: str, kept: float
) -> None:
    asked = block("demographics", [Item("Income", "number")])
    store, record = made(common_server, study(asked, block("trials", task="rating"), count=1))
    taking = Taking(page, record)
    taking.open(common_server)
    place = next(number for number, step in enumerate(taking.steps) if step.kind == "demographics")
    taking.take(taking.steps[:place])
    form = taking.at(taking.steps[place])
    field = form.get_by_role("textbox")
    field.fill(typed)
    form.locator(".next").click()
    expect(form.locator(".notice")).to_contain_text(f"This is read as {float(typed.replace(',', '.')):g}.")
    if then:  # also as a Japanese keyboard writes it
        field.fill(then)
    form.locator(".next").click()
    taking.at(taking.steps[place + 1])
    page.wait_for_load_state("networkidle")
    assert list(store.answers(record.id, Lane.REHEARSAL)[place].values.values()) == [kept]
    store.close()


@pytest.mark.parametrize("granted", [True, False])
def test_it_is_told_whether_a_screen_was_seen_in_full(common_server: Server, page: Page, granted: bool) -> None:
    store, record = made(common_server, dataclasses.replace(short(), entrance=Entrance(full_screen=True)))
    if not granted:
        page.add_init_script("Element.prototype.requestFullscreen = () => Promise.reject(new TypeError('refused'))")
    taking = Taking(page, record)
    taking.open(common_server)
    page.get_by_role("button", name="Go to full screen and begin").click()
    taking.take(taking.steps)
    taking.finished()
    told = [[event["kind"] for event in one.events] for one in store.answers(record.id, Lane.REHEARSAL)]
    assert ["full-screen" in kinds for kinds in told] == [granted] * len(told)
    store.close()


def test_two_tabs_of_one_study_both_hear_of_answers_that_the_other_has_sent(
    common_server: Server, unwatched: BrowserContext
) -> None:
    page = unwatched.new_page()
    asked = [Item("Bright means?", options=("unimportant", "important"), correct=1)]
    store, record = made(
        common_server, study(block("instructions"), block("comprehension", asked), block("trials", task="rating"))
    )
    taking = Taking(page, record)
    taking.open(common_server)
    place = next(number for number, step in enumerate(taking.steps) if step.feedback)
    taking.take(taking.steps[: place - 1])
    taking.at(taking.steps[place - 1])
    page.wait_for_load_state("networkidle")
    page.route("**/answers", lambda route: route.abort())
    taking.answer(taking.steps[place - 1])
    form = taking.at(taking.steps[place])
    taking.fill(taking.steps[place], form)
    form.locator(".next").click()  # waits behind the other answer
    page.wait_for_function(f"{UNSENT} === 2")
    other = unwatched.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Welcome back.")).to_be_visible()
    assert page.evaluate(UNSENT) == 0, "the other tab has sent it"
    page.unroute("**/answers")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(form.locator(".verdict").first).to_be_visible()
    assert len(store.answers(record.id, Lane.REHEARSAL)) == place + 1
    other.close()
    store.close()


def test_what_one_person_has_begun_to_answer_is_not_shown_to_another_at_the_same_computer(
    common_server: Server, page: Page, chromium_context: Callable[[], BrowserContext]
) -> None:
    asked = [Item("How old?", "number")]
    store, record = made(common_server, study(block("demographics", asked), block("trials", task="rating"), count=1))
    elsewhere = Taking(chromium_context().new_page(), record)
    elsewhere.open(common_server)
    place = next(number for number, step in enumerate(elsewhere.steps) if step.kind == "demographics")
    elsewhere.take(elsewhere.steps[:place])
    elsewhere.at(elsewhere.steps[place])
    code = elsewhere.page.evaluate(CODE)
    here = Taking(page, record, sequence=1)
    here.open(common_server)
    here.take(here.steps[:place])
    here.at(here.steps[place]).get_by_role("textbox").fill("41")
    page.reload()
    expect(here.at(here.steps[place]).get_by_role("textbox")).to_have_value("41")
    page.goto("about:blank")
    here.open(common_server, f"#code={code}")
    expect(here.at(here.steps[place]).get_by_role("textbox")).to_have_value("")
    assert page.evaluate(CODE) == code
    store.close()
