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
    ],
)
def test_what_all_titles_begin_with_is_left_out(titles: list[str], names: list[str]) -> None:
    assert measures.apart(titles) == names
