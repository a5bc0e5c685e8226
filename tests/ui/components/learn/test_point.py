"""A place that a browser sends: two shares, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from decam.ui.components.learn import point


def test_a_place_is_two_shares() -> None:
    assert point.read([0.25, 1]) == (0.25, 1.0)


@pytest.mark.parametrize(
    "sent", [None, "", "ab", [0.5], [0.1, 0.2, 0.3], [0.5, 1.5], [-0.1, 0], ["x", 0], {"x": 1}, [float("nan"), 0]]
)
def test_anything_else_is_no_place(sent: Any) -> None:
    assert point.read(sent) is None
