"""Agreement is every pair's similarity, and its mean over pictures leaves out what cannot be compared."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from decam.errors import MethodError, SettingError
from decam.metrics.agreement import agreement, grouped, mean_agreement
from decam.metrics.similarity import SIMILARITIES, get


def maps(seed: int, count: int = 4) -> list[np.ndarray]:
    draws = np.random.default_rng(seed)
    shared = draws.normal(size=(40, 48))
    return [(shared + draws.normal(size=(40, 48))).astype(np.float32) for _ in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("absolute", [False, True])
def test_each_entry_is_the_similarity_of_its_pair(absolute: bool) -> None:
    several = maps(0)
    for found in agreement(several, absolute=absolute):
        row = get(found.measure)
        expected = [[row.between(one, other, absolute=absolute) for other in several] for one in several]
        np.testing.assert_allclose(found.values, expected, atol=1e-12)
        np.testing.assert_array_equal(found.pictures, np.ones((4, 4)))


def test_measures_come_in_the_order_asked_for() -> None:
    assert [one.measure for one in agreement(maps(0))] == list(SIMILARITIES)
    assert [one.measure for one in agreement(maps(0), ["hog", "spearman"])] == ["hog", "spearman"]


def test_the_order_of_the_maps_is_that_of_rows_and_columns() -> None:
    several = maps(1)
    one, turned = agreement(several), agreement(several[::-1])
    for found, other in zip(one, turned, strict=True):
        np.testing.assert_allclose(found.values, other.values[::-1, ::-1], atol=1e-12)


def test_the_mean_is_over_the_pictures_on_which_both_maps_say_something() -> None:
    pictures = [maps(seed) for seed in range(3)]
    pictures[1][2] = np.zeros((40, 48), np.float32)
    for several in pictures:
        several[3] = np.full((40, 48), np.nan, np.float32)
    each = [agreement(several) for several in pictures]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mean_agreement(each)
    for number, mean in enumerate(found):
        values = np.stack([one[number].values for one in each])
        assert mean.values[0, 1] == pytest.approx(values[:, 0, 1].mean())
        assert mean.values[2, 0] == pytest.approx((values[0, 2, 0] + values[2, 2, 0]) / 2)
        assert np.isnan(mean.values[3]).all() and np.isnan(mean.values[:, 3]).all()
        assert (mean.pictures[0, 1], mean.pictures[0, 2], mean.pictures[3, 3]) == (3, 2, 0)


def test_a_mean_of_means_weighs_pictures_alike() -> None:
    each = [agreement(maps(seed), ["spearman"]) for seed in range(3)]
    at_once = mean_agreement(each)
    in_turns = mean_agreement([mean_agreement(each[:2]), each[2]])
    np.testing.assert_allclose(at_once[0].values, in_turns[0].values)
    np.testing.assert_array_equal(at_once[0].pictures, in_turns[0].pictures)


def test_no_map_agrees_with_no_map() -> None:
    assert all(one.values.shape == (0, 0) for one in agreement([]))


def test_what_cannot_be_compared_is_refused_with_a_sentence() -> None:
    with pytest.raises(SettingError, match="different shapes"):
        agreement([np.zeros((4, 4), np.float32), np.zeros((4, 5), np.float32)])
    with pytest.raises(MethodError, match="There is no similarity 'cosine'"):
        agreement(maps(0), ["cosine"])
    with pytest.raises(SettingError, match="no image to take the mean over"):
        mean_agreement([])
    with pytest.raises(SettingError, match="same methods, compared by the same measures"):
        mean_agreement([agreement(maps(0)), agreement(maps(1, count=3))])


def test_what_is_alike_stands_together_and_what_has_no_value_comes_last() -> None:
    values = np.array(
        [
            [1.0, 0.1, 0.9, np.nan, 0.2],
            [0.1, 1.0, 0.15, np.nan, 0.8],
            [0.9, 0.15, 1.0, np.nan, 0.1],
            [np.nan] * 5,
            [0.2, 0.8, 0.1, np.nan, 1.0],
        ]
    )
    order = grouped(values)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order[-1] == 3
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(4)) == 1
    assert grouped(np.eye(2)) == [0, 1]
