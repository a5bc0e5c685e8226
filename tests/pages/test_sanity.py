"""The Sanity page: what it shows of a check in every state, and how one comes back to it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from decam.classifier.certainty import decimal
from decam.errors import MethodError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import benchmark, comparison, randomisation
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.status import CellState, Status
from decam.experiments.variants import variants
from decam.export import randomisation as export
from decam.export import zip_bytes
from decam.images.samples import get
from decam.metrics.similarity import get as similarity
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.ui import state
from decam.ui import text as words
from decam.ui.randomisation import form
from decam.ui.shared.thumbnails import pixels
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
QUICK = ("grad-cam", "guided-backprop", "edges")


def visitor(link: str | None = None) -> Visitor:
    """A visitor who went on to the Sanity page, or came there by a link."""
    arrived = Visitor()
    if link is not None:
        arrived.app.query_params["sanity"] = link
    return arrived.go("sanity").look()


def chosen(*names: str) -> Visitor:
    """One who has chosen a sample and methods."""
    arrived = visitor().sample("scene-star")
    arrived.app.session_state["checked"] = names or QUICK
    return arrived.look()


def started(*names: str) -> Visitor:
    """One who has begun a check."""
    return chosen(*names).press("randomise")


def link(of: Visitor) -> str:
    """The check that the address names."""
    return str(of.app.query_params.get("sanity", ""))


def check(of: Visitor) -> RunSnapshot:
    """The check that the address names, as it is now."""
    return state.runs().snapshot(link(of))


def table(of: Visitor) -> str:
    """The table of maps as it is sent."""
    return next((text for text in of.app.html.values if 'class="dc-sanity"' in text), "")


def maps(of: Visitor) -> int:
    """How many maps are drawn."""
    return table(of).count("<img")


def captions(of: Visitor) -> list[str]:
    """What stands below the maps."""
    return re.findall(r"<figcaption.*?</figcaption>", table(of))


def listed(of: Visitor, run: str) -> str:
    """A run's line in the sidebar."""
    return str(next(button.label for button in of.app.sidebar.button if button.key == f"run-{run}"))


def plan(embedded, *names: str) -> Plan:
    """The plan of a check of one sample."""
    choices = [MethodChoice.default(name) for name in names]
    return randomisation.plan(embedded, PictureChoice("Star"), choices)


def kept(directory: Path, run: str, of: Plan) -> str:
    """A run that a server had begun when it was killed."""
    store = Store(directory)
    grid = Grid.empty(of, (pixels(get("scene-star").load()),))
    store.add(RunSnapshot(run, datetime.now(UTC), Status.QUEUED, grid))
    store.begin(run, of, ())
    store.close()
    return run


def test_before_a_picture_is_chosen_there_are_samples_and_no_button() -> None:
    arrived = visitor()
    assert not arrived.offers("randomise")
    assert arrived.has("button", "welcome-scene-star")


@pytest.mark.slow
def test_a_check_shows_every_map_with_its_similarity_and_a_sentence_a_method() -> None:
    arrived = started().finish()
    drawn, questions = table(arrived), len(check(arrived).plan.questions)
    assert arrived.status.startswith("Finished")
    assert f"{3 * questions} maps" in arrived.status
    assert maps(arrived) == len(captions(arrived)) == 3 * questions
    assert [re.sub("<.*", "", head) for head in re.findall(r'<th scope="row"[^>]*>(.*?)</th>', drawn)] == [
        "Grad-CAM",
        "Guided backpropagation",
        "Edge detector",
    ]
    assert re.findall(r'<em class="dc-(\w+)"', drawn)[-1] == "blind"
    assert len(re.findall(r"<p>[^<]+</p>", drawn)) == 3
    assert "never asks the model" in drawn
    assert len(arrived.app.get("plotly_chart")) == 4, "a chart a measure"
    assert any("**Star** :gray[· stage after stage]" in text for text in arrived.app.markdown.values)


@pytest.mark.slow
def test_a_column_says_what_is_random_and_what_the_model_answers_then(embedded) -> None:
    arrived = started("edges").finish()
    heads = re.findall(r'<th scope="col"[^>]*><b>(.*?)</b><span>(.*?)</span><i>(.*?)</i></th>', table(arrived))
    found = variants(embedded, "cascading")
    assert [name for name, _, _ in heads] == ["original", *(variant.stage for variant in found)]
    assert heads[0][1] == "as trained" and heads[-1][1] == "all random"
    for head, question in zip(heads, range(len(heads)), strict=True):
        explanation = check(arrived).cells[CellKey(question, 0)].explanation
        assert explanation is not None
        assert head[2] == f"star {decimal(explanation.probability)}"


@pytest.mark.slow
def test_the_table_shows_the_similarity_that_is_chosen() -> None:
    arrived = started("grad-cam", "edges").finish()
    original, randomised = (check(arrived).cells[CellKey(question, 0)].saliency for question in (0, 1))
    assert original is not None and randomised is not None
    for measure in ("spearman", "ssim"):
        arrived.app.session_state["sanity-measure"] = measure
        arrived.look()
        value = words.fixed(similarity(measure).between(original, randomised))
        assert f"{value}</figcaption>" in captions(arrived)[1]


@pytest.mark.slow
def test_a_finished_check_opens_by_its_link_after_a_restart_with_what_it_was_made_from(
    restart: Callable[[], None],
) -> None:
    arrived = chosen("grad-cam", "random")
    arrived.app.number_input(key="seed").set_value(5)
    arrived.app.radio(key="sanity-mode").set_value("independent")
    arrived.look().press("randomise").finish()
    there = link(arrived)
    restart()
    back = visitor(there)
    assert maps(back) == maps(arrived) > 0
    assert captions(back) == captions(arrived)
    assert back.app.number_input(key="seed").value == 5
    assert back.app.radio(key="sanity-mode").value == "independent"
    assert back.chosen == {"grad-cam", "random"}
    assert back.cards == ["Star"], "the check's image can be asked about again"
    assert back.offers("randomise")


@pytest.mark.slow
def test_a_check_can_be_stopped_keeps_what_it_has_and_goes_on_after_a_restart(restart: Callable[[], None]) -> None:
    arrived = chosen("grad-cam", "de-cam")
    arrived.app.number_input(key="sanity-budget").set_value(5_000)
    arrived.look().press("randomise").until(lambda: any(cell.explanation for cell in check(arrived).cells.values()))
    arrived.press("stop").finish()
    finished = [key for key, cell in check(arrived).cells.items() if cell.explanation is not None]
    assert arrived.status.startswith("Stopped")
    assert 0 < len(finished) < len(check(arrived).cells)
    assert maps(arrived) == len(finished)
    assert "stopped · " in listed(arrived, link(arrived))
    restart()
    back = visitor(link(arrived))
    assert maps(back) == len(finished)
    back.press("continue").until(lambda: sum(bool(cell.explanation) for cell in check(back).cells.values()) > 1)
    assert back.press("stop").finish().status.startswith("Stopped")


@pytest.mark.slow
def test_a_check_of_a_killed_server_is_continued_to_its_end(server: Path, embedded) -> None:
    back = visitor(kept(server, "killed", plan(embedded, "grad-cam", "edges")))
    assert back.status.startswith("Interrupted")
    assert back.press("continue").finish().status.startswith("Finished")
    assert maps(back) == len(check(back).cells)


@pytest.mark.slow
def test_a_map_in_the_making_is_drawn_with_how_far_it_has_come() -> None:
    arrived = chosen("de-cam")
    arrived.app.number_input(key="sanity-budget").set_value(20_000)
    arrived.look().press("randomise")
    arrived.until(lambda: 'title="DE-CAM, original. This map is being made."' in table(arrived))
    (caption,) = captions(arrived)
    assert re.fullmatch(r"<figcaption>\d+ %</figcaption>", caption)
    assert check(arrived).cells[CellKey(0, 0)].state is CellState.RUNNING
    arrived.press("stop").finish()
    assert maps(arrived) == 0 and "stopped" in table(arrived)


@pytest.mark.slow
def test_the_budget_of_this_page_is_its_own(server: Path) -> None:
    assert server
    arrived = chosen("de-cam")
    arrived.app.number_input(key="sanity-budget").set_value(300)
    arrived.look().press("randomise").press("stop").finish()
    (choice,) = check(arrived).plan.methods
    assert choice.settings.to_mapping()["budget"] == 300
    back = Visitor().methods("de-cam").sample("scene-star")
    back.app.number_input(key="setting:de-cam:budget").set_value(700)
    back.look().app.query_params["sanity"] = link(arrived)
    assert back.go("sanity").look().app.number_input(key="sanity-budget").value == 300
    back.app.query_params.clear()
    assert back.go("compare").look().app.number_input(key="setting:de-cam:budget").value == 700
    fresh = visitor(link(arrived)).go("compare").methods("de-cam")
    assert fresh.app.number_input(key="setting:de-cam:budget").value not in (300, 700)


@pytest.mark.parametrize("bad", ["nonsense", "../../etc/passwd", "a" * 500, "%00"])
def test_a_link_that_leads_nowhere_says_so_and_offers_a_way_on(bad: str) -> None:
    arrived = visitor(bad)
    assert arrived.says("There is no run")
    assert next(button.label for button in arrived.app.button if button.key == "leave-run") == "Start a new check"
    arrived.press("leave-run")
    assert arrived.alerts == [] and link(arrived) == ""


def test_a_link_to_a_run_that_no_page_shows_says_so_and_offers_a_way_on(server: Path) -> None:
    of = benchmark.plan(["embedded"], "cpu", [PictureChoice("Star")], [MethodChoice.default("random")])
    arrived = visitor(kept(server, "part", of))
    assert arrived.says("This link leads to a part of a benchmark, which no page shows.")
    arrived.press("leave-run")
    assert arrived.alerts == [] and link(arrived) == ""


def test_a_link_to_a_comparison_leads_on_to_its_page(server: Path) -> None:
    of = comparison.plan("embedded", "cpu", [PictureChoice("Star")], [MethodChoice.default("random")])
    arrived = visitor(kept(server, "other", of))
    assert arrived.says("This link leads to a comparison. The Compare page shows it.")
    assert table(arrived) == "" and arrived.status == ""
    arrived.press("open-on-its-page")
    assert arrived.run == "other" and link(arrived) == ""
    assert arrived.status.startswith("Interrupted") and arrived.cards == ["Star"]
    assert visitor_again(arrived).alerts == []


def visitor_again(arrived: Visitor) -> Visitor:
    """The same visitor, back on the Sanity page by its link in the sidebar."""
    arrived.app.query_params.clear()
    return arrived.go("sanity").look()


@pytest.mark.slow
def test_a_check_and_a_comparison_are_each_shown_on_their_own_page(server: Path, embedded) -> None:
    of = comparison.plan("embedded", "cpu", [PictureChoice("Star")], [MethodChoice.default("random")])
    compared, checked = kept(server, "compared", of), kept(server, "checked", plan(embedded, "edges"))
    arrived = Visitor(compared)
    assert arrived.recent == [compared]
    arrived.app.query_params.clear()
    arrived.app.query_params["sanity"] = checked
    arrived.go("sanity").look()
    assert arrived.recent == [checked] and table(arrived)
    arrived.app.query_params.clear()
    arrived.go("compare").look()
    assert arrived.run == compared and arrived.grid["rows"]
    assert visitor_again(arrived) and link(arrived) == checked


def test_random_labels_are_offered_where_there_is_a_model_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "label_shuffled_version", lambda _: None)
    assert visitor().app.radio(key="sanity-mode").options == ["Stage after stage", "One stage alone"]
    monkeypatch.setattr(form, "label_shuffled_version", lambda _: "shuffled")
    assert visitor().app.radio(key="sanity-mode").options[-1] == "Random labels"


def test_a_model_whose_weights_cannot_be_drawn_anew_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MethodError("The weights of embedded cannot be drawn anew: it is an export.")

    monkeypatch.setattr(form, "_variants", refuse)
    arrived = chosen()
    assert arrived.says("cannot be drawn anew")
    assert not arrived.offers("randomise")


@pytest.mark.slow
def test_earlier_checks_are_listed_opened_and_deleted() -> None:
    arrived = started("grad-cam").finish().look()
    first = link(arrived)
    assert "stage after stage" in listed(arrived, first)
    assert any(text == "**Earlier checks**" for text in arrived.app.sidebar.markdown.values)
    arrived.press("new")
    assert link(arrived) == "" and arrived.cards == []
    arrived.press(f"run-{first}")
    assert link(arrived) == first and maps(arrived) > 0 and arrived.cards == ["Star"]
    arrived.delete(first, "check")
    assert link(arrived) == "" and not arrived.has("button", f"run-{first}")
    assert visitor(first).says("There is no run")


@pytest.mark.slow
def test_the_downloads_hold_every_similarity_every_map_and_the_whole_run() -> None:
    arrived = started("grad-cam", "guided-backprop").finish()
    labels = {element.proto.label for element in arrived.app.get("download_button")}
    assert {"Download ZIP", "similarities.csv", "maps.npz"} <= labels
    grid = check(arrived).grid
    randomised = len(grid.plan.questions) - 1
    head, *rows = export.similarities_csv(grid).decode().splitlines()
    assert head == "method,stage,share,probability,measure,values,similarity"
    stages = [row for row in rows if row.split(",")[2] != ""]
    assert len(stages) == 2 * randomised * 4 * 2, "methods, stages, measures, absolute and signed"
    with np.load(io.BytesIO(export.maps_npz(grid))) as arrays:
        assert np.array_equal(arrays["grad-cam/original"], grid.cells[CellKey(0, 0)].saliency)
        assert len(arrays.files) == 1 + 2 * (1 + randomised)
    with zipfile.ZipFile(io.BytesIO(zip_bytes(grid))) as archive:
        names = archive.namelist()
        assert len([name for name in names if name.startswith("maps/")]) == 2 * (1 + randomised)
        assert json.loads(archive.read("settings.json"))["plan"]["of"] == "randomisation"


def test_a_link_to_a_check_leads_from_the_compare_page_to_its_own(server: Path, embedded) -> None:
    arrived = Visitor(kept(server, "check", plan(embedded, "edges")))
    assert arrived.says("This link leads to a check. The Sanity page shows it.")
    arrived.press("open-on-its-page")
    assert link(arrived) == "check" and arrived.run == "" and table(arrived)
