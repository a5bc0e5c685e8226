"""Measures are told apart by what differs between them."""

from __future__ import annotations

import pytest

from decam.ui.backdoors import measures


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (["Cheapest · pixels basis", "Cheapest · waves basis"], ["Pixels basis", "Waves basis"]),
        (["Cheapest · pixels basis", "Cleanse · waves basis"], ["Cheapest · pixels basis", "Cleanse · waves basis"]),
        (["Cheapest", "Cheapest · waves basis"], ["Cheapest", "Cheapest · waves basis"]),
        (["Cheapest"], ["Cheapest"]),
        (
            ["Cheapest · pixels", "Cheapest · waves", "Cheapest · blocks", "Shuffle · pixels", "Shuffle · waves"],
            ["Pixels", "Waves", "Blocks", "Shuffle · pixels", "Shuffle · waves"],
        ),
    ],
)
def test_what_most_titles_begin_with_is_left_out(titles: list[str], names: list[str]) -> None:
    assert measures.apart(titles) == names
