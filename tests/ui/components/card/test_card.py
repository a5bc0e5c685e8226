"""What a browser may send of a card."""

from __future__ import annotations

import pytest

from decam.ui.components.card.card import Bar, read

BARS = [Bar(3, "star", 0.9, "90 %", 1, True), Bar(7, "ring", 0.1, "10 %", 2)]


def test_a_press_on_a_bar_is_its_class() -> None:
    assert [read(bar.index, BARS) for bar in BARS] == [3, 7]


@pytest.mark.parametrize("sent", [None, 4, -1, "3", True, [3], {"index": 3}, 3.0])
def test_whatever_else_a_browser_sends_is_no_class(sent: object) -> None:
    assert read(sent, BARS) is None
