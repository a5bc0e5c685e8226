"""Where a class's map answers in a picture: normalised cross-correlation, as scikit-image and a plain loop have it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.feature import match_template

from decam.errors import SettingError
from decam.methods.class_level.answering import answers

SIDE = 32


def a_view(seed: int = 0, shape: tuple[int, int] = (SIDE, SIDE)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def a_pattern(top: int, left: int, part: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map that is zero but for one part (3×h×w)."""
    pattern = np.zeros((3, SIDE, SIDE), np.float32)
    _, rows, columns = part.shape
    pattern[:, top : top + rows, left : left + columns] = part
    return pattern


def cut(view: NDArray[np.uint8], top: int, left: int) -> NDArray[np.float32]:
    """A quarter of a picture's side, as a part of a map: brighter and fainter than in the picture, so signed."""
    return (view[top : top + 8, left : left + 8].transpose(2, 0, 1) / 255 * 0.3 - 0.1).astype(np.float32)


@pytest.mark.parametrize("shape", [(SIDE, SIDE), (24, 40)])
def test_inside_a_picture_it_is_what_scikit_image_finds(shape: tuple[int, int]) -> None:
    height, width = shape
    view, pattern = a_view(1, shape), np.random.default_rng(2).normal(size=(3, height, width)).astype(np.float32)
    found = answers(pattern, view, blur=0)
    part = pattern[:, found.top : found.top + found.height, found.left : found.left + found.width]
    theirs = match_template(view / 255, part.transpose(1, 2, 0).astype(np.float64))[..., 0]
    rows, columns = theirs.shape
    up, aside = found.height // 2, found.width // 2
    assert found.alike.shape == shape and found.alike.dtype == np.float32
    np.testing.assert_allclose(found.alike[up : up + rows, aside : aside + columns], theirs, atol=1e-5)


def test_at_the_edges_the_picture_is_reflected() -> None:
    view, pattern = a_view(3), np.random.default_rng(4).normal(size=(3, SIDE, SIDE)).astype(np.float32)
    found = answers(pattern, view, blur=0)
    part = pattern[:, found.top : found.top + 8, found.left : found.left + 8].astype(np.float64)
    padded = np.pad(view.transpose(2, 0, 1) / 255, ((0, 0), (4, 4), (4, 4)), mode="symmetric")
    for y, x in ((0, 0), (0, SIDE - 1), (SIDE - 1, 5)):
        window = padded[:, y : y + 8, x : x + 8]
        assert found.alike[y, x] == pytest.approx(np.corrcoef(part.ravel(), window.ravel())[0, 1], abs=1e-5)


def test_a_part_of_the_picture_is_found_where_it_was_cut_whatever_its_brightness_and_contrast() -> None:
    view = a_view(5)
    found = answers(a_pattern(2, 3, cut(view, 10, 15)), view, blur=0)
    assert (found.top, found.left, found.height, found.width) == (2, 3, 8, 8)
    assert np.unravel_index(found.alike.argmax(), found.alike.shape) == (10 + 4, 15 + 4)
    assert found.alike.max() == pytest.approx(1, abs=1e-5)


def test_the_inverse_of_a_part_answers_with_minus_one_there() -> None:
    view = a_view(6)
    found = answers(a_pattern(0, 0, -cut(view, 4, 20)), view, blur=0)
    assert np.unravel_index(found.alike.argmin(), found.alike.shape) == (4 + 4, 20 + 4)
    assert found.alike.min() == pytest.approx(-1, abs=1e-5)


def test_the_strongest_part_is_the_one_that_is_looked_for() -> None:
    pattern = np.full((3, SIDE, SIDE), 0.01, np.float32)
    pattern[1, 20:28, 8:16] = -3
    found = answers(pattern, a_view(), blur=0)
    assert (found.top, found.left) == (20, 8)


@pytest.mark.parametrize(
    ("pattern", "view"),
    [
        (np.zeros((3, SIDE, SIDE), np.float32), a_view()),
        (
            np.random.default_rng(0).normal(size=(3, SIDE, SIDE)).astype(np.float32),
            np.full((SIDE, SIDE, 3), 90, np.uint8),
        ),
        (np.full((3, SIDE, SIDE), np.nan, np.float32), a_view()),
    ],
)
def test_a_flat_map_or_a_flat_picture_answers_nowhere(pattern: NDArray[np.float32], view: NDArray[np.uint8]) -> None:
    assert not answers(pattern, view).alike.any()


def test_fine_noise_counts_less_with_the_blur() -> None:
    smooth = np.sin(np.arange(64) / 6)[:, None] * np.cos(np.arange(64) / 5)[None]
    noise = np.random.default_rng(1).normal(size=(64, 64))
    view = np.repeat((127 + 60 * smooth + 25 * noise).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    pattern = np.repeat(smooth.astype(np.float32)[None], 3, axis=0)
    assert answers(pattern, view).alike.max() > answers(pattern, view, blur=0).alike.max() + 0.03


@pytest.mark.parametrize(
    ("pattern", "part", "words"),
    [
        (np.zeros((3, 8, 8), np.float32), 0.25, "3×8×8 values and the image 32×32 pixels"),
        (np.zeros((SIDE, SIDE), np.float32), 0.25, "give a map of 3×32×32"),
        (np.zeros((3, SIDE, SIDE), np.float32), 0.0, "part is 0.0"),
        (np.zeros((3, SIDE, SIDE), np.float32), 1.5, "must lie above 0 and at most at 1"),
    ],
)
def test_what_does_not_fit_is_said(pattern: NDArray[np.float32], part: float, words: str) -> None:
    with pytest.raises(SettingError, match=words.replace("(", r"\(")):
        answers(pattern, a_view(), part)
