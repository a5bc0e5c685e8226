"""The pure part of the benchmark of the page; times are never tested."""

from __future__ import annotations

from benchmarks.page import Waits, waits_table


def test_first_visits_have_lines_and_later_ones_their_medians() -> None:
    warm = [Waits(0.5, 1.0, 4.0), Waits(1.5, 3.0, 6.0), Waits(1.0, 2.0, 9.0)]
    assert waits_table(Waits(4.0, 8.0, 9.0), Waits(2.75, 7.5, 8.25), warm).splitlines() == [
        "| | page, s | from Explain to the first finished map, s | to the finished comparison, s |",
        "|---|---|---|---|",
        "| the first visit of all | 4.00 | 8.00 | 9.00 |",
        "| the first after a second start | 2.75 | 7.50 | 8.25 |",
        "| later ones, median of 3 | 1.00 (0.50 to 1.50) | 2.00 (1.00 to 3.00) | 6.00 (4.00 to 9.00) |",
    ]
