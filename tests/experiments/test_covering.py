"""Covering by hand: what is painted, what the model is asked, and what a map covers beside it."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from decam.classifier import probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments import covering
from decam.experiments.covering import SIDE
from decam.lessons.runs import exact, load
from decam.masking import FILLS, fill

SQUARES = hnp.arrays(np.bool_, (SIDE, SIDE))


@pytest.mark.slow
@given(SQUARES)
def test_what_was_painted_comes_back(cells: np.ndarray) -> None:
    bits = "".join("1" if one else "0" for row in cells for one in row)
    sent = base64.b64encode(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))).decode()
    assert np.array_equal(covering.squares(sent), cells)
    assert covering.text_of(cells) == sent


def test_nothing_painted_covers_nothing() -> None:
    assert not covering.squares("").any()
    assert covering.squares("", (3, 5)).shape == (3, 5)


@pytest.mark.slow
@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_squares_of_any_grain_come_back(cells: np.ndarray) -> None:
    assert np.array_equal(covering.squares(covering.text_of(cells), cells.shape), cells)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ("not base64!", "came damaged; clear the image and paint again"),
        ("AAAA", "has 3 bytes, but 64×64 squares were expected"),
        (base64.b64encode(bytes(513)).decode(), "has 513 bytes"),
    ],
)
def test_what_no_brush_sends_is_told(sent: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        covering.squares(sent)


@pytest.mark.slow
@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.integers(1, 40), st.integers(1, 40))
def test_each_pixel_takes_the_square_that_its_centre_lies_in(cells: np.ndarray, height: int, width: int) -> None:
    spread = covering.spread(cells, (height, width))
    assert spread.shape == (height, width)
    for row in range(height):
        for column in range(width):
            square = (2 * row + 1) * cells.shape[0] // (2 * height), (2 * column + 1) * cells.shape[1] // (2 * width)
            assert spread[row, column] == cells[square]


@pytest.mark.slow
@given(hnp.arrays(np.float32, (5, 6), elements=st.floats(-2, 2, width=32)), st.integers(0, 30))
def test_a_map_covers_its_highest_pixels(saliency: np.ndarray, count: int) -> None:
    covered = covering.covered_by(saliency, count)
    order = sorted(np.ndindex(saliency.shape), key=lambda place: (-saliency[place], place))
    assert {place for place in np.ndindex(saliency.shape) if covered[place]} == set(order[:count])


MAPS = hnp.arrays(np.float32, (5, 6), elements=st.floats(-2, 2, width=32))
SHARES = st.floats(0, 1)


@pytest.mark.slow
@given(MAPS, hnp.arrays(np.bool_, (5, 6)), SHARES, SHARES)
def test_a_map_predicts_by_the_share_of_its_positive_values_that_is_covered(
    saliency: np.ndarray, cover: np.ndarray, clean: float, blank: float
) -> None:
    covered = whole = 0.0
    for place in np.ndindex(saliency.shape):
        if saliency[place] > 0:
            whole += float(saliency[place])
            covered += float(saliency[place]) if cover[place] else 0.0
    found = covering.prediction(saliency, cover, clean, blank)
    if whole == 0:
        assert found is None
        return
    assert found is not None
    assert found.share == pytest.approx(covered / whole, abs=1e-9)
    assert found.probability == pytest.approx(clean * (1 - covered / whole) + blank * covered / whole, abs=1e-9)


def test_a_map_predicts_the_clean_answer_for_no_cover_and_that_to_the_fill_for_a_whole_one() -> None:
    saliency = np.array([[0.5, -1.0], [0.25, 0.25]], np.float32)
    nothing = np.zeros((2, 2), np.bool_)
    assert covering.prediction(saliency, nothing, 0.9, 0.2) == covering.Prediction(0.0, 0.9)
    assert covering.prediction(saliency, ~nothing, 0.75, 0.25) == covering.Prediction(1.0, 0.25)
    assert covering.prediction(-saliency.clip(0), nothing, 0.9, 0.2) is None
    with pytest.raises(SettingError, match=r"The cover has the shape \(3, 3\), but the image \(2, 2\)"):
        covering.prediction(saliency, np.zeros((3, 3), np.bool_), 0.9, 0.2)


def test_the_fill_of_noise_is_that_of_its_seed() -> None:
    classifier, view = exact("embedded"), load("star").views[0]
    image = to_tensor(classifier, view)
    noise = fill("noise", image, classifier.mean, 5)
    shown = covering.filling(classifier, view, "noise", 5)
    assert np.abs(shown / 255 - noise.permute(1, 2, 0).numpy()).max() <= 0.5 / 255 + 1e-6
    found = covering.answers(classifier, view, [np.ones((128, 128), np.bool_)], "noise", 5)
    assert np.allclose(found, probabilities(classifier, noise.unsqueeze(0)).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", FILLS)
def test_the_model_is_asked_about_the_picture_that_is_shown(name: str) -> None:
    classifier, view = exact("embedded"), load("star").views[0]
    cover = np.zeros((128, 128), np.bool_)
    cover[40:90, 30:100] = True
    clean, covered = covering.answers(classifier, view, [cover & False, cover], name)
    image = to_tensor(classifier, view)
    hidden = torch.where(torch.from_numpy(cover), fill(name, image, classifier.mean), image)
    wanted = probabilities(classifier, torch.stack([image, hidden])).numpy()
    assert np.allclose(clean, wanted[0], atol=1e-5)
    assert np.allclose(covered, wanted[1], atol=1e-5)
    filling = covering.filling(classifier, view, name)
    shown = np.where(cover[..., None], filling, view)
    assert np.abs(shown.astype(float) / 255 - hidden.permute(1, 2, 0).numpy()).max() <= 0.5 / 255 + 1e-6


def test_a_cover_of_another_size_and_an_unknown_fill_are_told() -> None:
    classifier, view = exact("embedded"), load("star").views[0]
    with pytest.raises(SettingError, match=r"The cover has the shape \(5, 5\), but the image \(128, 128\)"):
        covering.answers(classifier, view, [np.zeros((5, 5), np.bool_)], "mean")
    with pytest.raises(SettingError, match="There is no fill 'paint'"):
        covering.answers(classifier, view, [np.zeros((128, 128), np.bool_)], "paint")
