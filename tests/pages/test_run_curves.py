"""The curves of a finished run: how searches converged, and what metrics made of the maps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from decam.classifier import probabilities, to_tensor
from decam.experiments.cells import CellKey
from decam.metrics import METRICS
from decam.runs.service import Runs
from decam.ui import state
from decam.ui.compare import metric_curves
from tests.pages.conftest import Finished
from tests.pages.visitor import FEW_STEPS, Visitor


@pytest.fixture(scope="module")
def searched(finished: Finished) -> str:
    """A finished run of one search with several generations."""
    assert finished
    visitor = Visitor().sample("scene-star").methods("de-cam").quick(budget=600)
    visitor.explain()
    return visitor.finish().run


def test_convergence_shows_one_search_and_lets_another_be_chosen(guest: Visitor, finished: Finished) -> None:
    guest.tab("Convergence")
    assert len(guest.app.get("plotly_chart")) == 1
    key = f"convergence-{finished.run}"
    assert guest.app.selectbox(key=key).options == ["1. Arrow · DE-CAM", "2. Cross and disc · DE-CAM"]
    first = [text for text in guest.app.html.values if "Best mask" in text]
    guest.app.selectbox(key=key).select_index(1)
    guest.look()
    second = [text for text in guest.app.html.values if "Best mask" in text]
    assert len(first) == len(second) == 1
    assert first != second


def test_the_slider_goes_through_all_generations_by_their_true_numbers(searched: str) -> None:
    guest = Visitor(searched).tab("Convergence")
    cell = state.runs().snapshot(searched).cells[CellKey(0, 0)]
    frames = [frame for frame in cell.frames if frame.curves]
    key = f"generation-{searched}-0-0"
    assert guest.app.select_slider(key=key).options == [str(number + 1) for number in range(len(frames))]
    seen = set()
    for number, frame in enumerate(frames, start=1):
        guest.app.select_slider(key=key).set_value(number)
        guest.look()
        slider = guest.app.select_slider(key=key)
        assert slider.label == f"Generation {number} of {len(frames)} · {frame.evaluations} evaluations"
        (figure,) = guest.app.get("plotly_chart")
        (cursor,) = json.loads(figure.proto.spec)["layout"]["shapes"]
        assert cursor["x0"] == cursor["x1"] == frame.evaluations
        seen.update(text for text in guest.app.html.values if "Best mask" in text)
    assert len(seen) == len(frames) > 1


def test_a_search_that_kept_pictures_of_some_generations_offers_these(searched: str) -> None:
    """As runs do that were made when batches thinned their history out."""
    whole = state.runs().snapshot(searched)
    cell = whole.cells[CellKey(0, 0)]
    frames = [frame for frame in cell.frames if frame.curves]
    bare = tuple(frame if number else replace(frame, mask=None, saliency=None) for number, frame in enumerate(frames))
    cells = {**whole.cells, CellKey(0, 0): replace(cell, frames=bare)}
    few = replace(whole, grid=replace(whole.grid, cells=cells))
    key = f"generation-{searched}-0-0"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runs, "snapshot", lambda *_: few)
        guest = Visitor(searched).tab("Convergence")
        slider = guest.app.select_slider(key=key)
        assert slider.options == [str(number) for number in range(2, len(frames) + 1)]
        assert f"{len(frames) - 1} of {len(frames)} generations kept their images." in slider.help


def test_curves_show_both_metrics_and_what_the_model_saw_at_each_share(guest: Visitor, finished: Finished) -> None:
    guest.tab("Curves")
    key = f"curves-shown-{finished.run}"
    assert titles_of(guest) == ["Deletion · mean fill", "Insertion · blur fill"]
    swapped = ["Deletion · blur fill", "Insertion · mean fill"]
    assert offered(guest, key) == [*titles_of(guest), *swapped, "IoU at the best threshold"]
    slider = guest.app.slider(key=f"step-{finished.run}")
    assert (slider.min, slider.max) == (0, 100)
    seen = set()
    for step in range(FEW_STEPS + 1):
        guest.app.slider(key=f"step-{finished.run}").set_value(100 * step // FEW_STEPS)
        guest.look()
        figures = [text for text in guest.app.html.values if "what the model saw" in text]
        assert len(figures) == 1
        assert figures[0].count(f"at {100 * step / FEW_STEPS:.0f} %<br>") == 2
        assert "ring" in figures[0]
        seen.add(figures[0])
    assert len(seen) == FEW_STEPS + 1


def test_the_picture_of_a_step_is_the_one_that_the_measured_curve_was_asked_about(
    guest: Visitor, finished: Finished
) -> None:
    """Asked again, the model gives each picture shown the very probability of the curve."""
    guest.tab("Curves")
    run = state.runs().snapshot(finished.run)
    classifier = state.models().get(run.plan.model, run.plan.device)
    for choice in run.plan.metrics[:2]:
        key = CellKey(1, 0)
        curve = run.cells[key].measurements[choice.key].curve
        assert curve is not None
        target = run.grid.target_of(1)
        for step, share in enumerate(curve.shares):
            view = metric_curves._seen(run, key, choice, float(share))
            (answers,) = probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))
            assert float(answers[target]) == pytest.approx(float(curve.values[step]), abs=0.02)


def test_curves_with_other_settings_are_measured_on_the_same_maps_and_shown_at_once(finished: Finished) -> None:
    visitor = Visitor(finished.run)
    visitor.sample("scene-star").methods("random")
    run = visitor.explain()
    visitor.finish().tab("Curves")
    before = visitor.cell("Random map")
    form, key = f"more-curves-{run}", f"curves-shown-{run}"
    assert visitor.app.selectbox(key=form).value == "deletion"
    visitor.app.selectbox(key=f"{form}:deletion:fill").select("noise")
    visitor.app.number_input(key=f"{form}:deletion:steps").set_value(FEW_STEPS)
    visitor.look().press("measure").finish()
    assert titles_of(visitor) == ["Deletion · mean fill", "Insertion · blur fill", "Deletion · noise fill"]
    assert len(offered(visitor, key)) == 6
    assert visitor.cell("Random map")["map"] == before["map"]
    assert visitor.run == run
    assert not visitor.offers("measure"), "the run has them now"
    visitor.tab("Metrics").tab("Curves")
    assert "Deletion · noise fill" in titles_of(visitor), "the choice is kept while another tab is open"


@pytest.mark.slow
def test_every_metric_with_curves_can_be_measured_and_is_shown_on_its_own_axes(finished: Finished) -> None:
    assert finished
    visitor = Visitor().methods("centre").sample("scene-heart-ring")
    run = visitor.explain()
    visitor.finish().tab("Curves")
    form = f"more-curves-{run}"
    names = [name for name, metric in METRICS.items() if metric.axes is not None]
    assert {"road", "iou", "deletion-correlation", "insertion-correlation"} < set(names)
    for name in names:
        visitor.app.selectbox(key=form).select(name)
        visitor.look()
        if visitor.offers("measure"):
            visitor.press("measure").finish()
    assert not visitor.errors
    pills = next(each for each in visitor.app.get("button_group") if each.key == f"curves-shown-{run}")
    pills.set_value([choice.key for choice in state.runs().snapshot(run).plan.metrics if choice.name in names])
    visitor.look()
    shown = {METRICS[name].title for name in names}
    assert {title.split(" · ")[0] for title in titles_of(visitor)} == shown
    axes = {figure["layout"]["yaxis"]["title"]["text"] for figure in figures_of(visitor)}
    assert axes == {axes.y for name in names if (axes := METRICS[name].axes) is not None}


def figures_of(visitor: Visitor) -> list[dict[str, Any]]:
    """The charts of the tab that is open, as Plotly is given them."""
    return [json.loads(chart.proto.spec) for chart in visitor.app.get("plotly_chart")]


def titles_of(visitor: Visitor) -> list[str]:
    """What the charts are called, in their order."""
    return [figure["layout"]["title"]["text"] for figure in figures_of(visitor)]


def offered(visitor: Visitor, key: str) -> list[str]:
    """The curves that may be shown."""
    pills = next(each for each in visitor.app.get("button_group") if each.key == key)
    return list(pills.options)


def test_the_convergence_shown_is_judged_by_all_answers_and_says_what_is_estimated(searched: str) -> None:
    visitor = Visitor(searched).tab("Convergence")
    explanation = state.runs().snapshot(searched).cells[CellKey(0, 0)].explanation
    assert explanation is not None and explanation.fitness is not None
    assert len(explanation.fitness) > 2
    captions = " ".join(visitor.app.caption.values)
    assert "Fitness is an estimate" in captions and f"the whole search of {explanation.evaluations:,} " in captions


@pytest.mark.parametrize("tab", ["Curves", "Convergence"])
def test_each_chart_has_its_files_beside_it(guest: Visitor, tab: str) -> None:
    guest.tab(tab)
    charts = len(guest.app.get("plotly_chart"))
    kinds = [button.label.partition(" ")[0] for button in guest.app.download_button]
    assert charts and kinds == ["PNG", "SVG", "PDF"] * charts
