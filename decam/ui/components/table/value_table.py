"""A table of values that sorts by a click on a head, with a bar behind each value and the best of each group marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

import streamlit as st

from decam.ui.components import component_key, source, styles

_TABLE = st.components.v2.component(
    "decam_table", css=styles("shared/base.css", "table/table.css"), js=source("table/table.js")
)


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    `direction` is +1 where higher is better, −1 where lower is, 0 where neither; `low` and `high` bound the values,
    None where nothing does: bars then reach as far as the values do. `detail` stands under the title.
    """

    title: str
    direction: int = 0
    help: str = ""
    detail: str = ""
    family: str = ""
    low: float | None = None
    high: float | None = None
    digits: int = 3
    bars: bool = True


@dataclass(frozen=True)
class Row:
    """A line: its words, its values or None, notes on the values, and the group within which the best is marked."""

    words: tuple[str, ...]
    values: tuple[float | None, ...]
    notes: tuple[str, ...] = ()
    group: str = ""


def show(title: str, words: Sequence[str], columns: Sequence[Column], rows: Sequence[Row], *, key: str) -> None:
    """Draw the table. A screen reader reads `title`; `words` are the heads of the columns of words."""
    _TABLE(key=component_key(key), data=payload(title, words, columns, rows))


def payload(title: str, words: Sequence[str], columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    """The data for the browser, ready for JSON."""
    finite = [replace(row, values=tuple(_finite(value) for value in row.values)) for row in rows]
    best = [_best(column.direction, place, finite) for place, column in enumerate(columns)]
    return {
        "title": title,
        "words": list(words),
        "columns": [
            {name: value for name, value in asdict(column).items() if name not in ("low", "high", "bars")}
            | {"reach": _reach(column, [row.values[place] for row in finite])}
            for place, column in enumerate(columns)
        ],
        "rows": [
            {
                "words": list(row.words),
                "values": list(row.values),
                "notes": list(row.notes) or [""] * len(columns),
                "group": row.group,
                "best": [number in chosen for chosen in best],
            }
            for number, row in enumerate(finite)
        ],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _best(direction: int, place: int, rows: Sequence[Row]) -> set[int]:
    """The rows with the best value of their group, ties included, where at least two have one."""
    groups: dict[str, list[tuple[float, int]]] = {}
    for number, row in enumerate(rows):
        value = row.values[place]
        if value is not None:
            groups.setdefault(row.group, []).append((direction * value, number))
    chosen: set[int] = set()
    for members in groups.values():
        if direction and len(members) > 1:
            top = max(members)[0]
            chosen |= {number for value, number in members if value == top}
    return chosen


def _reach(column: Column, values: Sequence[float | None]) -> tuple[float, float] | None:
    """The values at which a bar is empty and full; None for a column without bars."""
    there = [value for value in values if value is not None]
    if not column.bars or not there:
        return None
    low = min(0.0, *there) if column.low is None else column.low
    high = max(0.0, *there) if column.high is None else column.high
    return low, high
