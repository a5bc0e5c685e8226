"""Where the object is: known of scenes, changed in a window, kept with the run, and judged by."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from decam.experiments.cells import CellKey
from decam.experiments.plan import MetricChoice
from decam.images.samples import get
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.shared import ground_truth
from decam.ui.shared.ground_truth import Given
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
POINTING = MetricChoice.default("pointing-game").key


def explained(visitor: Visitor) -> RunSnapshot:
    visitor.methods("centre").explain()
    visitor.finish()
    assert visitor.status.startswith("Finished"), visitor.errors
    return state.runs().snapshot(visitor.run)


def test_a_scene_brings_its_truth_and_maps_are_judged_by_it() -> None:
    run = explained(Visitor().sample("scene-star"))
    (truth,) = run.truths
    assert truth is not None
    np.testing.assert_array_equal(truth, get("scene-star").truth())
    centre = run.cells[CellKey(0, 0)]
    assert centre.explanation is not None
    highest = centre.explanation.saliency == centre.explanation.saliency.max()
    assert centre.measurements[POINTING].value == truth[highest].mean()


def test_of_two_objects_the_one_asked_about_is_the_truth() -> None:
    visitor = Visitor().sample("scene-heart-ring")
    visitor.ask("Heart and ring", "ring")
    (truth,) = explained(visitor).truths
    np.testing.assert_array_equal(truth, get("scene-heart-ring").truths()[1])


def test_a_truth_can_be_taken_away_and_metrics_that_need_it_say_so() -> None:
    visitor = Visitor().sample("scene-star").press("truth-sample:scene-star")
    assert visitor.offers("truth-use")
    visitor.app.session_state[ground_truth.key("sample:scene-star")] = Given(ground_truth.NONE)
    run = explained(visitor.look())
    assert run.truths == (None,)
    measurement = run.cells[CellKey(0, 0)].measurements[POINTING]
    assert np.isnan(measurement.value)
    assert "ground truth" in measurement.note


def test_what_was_drawn_is_the_truth_and_comes_back_with_the_link() -> None:
    visitor = Visitor().sample("scene-star")
    box = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.5), (0.25, 0.5))
    visitor.app.session_state[ground_truth.key("sample:scene-star")] = Given(ground_truth.DRAWN, (box,))
    run = explained(visitor.look())
    expected = np.zeros((128, 128), bool)
    expected[32:64, 32:96] = True
    np.testing.assert_array_equal(run.truths[0], expected)
    guest = Visitor(run.id)
    again = explained(guest)
    np.testing.assert_array_equal(again.truths[0], expected)


def test_a_mask_from_a_file_is_cropped_as_its_picture_is() -> None:
    mask = Image.new("L", (128, 128))
    mask.paste(255, (10, 20, 40, 80))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    visitor = Visitor().sample("scene-star")
    key = ground_truth.key("sample:scene-star")
    visitor.app.session_state[key] = Given(ground_truth.FILE, mask=buffer.getvalue())
    run = explained(visitor.look())
    np.testing.assert_array_equal(run.truths[0], np.asarray(mask) > 0)


@pytest.mark.parametrize(
    "outlines", [(((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)),), (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),)]
)
def test_a_drawing_of_nothing_or_everything_is_a_sentence_and_the_run_has_no_truth(
    outlines: tuple[ground_truth.Outline, ...],
) -> None:
    visitor = Visitor().sample("scene-star")
    visitor.app.session_state[ground_truth.key("sample:scene-star")] = Given(ground_truth.DRAWN, outlines)
    visitor.look()
    assert any("What is drawn marks" in sentence for sentence in visitor.errors)
    assert explained(visitor).truths == (None,)


@pytest.mark.parametrize("sent", [None, 3, [["a"]], [[[1]]], {"x": 1}, [[[0.1, float("nan")]]]])
def test_whatever_a_browser_sends_is_outlines_or_nothing(sent: object) -> None:
    for outline in ground_truth._outlines(sent):
        assert all(len(point) == 2 for point in outline)
