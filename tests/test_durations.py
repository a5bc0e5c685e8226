"""Times as they are read: one rule, with its corners written by hand."""

from __future__ import annotations

import math

import pytest

from decam.durations import duration

BY_HAND = [
    (0.0, "under 0.1 s"),
    (0.049, "under 0.1 s"),
    (0.42, "0.4 s"),
    (4.0, "4.0 s"),
    (9.94, "9.9 s"),
    (9.96, "10 s"),
    (12.5, "13 s"),
    (45.2, "45 s"),
    (59.4, "59 s"),
    (59.5, "1 min 0 s"),
    (75.0, "1 min 15 s"),
    (185.0, "3 min 5 s"),
    (3599.4, "59 min 59 s"),
    (3599.5, "1 h 0 min"),
    (3900.0, "1 h 5 min"),
    (90_000.0, "25 h 0 min"),
]


@pytest.mark.parametrize(("seconds", "text"), BY_HAND)
def test_a_time_is_written_as_the_rule_says(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_written_time_is_the_time_to_within_half_of_its_last_unit() -> None:
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    for seconds in [0.1 * step for step in range(1, 900)] + [60.0 * step for step in range(1, 300)]:
        parts = duration(seconds).split(" ")
        read = sum(float(value) * units[unit] for value, unit in zip(parts[::2], parts[1::2], strict=True))
        last = 0.1 if "." in parts[-2] else units[parts[-1]]
        assert math.isclose(read, seconds, rel_tol=0, abs_tol=last / 2 + 1e-9), seconds
