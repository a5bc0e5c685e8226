"""Krippendorff's own worked examples (2011), α written out in loops, and what has no agreement to measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.analysis.agreement import LEVELS, Level, alpha

N = math.nan
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
NAMES = [[1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1], [2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4]]
MANY = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]


@pytest.mark.parametrize(
    ("answers", "level", "expected"),
    [
        (BINARY, "nominal", 0.095),
        (NAMES, "nominal", 0.692),
        (MANY, "nominal", 0.743),
        (MANY, "ordinal", 0.815),
        (MANY, "interval", 0.849),
    ],
)
def test_the_worked_examples(answers: list[list[float]], level: Level, expected: float) -> None:
    found = alpha(answers, level, resamples=20)
    assert round(found.alpha.value, 3) == expected
    assert found.raters == len(answers)


def plain_alpha(table: np.ndarray, level: str) -> float:
    """1 − observed over expected disagreement, pair by pair."""
    units = [[value for value in column if not math.isnan(value)] for column in table.T]
    units = [unit for unit in units if len(unit) > 1]
    everything = sorted(value for unit in units for value in unit)

    def distance(first: float, second: float) -> float:
        if level == "nominal":
            return float(first != second)
        if level == "interval":
            return (first - second) ** 2
        low, high = sorted((first, second))
        between = sum(1 for value in everything if low <= value <= high)
        ends = sum(1 for value in everything if value == low) + sum(1 for value in everything if value == high)
        return (between - ends / 2) ** 2 if low != high else 0.0

    observed = sum(
        distance(unit[i], unit[j]) / (len(unit) - 1)
        for unit in units
        for i in range(len(unit))
        for j in range(len(unit))
        if i != j
    ) / len(everything)
    pairs = [distance(a, b) for i, a in enumerate(everything) for j, b in enumerate(everything) if i != j]
    expected = sum(pairs) / (len(everything) * (len(everything) - 1))
    return 1 - observed / expected if expected else math.nan


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, 4.0, N]), min_size=15, max_size=15), st.sampled_from(LEVELS))
def test_alpha_is_that_of_all_pairs(cells: list[float], level: Level) -> None:
    table = np.array(cells).reshape(3, 5)
    if not (np.isfinite(table).sum(axis=0) > 1).any():
        return
    found = alpha(table, level, resamples=1).alpha.value
    expected = plain_alpha(table, level)
    assert (math.isnan(found) and math.isnan(expected)) or found == pytest.approx(expected, abs=1e-9)


def test_the_interval_draws_units_and_is_seeded() -> None:
    found = alpha(MANY, "ordinal", resamples=300, seed=1)
    assert found == alpha(MANY, "ordinal", resamples=300, seed=1)
    assert found.units == 11, "one unit was answered once"
    assert found.alpha.low < found.alpha.value < found.alpha.high <= 1
    one = alpha(np.array(MANY)[:, :1], "ordinal", resamples=10)
    assert math.isnan(one.alpha.value)


def test_full_agreement_is_one_and_one_answer_of_all_is_undefined() -> None:
    assert alpha([[1, 2, 3], [1, 2, 3]], "interval", resamples=10).alpha.value == 1
    assert math.isnan(alpha([[2, 2], [2, 2]], "nominal", resamples=10).alpha.value)


def test_bad_input_is_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="no level of measurement 'ratio'; there are: nominal, ordinal, interval"):
        alpha(MANY, "ratio")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="No question was answered by two people"):
        alpha([[1, N], [N, 2]], "nominal")
    with pytest.raises(SettingError, match=r"raters × units, not of shape \(3,\)"):
        alpha([1, 2, 3], "nominal")
