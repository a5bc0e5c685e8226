"""How close a way of asking is: ranks against SciPy's, and answers about the same masked photographs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor

from decam.classifier import Execution, TorchClassifier
from decam.errors import ImageError
from decam.images import samples
from decam.images.scenes import scene
from decam.models.tuning import closeness
from decam.models.tuning.closeness import CHANGE, PICTURES, RANKS, Closeness, Judge, rank_correlation
from tests.models.tuning.machine import HALF, HALF_LAST, LAST, PLAIN, tiny

VALUES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30)


@pytest.mark.slow
@given(VALUES)
def test_ranks_are_correlated_as_scipy_does(pairs: list[tuple[int, int]]) -> None:
    first, second = (torch.tensor(values, dtype=torch.float32) for values in zip(*pairs, strict=True))
    if len(set(first.tolist())) == 1 or len(set(second.tolist())) == 1:
        assert math.isnan(rank_correlation(first, second))
    else:
        expected = spearmanr(first.numpy(), second.numpy()).statistic
        assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-9)


def test_closeness_is_the_mean_of_the_pictures_and_pictures_without_ranks_are_left_out() -> None:
    expected = [torch.linspace(0, 1, 8), torch.linspace(0, 0.9, 8), torch.full((8,), 0.3)]
    swapped = expected[1].clone()
    swapped[[0, 1]] = expected[1][[1, 0]]
    found = [expected[0] + 0.01, swapped, expected[2] + torch.linspace(0, 0.005, 8)]
    one = spearmanr(swapped.numpy(), expected[1].numpy()).statistic
    change = np.mean([float((a - b).abs().mean()) for a, b in zip(found, expected, strict=True)])
    got = Closeness.of(found, expected)
    assert got.ranks == pytest.approx((1 + one) / 2) and got.change == pytest.approx(change)
    none = Closeness.of(found[2:], expected[2:])
    assert none.ranks is None and none.enough
    assert "hardly vary" in str(none) and "rank correlation" not in str(none)
    assert not Closeness.of([expected[2] + 2 * CHANGE], expected[2:]).enough


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_answers_that_are_no_numbers_are_not_close(value: float) -> None:
    expected = [torch.linspace(0, 1, 8)]
    found = [expected[0].clone()]
    found[0][3] = value
    assert not Closeness.of(found, expected).enough


@pytest.mark.parametrize(
    ("ranks", "change", "enough"),
    [(RANKS, CHANGE, True), (RANKS - 1e-6, 0.0, False), (1.0, CHANGE + 1e-6, False), (1.0, 0.0, True)],
)
def test_both_bounds_count(ranks: float, change: float, enough: bool) -> None:
    assert Closeness(ranks, change).enough == enough


def test_each_kind_of_way_is_asked_once_and_float32_by_pytorch_is_what_all_are_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Execution] = []
    usual = TorchClassifier.answer

    def answer(self: TorchClassifier, normalised: Tensor) -> Tensor:
        asked.append(self.execution)
        answers = usual(self, normalised)
        return answers.roll(1, 0) if self.execution.precision == "bfloat16" else answers

    monkeypatch.setattr(TorchClassifier, "answer", answer)
    classifier = tiny()
    judge = Judge(classifier, PLAIN, 1e-3)
    assert judge.closeness(PLAIN) == judge.closeness(LAST) == Closeness() and asked == []
    rolled = judge.closeness(HALF)
    count = len(asked)
    assert judge.closeness(HALF_LAST) is rolled and len(asked) == count
    assert {one.precision for one in asked} == {"float32", "bfloat16"}
    assert Judge(classifier, LAST, 1e-3).closeness(HALF).ranks == pytest.approx(rolled.ranks, abs=0.1)


def test_a_slow_model_is_asked_about_fewer_masks() -> None:
    fast, slow = (Judge(tiny(), PLAIN, seconds) for seconds in (1e-3, 1.0))
    assert (len(fast._masks), len(slow._masks)) == (32, 24)
    assert torch.all((fast._masks >= 0) & (fast._masks <= 1))


def test_the_pictures_are_photographs_and_scenes_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    closeness.pictures.cache_clear()
    named = [sample for sample in samples.SAMPLES if sample.kind == "photograph"][:PICTURES]
    assert list(closeness.pictures()) == [sample.load() for sample in named]

    def gone(_: samples.Sample) -> None:
        raise ImageError("gone")

    closeness.pictures.cache_clear()
    monkeypatch.setattr(samples.Sample, "load", gone)
    assert np.array_equal(np.asarray(closeness.pictures()[1]), scene.scene(1).image)
    closeness.pictures.cache_clear()
