"""Shares as they are read, with their corners written by hand."""

from __future__ import annotations

import pytest

from decam.shares import done, percent, whole


@pytest.mark.parametrize(("step", "total", "text"), [(0, 8, "0 %"), (3, 8, "37 %"), (9, 8, "100 %"), (3, 0, "")])
def test_shares_never_say_more_than_is_done(step: int, total: int, text: str) -> None:
    assert done(step, total) == text


@pytest.mark.parametrize(
    ("share", "places", "text"),
    [(0.4, 0, "40 %"), (0.9996, 0, "100 %"), (0.1234, 1, "12.3 %"), (-0.07, 0, "−7 %"), (0.000321, 2, "0.03 %")],
)
def test_a_share_has_as_many_places_as_are_asked_for(share: float, places: int, text: str) -> None:
    assert percent(share, places) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-9, "under 1 %"), (0.005, "under 1 %"), (0.9951, "over 99 %"), (1, "100 %"), (0.5, "50 %")],
)
def test_a_whole_percentage_is_nothing_or_all_only_where_the_share_is(share: float, text: str) -> None:
    assert whole(share) == text
