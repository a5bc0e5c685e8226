"""The words of a metric at work hold as arithmetic: no share that rounds to nothing, no minus zero, no 1 / 0.000."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from decam.classifier import FunctionClassifier, wrap
from decam.explanation import Question, last
from decam.metrics import METRICS, Case, Origin
from decam.metrics.walkthroughs import Picture, Shown, walkthrough
from tests.tools import cases

TRUTH = np.zeros(cases.SIZE, bool)
TRUTH[3:8, 2:7] = True


def told(judged: Case, name: str, **settings: float) -> Shown:
    row = METRICS[name]
    return last(walkthrough(judged, row, row.settings.from_mapping(settings)))


def captions(of: Shown) -> list[str]:
    return [panel.caption for panel in of.panels if isinstance(panel, Picture)]


def unlikely() -> FunctionClassifier:
    """A classifier that gives the class asked about next to nothing."""

    def function(images: torch.Tensor) -> torch.Tensor:
        share = 0.0003 * images.mean((1, 2, 3))
        return torch.stack([share, 1 - share], dim=1)

    return wrap(function, labels=["rare", "usual"], input_size=cases.SIZE, mean=(0.4, 0.5, 0.3))


def one_pixel(high: float = 1.0) -> np.ndarray:
    saliency = np.zeros(cases.SIZE, np.float32)
    saliency[3, 3] = high
    return saliency


def test_the_mean_of_a_sparse_map_has_the_digits_that_its_inverse_needs() -> None:
    words = told(cases.case(cases.weighted(), cases.view(), [one_pixel()]), "sparsity").words
    mean, value = re.search(r"1 / ([0-9.]+) = ([0-9.]+)\.$", words).groups()
    assert 1 / float(mean) == pytest.approx(float(value), rel=1e-3)


@pytest.mark.parametrize("name", ["average-drop", "average-drop-in-deletion"])
def test_the_share_lost_of_an_unlikely_class_can_be_worked_out_from_the_words(name: str) -> None:
    words = told(cases.case(unlikely(), cases.view(), [cases.saliency()]), name).words
    own, masked, again, value = map(float, re.search(r"\((.+) − (.+)\) / (.+) = (.+)\.$", words).groups())
    assert own == again > 0 and (own - masked) / own == pytest.approx(value, abs=0.02)


def test_a_rise_that_is_counted_is_seen() -> None:
    bright = cases.case(unlikely(), cases.view() // 2, [cases.saliency()])
    words = told(bright, "increase-in-confidence", fill="noise").words
    before, after = re.search(r"from ([0-9.]+) to ([0-9.]+); it has risen", words).groups()
    assert float(after) > float(before)


def test_road_of_an_unlikely_class_has_the_digits_that_tell_its_means_apart() -> None:
    words = told(cases.case(unlikely(), cases.view(), [cases.saliency()]), "road").words
    found = [float(text.replace("−", "-")) for text in re.findall(r"−?[0-9]\.[0-9]+", words)]
    least, most, value = found
    assert least != most and (least - most) / 2 == pytest.approx(value, rel=0.2)


def test_infidelity_that_is_small_is_not_written_as_nothing() -> None:
    shown = told(cases.case(unlikely(), cases.view(), [cases.saliency()]), "infidelity")
    value = float(re.search(r"by ([0-9.]+) in the mean square", shown.words)[1])
    assert value == pytest.approx(shown.measurements[0].value, rel=0.01) and value > 0


def test_a_small_radius_is_not_called_nothing() -> None:
    def bright(question: Question, seed: int) -> object:
        del seed
        yield from ()
        return question.image.mean(0).numpy()

    question = cases.case(cases.weighted(), cases.view(), []).question
    judged = cases.case(cases.weighted(), cases.view(), [last(bright(question, 0))], None, [Origin(bright, 0)])
    assert "up to 0.10 % noise" in told(judged, "max-sensitivity", radius=0.001).words


def test_a_step_that_hides_little_is_not_called_none() -> None:
    weights = np.full(cases.SIZE, 1e-6)
    weights[3, 3] = 1.0
    judged = cases.case(cases.weighted(weights), cases.view(), [one_pixel()])
    found = captions(told(judged, "deletion", steps=400))
    assert "0 % hidden" in found and found.count("0 % hidden") == 1
    assert any(caption == "under 1 % hidden" for caption in found)


@pytest.mark.parametrize("name", ["energy-inside", "relevance-mass"])
def test_a_map_that_lies_nearly_all_on_the_object_is_not_said_to_lie_there_wholly(name: str) -> None:
    saliency = TRUTH.astype(np.float32)
    saliency[0, 0] = 0.05
    found = captions(told(cases.case(cases.weighted(), cases.view(), [saliency], TRUTH), name))
    assert found[1:] == ["On the object: over 99 %", "Outside it: under 1 %"]


@pytest.mark.parametrize("name", ["deletion-correlation", "insertion-correlation", "road", "infidelity", "consistency"])
def test_minus_signs_are_real_and_nothing_has_none(name: str) -> None:
    def plain(question: Question, seed: int) -> object:
        del question, seed
        yield from ()
        return cases.signed(3)

    for sign in (1, -1):
        judged = cases.case(
            cases.bent(), cases.view(4), [sign * cases.signed(3)], None, [Origin(plain, 0)]
        )  # made again it is another one
        shown = told(judged, name)
        for text in (shown.words, *captions(shown)):
            assert not re.search(r"-[0-9]", text) and not re.search(r"−0\.0+\b(?![0-9])", text)
