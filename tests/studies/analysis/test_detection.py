"""Signal detection by hand: quantiles of the normal distribution, corrected as Hautus says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from decam.errors import SettingError
from decam.studies.analysis.detection import detection, sensitivity_and_criterion

COUNT = st.integers(0, 200)


def test_a_worked_table() -> None:
    sensitivity, criterion = sensitivity_and_criterion(20, 5, 10, 15)
    hit, false = norm.ppf(20.5 / 26), norm.ppf(10.5 / 26)
    assert float(sensitivity) == pytest.approx(hit - false)
    assert float(criterion) == pytest.approx(-(hit + false) / 2)


@pytest.mark.slow
@given(COUNT, COUNT, COUNT, COUNT)
def test_values_are_finite_and_symmetric(hits: int, misses: int, false: int, true: int) -> None:
    sensitivity, criterion = sensitivity_and_criterion(hits, misses, false, true)
    if hits + misses == 0 or false + true == 0:
        assert math.isnan(float(sensitivity)) and math.isnan(float(criterion))
        return
    assert math.isfinite(float(sensitivity)) and math.isfinite(float(criterion))
    swapped = sensitivity_and_criterion(false, true, hits, misses)
    assert float(swapped[0]) == pytest.approx(-float(sensitivity), abs=1e-9)
    turned = sensitivity_and_criterion(misses, hits, true, false)
    assert float(turned[1]) == pytest.approx(-float(criterion), abs=1e-9)


def test_a_simulated_observer_is_found() -> None:
    generator = np.random.default_rng(2)
    signal = np.tile([True, False], 20_000)
    evidence = generator.normal(size=40_000) + 1.5 * signal
    found = detection(evidence > 1.0, signal, np.repeat(np.arange(40), 1000), resamples=300)
    assert found.sensitivity.value == pytest.approx(1.5, abs=0.04)
    assert found.criterion.value == pytest.approx(1.0 - 0.75, abs=0.02)
    assert found.sensitivity.low < 1.5 < found.sensitivity.high
    assert found.hits + found.misses == found.false_alarms + found.rejections == 20_000


def test_trials_of_one_kind_are_refused() -> None:
    with pytest.raises(SettingError, match="trials of both kinds"):
        detection([True, False], [True, True], [0, 1])


def test_one_person_alone_gives_no_interval() -> None:
    found = detection([True, False, True, False], [True, True, False, False], ["p"] * 4)
    assert found.sensitivity.value == 0 and not found.sensitivity.known and not found.criterion.known
