"""All that was measured of a run's maps in one table, and what else can be measured of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from decam.experiments.cells import Cell, CellKey
from decam.experiments.kinds.leading import DISAGREE, NOISE
from decam.experiments.plan import MetricChoice, Plan, paired_metrics
from decam.export.tables import REUSED
from decam.metrics import METRICS
from decam.metrics import get as get_metric
from decam.metrics.taxonomy import FAMILIES
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.table import value_table
from decam.ui.components.table.value_table import Column, Row
from decam.ui.runs import measure_more
from decam.ui.shared import metric_forms

NOTE = (
    f"{DISAGREE} Deletion and insertion see only the *order* of the pixels and ask the model about images that it "
    f"never saw in training; rankings change with the fill, so compare both pairs. {NOISE} An asterisk has a note."
)

SPENDING = (
    "Images that the model has answered for this run: predictions, maps and metrics. What comes from earlier runs cost "
    "this run nothing. A column counts a map's own evaluations alone."
)


@dataclass(frozen=True)
class _Part:
    """A column of the table with what it shows of a map: the value and its note."""

    column: Column
    read: Callable[[Cell], tuple[float | None, str]]


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the table; a click on a column's head sorts it."""
    del selected
    columns, rows, empty = _table(snapshot)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Bars show where a value lies between the worst and the best possible. Bold is the best of that image.",
            width="stretch",
        )
        _more(snapshot)
    if not rows:
        st.caption("The table fills as maps are finished and measured.")
        return
    if len({row.group for row in rows}) > 1:
        st.markdown("**Mean over the images**")
        means = _means(rows)
        value_table.show("Means over all images", ("Method",), columns, means, key=f"means-{snapshot.id}")
        st.markdown("**Each map**")
    value_table.show("Values of every map", ("Image", "Method"), columns, rows, key=f"values-{snapshot.id}")
    if lines := _note_lines(columns, rows):
        with st.expander("Notes on values with an asterisk"):
            st.markdown("\n".join(lines))
    if empty:
        st.caption(
            f"Not shown, because they have no value here: {', '.join(empty)}. "
            "Localisation metrics need a ground truth: mark the object on the image's card."
        )
    st.caption(f"In all {text.spending(snapshot.grid)}.", help=SPENDING)
    st.caption(NOTE)


def _note_lines(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """Each note once, with the column and the maps that it is about, as lines of a list."""
    about: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for column, note in zip(columns, row.notes, strict=True):
            if note:
                about.setdefault((column.title, note), []).append(row.words[-1])
    return [
        f"- **{text.plain(title)}** ({text.plain(', '.join(dict.fromkeys(methods)))}): {text.plain(note)}"
        for (title, note), methods in about.items()
    ]


def _table(snapshot: RunSnapshot) -> tuple[list[Column], list[Row], list[str]]:
    """Columns, one row a finished map, and the titles of metrics left out: they have no value for any map."""
    cells = [(key, cell) for key, cell in sorted(snapshot.cells.items()) if cell.explanation is not None]
    parts = _parts(snapshot.plan)
    empty = [part for part in parts if cells and all(_is_nan(part.read(cell)[0]) for _, cell in cells)]
    shown = [part for part in parts if part not in empty]
    titles = snapshot.plan.titles()
    rows = []
    for key, cell in cells:
        values, notes = zip(*(part.read(cell) for part in shown), strict=True)
        picture = f"{key.question + 1}. {snapshot.plan.picture_of(key.question).name}"
        rows.append(Row((picture, titles[key.method]), values, notes, picture))
    return [part.column for part in shown], rows, [part.column.title for part in empty]


def _is_nan(value: float | None) -> bool:
    return value is not None and np.isnan(value)


def _parts(plan: Plan) -> list[_Part]:
    """One column a metric choice, the difference of a pair right after the pair, then what the maps cost."""
    after = {own: _difference(own, other) for own, other in paired_metrics(plan.metrics)}
    parts: list[_Part] = []
    for choice in plan.metrics:
        parts.append(_Part(_column(choice, plan), partial(_measured, key=choice.key)))
        if choice in after:
            parts.append(after[choice])
    order = list(FAMILIES)
    return [
        *sorted(parts, key=lambda part: order.index(part.column.family)),  # metrics asked for later join their family
        _Part(
            Column("Evaluations", 0, "Images through the model for the map.", family="cost", digits=0),
            lambda cell: (cell.evaluations, REUSED if cell.reused else ""),
        ),
        _Part(Column("Seconds", 0, "Time for the map.", family="cost", digits=2), lambda cell: (cell.seconds, "")),
    ]


def _measured(cell: Cell, key: str) -> tuple[float | None, str]:
    measurement = cell.measurements.get(key)
    return (None, "") if measurement is None else (measurement.value, measurement.note)


def _difference(own: MetricChoice, other: MetricChoice) -> _Part:
    """A metric less another one, as insertion less deletion; no value before both are known."""
    metric, subtracted = get_metric(own.name), get_metric(other.name)
    assert metric.difference is not None  # the row says that the two are read together

    def read(cell: Cell) -> tuple[float | None, str]:
        values = [_measured(cell, choice.key)[0] for choice in (own, other)]
        return (None if values[0] is None or values[1] is None else values[0] - values[1]), ""

    fills = "/".join(str(choice.settings.to_mapping()["fill"]) for choice in (own, other))
    help = f"{metric.title} less {subtracted.title.lower()}, with the fills {fills}."
    low = None if metric.low is None or subtracted.high is None else metric.low - subtracted.high
    high = None if metric.high is None or subtracted.low is None else metric.high - subtracted.low
    return _Part(Column(metric.difference.title, metric.direction, help, fills, metric.family, low, high), read)


def _column(choice: MetricChoice, plan: Plan) -> Column:
    """The metric's column. Under its title stand the fill and what tells it from the same metric beside it."""
    metric, values = get_metric(choice.name), choice.settings.to_mapping()
    same = [other.settings.to_mapping() for other in plan.metrics if other.name == choice.name]
    differing = [name for name in values if any(other[name] != values[name] for other in same)]
    detail = [
        str(values[name]) if name == "fill" else f"{name} {values[name]}"
        for name in values
        if name == "fill" or name in differing
    ]
    settings = ", ".join(f"{name} {value}" for name, value in values.items())
    help = f"{metric.summary} Settings: {settings}." if settings else metric.summary
    return Column(metric.title, metric.direction, help, ", ".join(detail), metric.family, metric.low, metric.high)


def _means(rows: Sequence[Row]) -> list[Row]:
    """One row a method: the mean over the pictures for which there is a value."""
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row.words[-1], []).append(row)
    return [
        Row((title,), tuple(map(_mean, zip(*(row.values for row in same), strict=True))))
        for title, same in methods.items()
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(there)) if there else None


def _more(snapshot: RunSnapshot) -> None:
    """Offer every metric, those of the run with other settings too."""
    if not state.may_change(snapshot):
        return
    opened = f"more-metrics-{snapshot.id}"
    with measure_more.popover("More metrics", opened, "Measure the same maps with other metrics or fills."):
        chosen = metric_forms.choice(METRICS, f"more-{snapshot.id}", "Metrics")
        choices = metric_forms.forms(chosen, f"more-{snapshot.id}")
        new = [choice for choice in choices if choice not in snapshot.plan.metrics]
        if len(new) < len(choices):
            st.caption("The run has these already: " + _titles(set(choices) - set(new)) + ". Change a setting.")
        measure_more.button(snapshot.id, new, key="measure-more", opened=opened)


def _titles(choices: Collection[MetricChoice]) -> str:
    return ", ".join(get_metric(choice.name).title for choice in choices)
