"""The page of a study: coming in and going out, what is refused, phones, writing from right to left, the preview."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from starlette.applications import Starlette

from decam import web
from decam.studies import previews
from decam.studies.design import Entrance
from decam.studies.responses import Lane
from decam.studies.road import road, wording_of
from decam.studies.steps import Outcome
from tests.browser.study_taking import Taking, everything, made, without_times
from tests.studies.studies import block, study
from tests.tools.ports import free_port
from tests.tools.server import Server
from tests.web.studies.painted import paint
from tests.web.studies.participants import short

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_who_completes_is_led_on_only_when_everything_is_stored(common_server: Server, page: Page) -> None:
    entrance = Entrance(completed="http://127.0.0.1:9/done?cc=C1")
    store, record = made(common_server, dataclasses.replace(short(), entrance=entrance))
    stored: list[int] = []

    def arrive(route: Route) -> None:
        stored.append(len(store.answers(record.id, Lane.REHEARSAL)))
        route.fulfill(body="arrived", content_type="text/plain")

    page.route("**/done?cc=C1", arrive)
    taking = Taking(page, record)
    taking.open(common_server, "?PROLIFIC_PID=p")
    taking.take(taking.steps)
    page.wait_for_url("**/done?cc=C1")
    assert stored == [len(taking.steps)]
    store.close()


def test_who_does_not_consent_leaves_nothing_behind(common_server: Server, page: Page) -> None:
    store, record = made(common_server, dataclasses.replace(short(), entrance=Entrance(no_consent="NOT-ME")))
    taking = Taking(page, record)
    taking.open(common_server, "?PROLIFIC_PID=p")
    taking.at(taking.steps[0])
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You do not take part")).to_be_visible()
    expect(page.get_by_text("NOT-ME")).to_be_visible()
    assert store.answers(record.id, Lane.REHEARSAL) == []
    (who,) = store.participants(record.id, Lane.REHEARSAL)
    assert (who.outcome, who.identity, dict(who.device)) == (Outcome.NO_CONSENT, "", {})
    store.close()


def test_a_personal_code_goes_on_elsewhere_and_deletes_everything(
    common_server: Server, chromium_context: Callable[[], BrowserContext]
) -> None:
    store, record = made(common_server, short())
    here = Taking(chromium_context().new_page(), record)
    here.open(common_server)
    here.take(here.steps[:2])
    here.at(here.steps[2])
    here.page.get_by_role("button", name="My participation").click()
    code = here.page.get_by_role("textbox", name="Your personal code:").input_value()
    there = Taking(chromium_context().new_page(), record, sequence=1)
    there.open(common_server)
    there.at(there.steps[0])
    there.page.get_by_role("button", name="My participation").click()
    there.page.get_by_text("I have a code already").click()
    there.page.get_by_role("textbox", name="Your code").fill(code.upper().replace("-", " "))
    there.page.get_by_role("button", name="Go on with this code").click()
    expect(there.page.get_by_text("Welcome back.")).to_be_visible()
    there.at(here.steps[2])
    there.page.get_by_role("button", name="My participation").click()
    there.page.get_by_role("button", name="Delete everything of mine").click()
    assert len(store.answers(record.id, Lane.REHEARSAL)) == 2, "it asks once more"
    there.page.get_by_role("button", name="Yes, delete").click()
    expect(there.page.get_by_role("heading", name="Deleted")).to_be_visible()
    assert store.answers(record.id, Lane.REHEARSAL) == []
    assert [who.code for who in store.participants(record.id, Lane.REHEARSAL)] != [code]
    store.close()


def test_a_refusal_is_told_in_the_language_of_the_study(common_server: Server, chromium: Browser) -> None:
    entrance = Entrance(identity_needed=True)
    store, record = made(common_server, dataclasses.replace(short(), language="de", entrance=entrance))
    context = chromium.new_context()  # a refusal is an error on the console
    page = context.new_page()
    page.goto(f"{common_server.url}study/{record.link}")
    expect(page.get_by_role("heading", name="Sie können jetzt nicht teilnehmen")).to_be_visible()
    expect(page.get_by_text("In der Adresse fehlt der Teil, der sagt, wer Sie sind.")).to_be_visible()
    page.goto(f"{common_server.url}study/nothing")
    expect(page.get_by_text("There is no study at this link.")).to_be_visible()
    context.close()
    store.close()


def test_unanswered_questions_are_named_and_hold_the_page(common_server: Server, page: Page) -> None:
    store, record = made(common_server, everything())
    taking = Taking(page, record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    form = taking.at(taking.steps[1])
    form.get_by_role("button", name="Continue").click()
    expect(form.get_by_role("alert")).to_have_text("Please answer the marked questions before you go on.")
    expect(form.get_by_text("Please answer this question.").first).to_be_visible()
    expect(form.get_by_text("Not answered yet: move the slider.")).to_be_visible()
    expect(form.get_by_role("textbox", name="Age")).to_be_focused()
    assert len(store.answers(record.id, Lane.REHEARSAL)) == 1
    store.close()


@pytest.mark.parametrize("width", [390, 320])
def test_two_maps_stand_beside_each_other_on_a_phone(common_server: Server, chromium: Browser, width: int) -> None:
    made_study = study(block("trials", task="forced-choice"), count=1)
    store, record = made(common_server, dataclasses.replace(made_study, direction="rtl"))
    context = chromium.new_context(**{**PHONE, "viewport": {"width": width, "height": 700}})  # type: ignore[arg-type]
    taking = Taking(context.new_page(), record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    form = taking.at(taking.steps[1])
    options = form.locator(".option.pictured")
    left, right = (options.nth(place).bounding_box() for place in range(2))
    assert left is not None and right is not None
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert min(left["width"], right["width"]) >= (160 if width > 330 else 145)
    assert taking.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(options.first).to_contain_text("Left")
    context.close()
    store.close()


def test_points_are_set_by_touch_in_the_pictures_own_pixels(common_server: Server, chromium: Browser) -> None:
    store, record = made(common_server, study(block("trials", task="clicks", task_least=1), count=1))
    context = chromium.new_context(**PHONE)  # type: ignore[arg-type]
    taking = Taking(context.new_page(), record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    form = taking.at(taking.steps[1])
    image = form.locator("img")
    box = image.bounding_box()
    assert box is not None
    taking.page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(form.get_by_text("1 marked, 10 at most")).to_be_visible()
    form.get_by_role("button", name="Finish").tap()
    taking.finished()
    ((place,),) = [answer.values.values() for answer in store.answers(record.id, Lane.REHEARSAL)[1:]]
    assert place[0]["x"] == pytest.approx(224 / 4, abs=1) and place[0]["y"] == pytest.approx(160 / 2, abs=1)
    assert 0 < place[0]["ms"] < 60_000
    context.close()
    store.close()


def test_boxes_are_drawn_and_items_dragged_with_the_mouse(common_server: Server, page: Page) -> None:
    blocks = (block("trials", task="clicks", task_shape="boxes", task_least=1), block("trials", task="ranking"))
    store, record = made(common_server, study(*blocks, count=1))
    taking = Taking(page, record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    form = taking.at(taking.steps[1])
    box = form.locator("img").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4, steps=5)
    page.mouse.up()
    form.get_by_role("button", name="Continue").click()
    form = taking.at(taking.steps[2])
    items = form.locator(".item img")
    first, last = items.first.bounding_box(), items.last.bounding_box()
    assert first is not None and last is not None
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + last["height"] / 2)
    page.mouse.down()
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2, steps=8)
    page.mouse.up()
    form.get_by_role("button", name="Finish").click()
    taking.finished()
    _, drawn, ranked = (answer.values for answer in store.answers(record.id, Lane.REHEARSAL))
    (place,) = drawn["places"]
    assert [place[name] / size for name, size in (("x", 224), ("y", 160), ("width", 224), ("height", 160))] == (
        pytest.approx([0.25, 0.25, 0.5, 0.55], abs=0.02)
    )
    assert ranked["order"] == ["3", "1", "2"]
    store.close()


def test_time_away_from_a_trial_is_told(common_server: Server, page: Page) -> None:
    store, record = made(common_server, short())
    taking = Taking(page, record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    taking.at(taking.steps[1])
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(300)
    page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_function("innerWidth === 1000")
    taking.take(taking.steps[1:])
    taking.finished()
    told = store.answers(record.id, Lane.REHEARSAL)[1]
    kinds = [event["kind"] for event in told.events]
    assert kinds.index("blur") < kinds.index("focus") < kinds.index("resize")
    assert 300 <= told.blurred < told.duration
    (resized,) = [event for event in told.events if event["kind"] == "resize"]
    assert (resized["width"], resized["height"]) == (1000, 700)
    store.close()


def test_wrong_answers_are_told_and_the_right_one_after_the_last_try(common_server: Server, page: Page) -> None:
    store, record = made(common_server, everything())
    taking = Taking(page, record)
    taking.open(common_server)
    taking.take(taking.steps[:3])
    form = taking.at(taking.steps[3])
    taking.press("1", "Enter")
    expect(form.get_by_text("Not right.", exact=True)).to_be_visible()
    form.get_by_role("button", name="Try again").click()
    expect(form.get_by_role("radio").first).to_be_enabled()
    taking.press("1", "Enter")
    expect(form.get_by_text("Not right. The right answer is: important.")).to_be_visible()
    form.get_by_role("button", name="Continue").click()
    taking.at(taking.steps[4])
    tries = [(one.attempt, one.right) for one in store.answers(record.id, Lane.REHEARSAL)[-2:]]
    assert tries == [(1, False), (2, False)]
    store.close()


def test_a_browser_that_keeps_nothing_and_makes_no_ids_takes_part_all_the_same(
    common_server: Server, page: Page
) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
        "Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined });"
    )
    store, record = made(common_server, short())
    taking = Taking(page, record)
    taking.open(common_server)
    expect(page.get_by_text("This browser stores nothing.")).to_be_visible()
    taking.take(taking.steps)
    taking.finished()
    ids = {answer.id for answer in store.answers(record.id, Lane.REHEARSAL)}
    assert len(ids) == len(taking.steps) and all(len(one) == 36 and one[14] == "4" for one in ids)
    store.close()


def test_what_was_not_sent_yet_is_there_again_after_a_reload(common_server: Server, page: Page) -> None:
    store, record = made(common_server, everything())
    taking = Taking(page, record)
    taking.open(common_server)
    for place, step in enumerate(taking.steps):
        form = taking.at(step)
        if step.questions and place:
            taking.fill(step, form)
            page.reload()
            form = taking.at(step)
            page.locator(".mention").wait_for()
            taking.go_on(step, form)
        else:
            taking.answer(step)
    taking.finished()
    answers = {answer.step: answer for answer in store.answers(record.id, Lane.REHEARSAL)}
    for step in taking.steps:
        assert without_times(answers[step.id].values) == taking.given[step.id], step.id
    store.close()


def test_a_trial_begins_only_when_its_pictures_are_there(common_server: Server, chromium: Browser) -> None:
    store, record = made(common_server, study(block("trials", task="forced-choice"), count=1))
    context = chromium.new_context()  # a picture that is lost is an error on the console
    taking = Taking(context.new_page(), record)
    there = threading.Event()
    taking.page.route("**/images/*.png*", lambda route: route.continue_() if there.is_set() else route.abort())
    taking.open(common_server)
    taking.answer(taking.steps[0])
    expect(taking.page.get_by_text("An image could not be loaded.")).to_be_visible()
    assert taking.page.locator("form").count() == 0
    there.set()
    taking.answer(taking.steps[1])
    taking.finished()
    assert store.answers(record.id, Lane.REHEARSAL)[1].duration < 10_000
    context.close()
    store.close()


def test_leaving_the_full_screen_is_told(common_server: Server, page: Page) -> None:
    store, record = made(common_server, dataclasses.replace(short(), entrance=Entrance(full_screen=True)))
    taking = Taking(page, record)
    taking.open(common_server)
    page.get_by_role("button", name="Go to full screen and begin").click()
    taking.at(taking.steps[0])
    assert page.evaluate("Boolean(document.fullscreenElement)")
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function("!document.fullscreenElement")
    taking.take(taking.steps)
    taking.finished()
    kinds = [event["kind"] for event in store.answers(record.id, Lane.REHEARSAL)[0].events]
    assert "full-screen-exit" in kinds
    store.close()


def test_the_next_person_at_a_browser_can_begin(common_server: Server, page: Page) -> None:
    store, record = made(common_server, dataclasses.replace(short(), entrance=Entrance(completed="CODE-7")))
    taking = Taking(page, record)
    taking.open(common_server)
    taking.take(taking.steps)
    taking.finished()
    expect(page.get_by_text("CODE-7")).to_be_visible()
    page.reload()
    expect(page.get_by_text("CODE-7")).to_be_visible()
    page.get_by_role("button", name="Take part as another person").click()
    other = Taking(page, record, sequence=1)
    other.answer(other.steps[0])
    other.at(other.steps[1])
    assert len(store.participants(record.id, Lane.REHEARSAL)) == 2
    store.close()


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[str]:
    """The address of a server in this process that has the preview of a study."""
    what = everything()
    paint(what, tmp_path)
    token = previews.offer(road(what, 0), wording_of(what), tmp_path)
    port = free_port()
    app = Starlette(routes=web.routes("", "start"))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/study/preview/{token}"
    server.should_exit = True
    thread.join(30)


def test_a_preview_shows_each_screen_and_sends_nothing(preview: str, page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(preview)
    steps = road(everything(), 0)
    slider = page.get_by_role("slider", name="Screen", exact=True)
    for place, step in enumerate(steps):
        slider.fill(str(place + 1))
        expect(page.locator(f'form[data-step="{step.id}"]')).to_be_visible()
        assert page.evaluate("[...document.images].every((one) => one.alt && one.complete && one.naturalWidth)")
        assert page.evaluate(
            "[...document.querySelectorAll('fieldset')].every((one) => one.querySelector('legend').textContent)"
        )
    page.reload()
    expect(page.locator(f'form[data-step="{steps[-1].id}"]')).to_be_visible()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="The end of the preview")).to_be_visible()
    expect(page.get_by_text("are saved")).to_have_count(0)
    slider.fill("1")
    page.locator("form").get_by_text("I agree", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(f'form[data-step="{steps[1].id}"]')).to_be_visible()
    assert set(sent) == {"GET"}
