"""A finished run: what it shows, and that its link shows the same to everybody."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from decam.classifier import probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.covering import squares
from decam.experiments.plan import fingerprint
from decam.export import Look
from decam.export.stimulus_set import in_words
from decam.figures.stimulus import APPLIES, Display
from decam.images.samples import get
from decam.images.scenes.scene import CLASSES
from decam.methods import METHODS
from decam.ui import state
from decam.ui.components.grid import grid
from decam.ui.runs import export_panel, masked_answers
from decam.ui.shared.thumbnails import pixels
from decam.ui.text import percent
from tests.pages.conftest import SEED, Finished
from tests.pages.visitor import FEW_STEPS, SMALL_BUDGET, Visitor

METHODS_RUN = ("de-cam", "grad-cam", "random")
TITLES = tuple(METHODS[name].title for name in METHODS_RUN)


def test_the_grid_has_a_row_a_picture_and_a_column_a_method(finished: Finished) -> None:
    grid = finished.grid
    assert [row["title"] for row in grid["rows"]] == ["Arrow", "Cross and disc"]
    assert tuple(column["title"] for column in grid["columns"]) == TITLES
    assert len({(cell["row"], cell["column"]) for cell in grid["cells"]}) == 6
    assert all(cell["state"] == "done" and cell["map"] for cell in grid["cells"])


def test_every_map_has_its_cost_and_its_areas_under_it(guest: Visitor) -> None:
    assert [guest.cell(title)["evaluations"] for title in TITLES] == [SMALL_BUDGET, 1, 0]
    for cell in guest.grid["cells"]:
        assert cell["seconds"] >= 0
        assert len(cell["values"]) == 2
        assert all(0 <= value <= 1 for value in cell["values"])


def test_the_class_asked_about_is_the_one_chosen_and_else_the_one_predicted(guest: Visitor) -> None:
    arrow, cross = guest.grid["rows"]
    assert arrow["label"] == "ring"
    assert arrow["probability"] < 0.5, "the image shows an arrow"
    assert cross["label"] == guest.bars("Cross and disc")[0][0]


def test_a_scene_carries_the_outline_of_the_object_asked_about_and_none_where_it_shows_no_such(
    finished: Finished,
) -> None:
    assert [bool(row["truth"]) for row in finished.grid["rows"]] == [False, True]  # the arrow was asked about a ring


def test_the_link_shows_another_visitor_the_very_same_grid(finished: Finished, guest: Visitor) -> None:
    assert guest.grid == finished.grid
    assert guest.run == finished.run
    assert guest.status.startswith("Finished")


def test_the_link_brings_pictures_targets_methods_and_settings_along(guest: Visitor) -> None:
    assert guest.cards == ["Arrow", "Cross and disc"]
    assert guest.card("Arrow").value == CLASSES.index("ring")
    assert guest.card("Cross and disc").options[guest.card("Cross and disc").index].endswith("(predicted)")
    assert guest.chosen == set(METHODS_RUN)
    values = {field.key: field.value for field in guest.app.number_input}
    assert (values["setting:de-cam:budget"], values["steps"], values["seed"]) == (SMALL_BUDGET, FEW_STEPS, SEED)
    assert guest.app.selectbox(key="model").value == "embedded"


def test_the_pictures_of_a_link_are_those_the_model_saw(finished: Finished) -> None:
    views = state.runs().snapshot(finished.run).views
    assert [fingerprint(view) for view in views] == [
        fingerprint(pixels(get(name).load())) for name in ("scene-arrow", "scene-cross-disc")
    ]


def test_samples_of_the_run_are_marked_and_a_click_takes_one_out_of_the_comparison_to_come(guest: Visitor) -> None:
    def marked() -> set[str]:
        return {button.label for button in guest.app.button if button.label.endswith(", chosen")}

    assert guest.cards == ["Arrow", "Cross and disc"]
    assert marked() == {"Arrow, chosen", "Cross and disc, chosen"}
    guest.sample("scene-arrow")
    assert guest.cards == ["Cross and disc"]
    assert marked() == {"Cross and disc, chosen"}
    guest.sample("scene-arrow")  # as a sample of its own, now that the run's is gone
    assert guest.cards == ["Cross and disc", "Arrow"]
    assert marked() == {"Arrow, chosen", "Cross and disc, chosen"}


def test_explaining_again_from_the_link_gives_the_same_maps(guest: Visitor, finished: Finished) -> None:
    again = guest.explain()
    guest.finish()
    assert again != finished.run
    for before, after in zip(finished.grid["cells"], guest.grid["cells"], strict=True):
        assert (before["map"], before["low"], before["high"]) == (after["map"], after["low"], after["high"])
        assert before["values"] == after["values"]


def test_the_line_above_the_grid_says_how_the_run_was_made(guest: Visitor) -> None:
    for part in ("Finished", "6 maps", "Shapes demo", "cpu", f"seed {SEED}"):
        assert part in guest.status
    assert not guest.offers("continue")
    assert guest.offers("explain")


def test_the_table_has_every_map_and_the_means_with_both_pairs_of_fills(guest: Visitor) -> None:
    guest.tab("Metrics")
    means, table = guest.tables
    assert [row["words"] for row in means["rows"]] == [[title] for title in TITLES]
    assert [row["words"] for row in table["rows"]] == [
        [picture, title] for picture in ("1. Arrow", "2. Cross and disc") for title in TITLES
    ]
    heads = [(column["title"], column["detail"]) for column in table["columns"]]
    assert heads[:6] == [
        *(("Deletion", "mean"), ("Insertion", "blur"), ("Ins − del", "blur/mean")),
        *(("Deletion", "blur"), ("Insertion", "mean"), ("Ins − del", "mean/blur")),
    ]
    assert ("Pointing game", "") in heads
    for row, cell in zip(table["rows"], guest.grid["cells"], strict=True):
        deletion, insertion, difference = row["values"][:3]
        assert [deletion, insertion] == cell["values"]
        assert difference == pytest.approx(insertion - deletion)
    for place, row in enumerate(means["rows"]):
        same = [other["values"][:6] for other in table["rows"][place :: len(TITLES)]]
        assert row["values"][:6] == pytest.approx(np.mean(same, axis=0).tolist())


def test_methods_are_compared_pair_by_pair_for_a_picture_and_on_the_mean(guest: Visitor) -> None:
    guest.tab("Agreement")
    matrix = next(text for text in guest.app.html.values if "dc-matrix" in text)
    assert matrix.count("<tr>") == len(TITLES) + 1
    assert matrix.count('scope="row"') == len(TITLES)
    assert all(title in matrix for title in TITLES)
    assert next(box for box in guest.app.selectbox if box.label == "Image").value == -1


def test_a_map_is_covered_against_with_its_own_fill(guest: Visitor, finished: Finished) -> None:
    guest.tab("Cover by hand")
    (sent,) = (data for data in guest._components_data if "filling" in data)
    assert (sent["label"], sent["share"], sent["cells"]) == ("ring", 0.0, "")
    assert sent["tools"]["says"] == "Hide the top 20 % of this map"
    explanation = state.runs().snapshot(finished.run).cells[CellKey(0, 0)].explanation
    assert explanation is not None
    top = squares(sent["tools"]["top"], (sent["rows"], sent["columns"]))
    assert top.mean() == pytest.approx(0.2, abs=1e-4)
    assert explanation.saliency[top].min() >= explanation.saliency[~top].max()
    assert sent["answers"][0]["value"] == sent["answers"][0]["before"] == sent["rival"]["value"]
    assert sent["notes"][0].startswith("Predicted by DE-CAM: 0")
    assert any("the fill that belongs to this map: blur" in caption for caption in guest.app.caption.values)


def test_masked_pictures_are_made_again_for_the_methods_that_hide_parts(guest: Visitor) -> None:
    guest.tab("Behind a value")
    assert any("No masked images for: Grad-CAM, Random" in caption for caption in guest.app.caption.values)
    assert any("This map comes from 200 masked images." in words for words in guest.app.markdown.values)
    group = 'class="dc-frames dc-behind"'
    guest.press("behind-make").until(lambda: sum(group in words for words in guest.app.html.values) == 2)
    shown = " ".join(words for words in guest.app.html.values if group in words)
    assert shown.count("<img") == 8
    counts = [int(count) for count in re.findall(r"Place (?:hidden|shown) in (\d+) images", shown)]
    assert len(counts) == 2 and 190 <= sum(counts) <= 200
    assert not guest.app.warning, "the map came out as before"


def test_export_offers_everything_at_once_and_the_tables_apart(guest: Visitor) -> None:
    guest.tab("Export")
    labels = [button.label for button in guest.app.download_button]
    figures = [f"{what} {kind}" for what in ("Figure", "Curves") for kind in ("PNG", "SVG", "PDF")]
    assert labels == [
        "Download ZIP",
        "Download page",
        "metrics.csv",
        "curves.csv",
        "settings.json",
        *figures,
        "Download stimuli",
    ]
    assert "python -m decam replay settings.json" in guest.app.code.values
    assert any("decam.compare(" in code for code in guest.app.code.values)


def test_the_look_of_stimuli_offers_what_its_view_uses_and_shows_one_of_them(guest: Visitor) -> None:
    guest.tab("Export")
    for view, names in APPLIES.items():
        guest.app.selectbox(key=f"stimuli-{guest.run}-view").select(view)
        guest.look()
        offered = {one.key for kind in (guest.app.selectbox, guest.app.number_input) for one in kind}
        mine = {key.rpartition("-")[2] for key in offered if key and key.startswith("stimuli-")}
        assert mine == {"view", "size", "seed", *names}
        words = in_words(Display(view=view))
        assert any(caption.endswith(f": {words}.") for caption in guest.app.main.caption.values)


@pytest.mark.parametrize("kind", ["Command", "BibTeX"])
def test_settings_are_there_to_copy_or_a_sentence_says_why_not(guest: Visitor, kind: str) -> None:
    guest.tab("Export")
    control = next(one for one in guest.app.get("button_group") if one.label == "Settings as")
    guest.app.session_state[control.key] = kind
    guest.look()
    make, _ = export_panel.RECIPES[kind]
    try:
        assert make(state.runs().snapshot(guest.run).plan).rstrip() in {code.rstrip() for code in guest.app.code.values}
    except SettingError as error:
        assert str(error) in guest.app.main.caption.values


def test_values_under_the_maps_of_a_figure_are_chosen_by_their_titles(guest: Visitor) -> None:
    guest.tab("Export")
    field = next(one for one in guest.app.multiselect if one.label == "Values under maps")
    assert field.value == [] and any(option.startswith("Deletion") for option in field.options)
    field.select(field.options[0])
    guest.look()
    assert len(next(one for one in guest.app.multiselect if one.label == "Values under maps").value) == 1


def test_only_the_open_tab_is_drawn(guest: Visitor) -> None:
    guest.tab("Metrics")
    assert len(guest.tables) == 2
    assert not guest.app.get("plotly_chart")
    guest.tab("Convergence")
    assert not guest.tables


def test_a_search_by_methods_that_do_not_search_is_told_in_words(finished: Finished) -> None:
    visitor = Visitor(finished.run).methods("random", "centre")
    visitor.explain()
    visitor.finish().tab("Convergence")
    assert any("no convergence to show" in text for text in visitor.app.main.caption.values)


@pytest.mark.parametrize("run", ["no-such-run", "", "../../etc/passwd", "<script>alert(1)</script>", "x" * 5000])
def test_a_link_to_no_run_says_so_and_leads_on(run: str, finished: Finished) -> None:
    assert finished.run
    visitor = Visitor(run)
    assert visitor.errors[0].startswith(f"There is no run {run[:40]!r}")
    assert visitor.grid == {}
    visitor.press("leave-run")
    assert visitor.errors == []
    assert "run" not in visitor.app.query_params
    assert visitor.offers("welcome-scene-star")


@pytest.mark.parametrize("top", [1, 20, 100])
def test_a_masked_picture_has_the_models_answer_to_that_very_picture(finished: Finished, top: int) -> None:
    run = state.runs().snapshot(finished.run)
    classifier = state.models().get(run.plan.model, run.plan.device)
    found = dict(masked_answers.answers(run, top))
    assert set(found) == set(run.cells)
    for key, answer in found.items():
        explanation, view = run.cells[key].explanation, run.grid.view_of(key.question)
        assert explanation is not None
        order = np.argsort(-explanation.saliency.ravel(), kind="stable")
        shown = np.zeros(order.size, bool)
        shown[order[: round(top / 100 * order.size)]] = True
        assert (answer.shown.ravel() == shown).all() and answer.top == top
        picture = np.where(shown.reshape(view.shape[:2])[..., None], view, np.uint8(128))
        (values,) = probabilities(classifier, to_tensor(classifier, picture).unsqueeze(0))
        target = explanation.target
        assert answer.text.startswith(f"Top {top} %: {explanation.label} {percent(float(values[target]))}")
        assert ("predicted" in answer.text) == (int(values.argmax()) != target)


def test_a_run_of_a_device_that_is_not_here_is_asked_on_one_that_is(finished: Finished) -> None:
    run = state.runs().snapshot(finished.run)
    plan = replace(run.plan, device="cuda:7")
    elsewhere = replace(run, id="made-elsewhere", grid=run.grid.with_plan(plan))
    words = [[answer.text for _, answer in masked_answers.answers(one, 20)] for one in (run, elsewhere)]
    assert words[0] == words[1] and words[0][0].startswith("Top 20 %: ")


def test_where_a_browser_says_that_a_map_was_clicked_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"known": ["0", "1", 0.25, 0.5], "far": ["0", "1", 3, 0.5], "short": ["0"], "words": ["0", "1", "a", "b"]}
    kept = {key: {"place": place} for key, place in told.items()} | {"none": 3, "untold": {"place": None}}
    monkeypatch.setattr(grid.st, "session_state", kept)
    assert grid.pointed("known", ("0", "1")) == (0.25, 0.5)
    assert grid.pointed("known", ("1", "1")) is None
    for key in ("far", "short", "words", "none", "untold", "absent"):
        assert grid.pointed(key, ("0", "1")) is None


def test_what_a_browser_tells_of_its_look_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"colours": "viridis", "opacity": 35, "scale": "rank", "extremes": True, "contours": True, "top": 7}
    odd = {"colours": "jet", "opacity": 900, "top": 0}
    kept = {"known": {"look": told}, "odd": {"look": odd}, "none": 3}
    monkeypatch.setattr(grid.st, "session_state", kept)
    assert grid.look("known") == Look("viridis", 0.35, extremes=True, ranks=True, contours=True)
    assert grid.top_shown("known") == 7
    for key in ("odd", "none", "absent"):
        assert grid.look(key) == Look() and grid.top_shown(key) is None
