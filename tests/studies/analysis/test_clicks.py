"""Click maps in closed form; ceilings and nulls beside loops over people and pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.analysis.click_scores import SCORES
from decam.studies.analysis.clicks import (
    Clicks,
    click_map,
    clicks,
    default_sigma,
    density,
    person_weights,
    scores,
    shuffled_null,
    split_half,
)


def people_at(places: list[tuple[float, float]], people: int, spread: float, seed: int = 0) -> Clicks:
    """Clicks of everybody about one place a picture, in pictures of 40 × 40."""
    generator = np.random.default_rng(seed)
    rows = [
        (*np.clip(np.array(place) + spread * generator.normal(size=2), 0, 39.9), number, person)
        for number, place in enumerate(places)
        for person in range(people)
        for _ in range(5)
    ]
    x, y, pictures, who = zip(*rows, strict=True)
    return clicks(x, y, pictures, who)


def dense(marks: Clicks, picture: int, shape: tuple[int, int]) -> np.ndarray:
    """Each person's weights as H×W."""
    return person_weights(marks, picture, shape).toarray().reshape(-1, *shape)


def test_the_density_of_a_point_is_a_gaussian() -> None:
    weights = dense(clicks([30.7], [20.2], [0], [0]), 0, (61, 81))
    assert weights[0, 20, 30] == 1 and weights.sum() == 1
    found = density(weights[0], 3.0)
    rows, columns = np.indices((61, 81))
    expected = np.exp(-((rows - 20) ** 2 + (columns - 30) ** 2) / 18)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-5)
    assert found.sum() == pytest.approx(1)


def test_the_default_blur_is_21_pixels_wide_at_half_height_at_224() -> None:
    sigma = default_sigma((224, 300))
    assert math.exp(-(10.5**2) / (2 * sigma**2)) == pytest.approx(0.5)
    assert default_sigma((448, 448)) == pytest.approx(2 * sigma)


def test_a_box_is_uniform_over_its_area() -> None:
    weights = dense(clicks([1], [2.5], [0], [0], [2], [1.0]), 0, (5, 6))
    expected = np.zeros((5, 6))
    expected[2, 1:3] = expected[3, 1:3] = 0.25
    np.testing.assert_allclose(weights[0], expected)


@settings(max_examples=50)
@given(st.floats(0, 9), st.floats(0.01, 3), st.floats(0, 9), st.floats(0.01, 3))
def test_a_box_weighs_one_wherever_it_lies(x: float, width: float, y: float, height: float) -> None:
    weights = dense(clicks([x], [y], [0], [0], [width], [height]), 0, (12, 12))
    assert weights.sum() == pytest.approx(1)
    columns = np.indices((12, 12))[1]
    assert (weights[0] * (columns + 0.5)).sum() == pytest.approx(x + width / 2, abs=0.5)


def test_people_weigh_alike_however_often_they_click() -> None:
    marks = clicks([0, 0, 0, 3], [0, 0, 0, 3], [0] * 4, ["eager", "eager", "eager", "calm"])
    weights = dense(marks, 0, (4, 4))
    assert len(weights) == 2
    mean = weights.mean(axis=0)
    assert mean[0, 0] == mean[3, 3] == 0.5


def test_a_click_map_is_the_density_of_the_mean() -> None:
    marks = people_at([(12, 20)], 4, 2.0)
    weights = dense(marks, 0, (40, 40))
    np.testing.assert_allclose(click_map(marks, 0, (40, 40)), density(weights.mean(axis=0)))
    peak = np.unravel_index(click_map(marks, 0, (40, 40)).argmax(), (40, 40))
    assert np.hypot(peak[0] - 20, peak[1] - 12) < 3, "x is across, y is down"


def test_scores_are_those_of_each_picture() -> None:
    marks = people_at([(10, 10), (30, 30)], 3, 1.0)
    maps = [np.random.default_rng(one).random((40, 40)) for one in range(3)]
    found = scores(maps, marks, SCORES["nss"])
    for place in range(2):
        weights = dense(marks, place, (40, 40))
        assert found.pictures[place] == pytest.approx(SCORES["nss"].run(maps[place], weights.mean(axis=0)))
    assert math.isnan(found.pictures[2]), "nobody clicked there"
    assert found.mean.value == pytest.approx(np.mean(found.pictures[:2]))
    assert found.mean.low <= found.mean.value <= found.mean.high


def test_the_ceiling_of_two_people_is_one_against_the_other() -> None:
    marks = people_at([(10, 12)], 2, 3.0)
    found = split_half([(40, 40)], marks, [SCORES["cc"]], splits=3)[0]
    maps = [density(dense(marks, 0, (40, 40))[person]) for person in range(2)]
    expected = np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1]
    assert found.halves.mean.value == pytest.approx(expected)
    assert found.corrected == pytest.approx(2 * expected / (1 + expected))


@pytest.mark.slow
def test_people_who_agree_have_a_higher_ceiling_and_uncorrelated_scores_no_correction() -> None:
    score = [SCORES["spearman"]]
    near, far = (split_half([(40, 40)], people_at([(20, 20)], 8, spread), score)[0] for spread in (1, 12))
    assert near.halves.mean.value > far.halves.mean.value + 0.1
    again = split_half([(40, 40)], people_at([(20, 20)], 8, 1), score)[0]
    assert again == near
    assert math.isnan(split_half([(40, 40)], people_at([(20, 20)], 8, 1), [SCORES["auc-judd"]])[0].corrected)


def test_several_ceilings_at_once_are_those_of_each_score_alone() -> None:
    marks = people_at([(20, 20), (9, 30)], 6, 3)
    assert split_half([(40, 40)], marks, list(SCORES.values()), splits=4) == [
        *(split_half([(40, 40)], marks, [score], splits=4)[0] for score in SCORES.values())
    ]


def test_one_person_has_no_ceiling() -> None:
    found = split_half([(40, 40)], people_at([(20, 20)], 1, 1), [SCORES["cc"]])[0]
    assert math.isnan(found.halves.mean.value) and math.isnan(found.corrected)


def test_the_null_is_the_mean_over_the_clicks_of_other_pictures() -> None:
    marks = people_at([(10, 10), (30, 30), (20, 35)], 3, 1.0)
    maps = [click_map(marks, place, (40, 40)) for place in range(3)]
    found = shuffled_null(maps, marks, SCORES["nss"])
    for place in range(3):
        own = [
            SCORES["nss"].run(maps[place], dense(marks, other, (40, 40)).mean(axis=0))
            for other in range(3)
            if other != place
        ]
        assert found.pictures[place] == pytest.approx(np.mean(own))
    assert scores(maps, marks, SCORES["nss"]).mean.value > found.mean.value + 1


def test_clicks_move_with_the_size_of_the_picture() -> None:
    marks = clicks([10, 79.99], [20, 39.99], [0, 1], [0, 0])
    maps = [np.zeros((40, 40)), np.zeros((40, 80))]
    maps[0][39, 39] = 1  # where the last pixel of the wide picture lies in the square one
    found = shuffled_null(maps, marks, SCORES["auc-judd"])
    assert found.pictures[0] == 1.0


def test_a_map_that_knows_only_the_middle_is_worth_its_null() -> None:
    marks = people_at([(20, 20)] * 6, 5, 3.0)
    rows, columns = np.indices((40, 40))
    middle = np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / 60)
    own = scores([middle] * 6, marks, SCORES["nss"]).mean.value
    assert own == pytest.approx(shuffled_null([middle] * 6, marks, SCORES["nss"]).mean.value, abs=0.15)
    assert own > 1


def test_bad_clicks_are_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="x = 50 to 50, outside its image of 40 pixels"):
        click_map(clicks([50], [5], [0], [0]), 0, (40, 40))
    with pytest.raises(SettingError, match="y = 38 to 43, outside"):
        click_map(clicks([0], [38], [0], [0], [1], [5]), 0, (40, 40))
    with pytest.raises(SettingError, match="Nobody clicked in image 1"):
        click_map(clicks([5], [5], [0], [0]), 1, (40, 40))
    with pytest.raises(SettingError, match="negative size"):
        clicks([5], [5], [0], [0], [-1], [1])
    with pytest.raises(SettingError, match="σ is 0 pixels"):
        click_map(clicks([5], [5], [0], [0]), 0, (40, 40), sigma=0)
    with pytest.raises(SettingError, match="number of splits is 0"):
        split_half([(40, 40)], clicks([5], [5], [0], [0]), [SCORES["cc"]], splits=0)[0]
    with pytest.raises(SettingError, match="places must be finite"):
        clicks([math.nan], [5], [0], [0])
