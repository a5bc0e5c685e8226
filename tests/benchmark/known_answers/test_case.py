"""Known answers: what a function answers to a picture whose parts are hidden, and where the right map is high."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.benchmark.known_answers.case import Case
from decam.benchmark.known_answers.grounds import EDGES, GROUNDS, MOVED, picture
from decam.benchmark.known_answers.kinds import KINDS, at_least_three
from decam.benchmark.known_answers.parts import COUNT, SIDE, boxes, pixels
from decam.errors import SettingError
from decam.masking import fill

CASES = [
    Case(kind, ground, edges, seed)
    for seed, (kind, ground, edges) in enumerate(itertools.product(KINDS, GROUNDS, EDGES))
]
FULL = {"against": 0.5, "two-objects": float(torch.softmax(torch.tensor([4.0, 4.0, 2.0]), 0)[0])}
"""What the whole picture is answered, unless it is 1."""


def image_of(case: Case) -> Tensor:
    return torch.from_numpy(case.drawn.image.copy()).permute(2, 0, 1).float() / 255


def answered(case: Case, *images: Tensor) -> list[float]:
    found: list[float] = case.classifier().answer(torch.stack(images))[:, case.target].tolist()
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_hidden_counts_as_hidden_whatever_replaces_it(case: Case) -> None:
    image, inside = image_of(case), torch.from_numpy(case.truth)
    for name in ("blur", "box-blur", "mean", "black"):
        filling = fill(name, image, case.classifier().mean)
        shown, hidden, kept = answered(case, image, filling, torch.where(inside, image, filling))
        nothing = float(case.drawn.answer(torch.zeros(1, len(case.drawn.parts))).flatten()[0])
        assert hidden == pytest.approx(nothing, abs=0.02), name
        if not case.against.any():
            assert shown == pytest.approx(1, abs=0.01) and kept == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("kind", FULL)
def test_where_parts_speak_against_each_other_the_whole_picture_is_answered_as_the_formula_says(kind: str) -> None:
    case = Case(kind, "smooth", "agree", 3)
    assert answered(case, image_of(case)) == pytest.approx([FULL[kind]], abs=0.01)


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_blend_shows_its_share(ground: str) -> None:
    case = Case("rectangle", ground, "agree", 5)
    image = image_of(case)
    for name, share in itertools.product(("blur", "mean", "black"), (0.0, 0.3, 0.8)):
        blend = torch.lerp(fill(name, image, case.classifier().mean), image, share)
        assert answered(case, blend) == pytest.approx([share], abs=0.01)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_half_of_a_rectangle_counts_as_its_share_of_blocks(seed: int) -> None:
    case = Case("rectangle", "photograph", "disagree", seed % 50)
    part = case.drawn.parts[0]
    shown = np.random.default_rng(seed).random(part.shape) < 0.5
    image = image_of(case)
    masked = torch.where(torch.from_numpy(pixels(shown)), image, fill("mean", image, case.classifier().mean))
    assert answered(case, masked) == pytest.approx([(shown & part).sum() / part.sum()], abs=0.01)


@pytest.mark.slow
def test_parts_do_not_touch_and_lie_inside() -> None:
    for seed in range(30):
        parts = boxes(np.random.default_rng(seed), 5, 4, 6)
        for one, other in itertools.combinations(parts, 2):
            grown = np.zeros_like(one)
            for rows, columns in itertools.product((-1, 0, 1), repeat=2):
                grown |= np.roll(one, (rows, columns), (0, 1))
            assert not (grown & other).any()
    with pytest.raises(ValueError, match="no room for 9"):
        boxes(np.random.default_rng(0), 9, 12, 12)


def test_edges_lie_on_the_parts_or_elsewhere() -> None:
    part = np.zeros((COUNT, COUNT), bool)
    part[2:9, 3:12] = True
    for edges, where in (("agree", part), ("disagree", np.roll(part, MOVED, (0, 1)))):
        made = picture(np.random.default_rng(1), "smooth", edges, [part])
        plain = picture(np.random.default_rng(1), "smooth", edges, [])
        assert ((made != plain).all(2) == pixels(where)).all()


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_three_of_five_is_the_sum_over_all_ways(shares: list[float]) -> None:
    expected = sum(
        float(np.prod([share if there else 1 - share for share, there in zip(shares, way, strict=True)]))
        for way in itertools.product((0, 1), repeat=5)
        if sum(way) >= 3
    )
    assert float(at_least_three(torch.tensor([shares]))) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "values"),
    [("rectangle", [1]), ("both", [0.5, 0.5]), ("either", [0.5, 0.5]), ("three-of-five", [0.2] * 5),
     ("against", [0.5, -0.5])],
)  # fmt: skip
def test_exact_values_are_those_of_symmetry(kind: str, values: list[float]) -> None:
    assert Case(kind, "noise", "agree", 1).values == pytest.approx(values, abs=1e-6)


def test_a_cell_of_an_additive_game_has_its_weight() -> None:
    case = Case("additive", "noise", "agree", 2)
    weights = np.array([t * abs(t) for t in np.linspace(-0.6, 1, 16)])
    assert sorted(case.values) == pytest.approx(sorted(weights / np.abs(weights).sum()), abs=1e-5)
    assert case.ranked and case.truth.mean() == pytest.approx(5 / 16 if (weights >= 1 / 3).sum() == 5 else 4 / 16)


@pytest.mark.parametrize("kind", KINDS)
def test_right_wrong_and_silent_places_are_apart(kind: str) -> None:
    case = Case(kind, "smooth", "agree", 7)
    assert case.truth.any() and not (case.truth & case.against).any()
    assert case.neutral.any() and not (case.neutral & (case.truth | case.against)).any()
    assert case.against.any() == (kind in ("against", "two-objects", "additive", "interacting"))


def test_a_name_says_all_and_what_is_none_is_refused() -> None:
    case = Case("line", "photograph", "disagree", 11)
    again = Case.named(case.name)
    assert again == case and (again.drawn.image == case.drawn.image).all()
    assert (Case("line", "photograph", "disagree", 12).drawn.image != case.drawn.image).any()
    assert case.drawn.image.shape == (SIDE, SIDE, 3)
    with pytest.raises(SettingError, match="no kind 'circle'; there are: rectangle"):
        Case("circle", "noise", "agree", 0)
    for name in ("embedded", "known:line:noise:agree:x", "known:line:noise"):
        with pytest.raises(SettingError, match="names no known answer"):
            Case.named(name)
