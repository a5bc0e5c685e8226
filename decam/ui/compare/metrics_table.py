"""All that was measured of a run's maps in one table, and what else can be measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from decam.errors import DecamError
from decam.experiments.events import Cell
from decam.experiments.plan import Fills, MetricChoice
from decam.metrics import CURVES, METRICS
from decam.metrics.base import Metric
from decam.runs.snapshots import CellSnapshot, RunSnapshot
from decam.ui import state, text
from decam.ui.compare import run_grid
from decam.ui.components.table import value_table
from decam.ui.components.table.value_table import Column, Row
from decam.ui.shared import metric_forms

NOTE = (
    "Metrics disagree, and none of them asks whether the model is right or a person would agree. Deletion and "
    "insertion see only the *order* of the pixels and ask the model about pictures that it never saw in training; "
    "rankings change with the fill, so compare both pairs. Differences under about 0.03 on a few pictures are noise. "
    "An asterisk has a note."
)


def show(snapshot: RunSnapshot, selected: Cell | None) -> None:
    """Draw the table; a click on a column's head sorts it."""
    del selected
    columns, rows, empty = _without_empty(_columns(snapshot), _rows(snapshot))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Bars show each value in its range, the best of each picture in bold.", width="stretch")
        _more(snapshot)
    if not rows:
        st.caption("The table fills as maps are finished and measured.")
        return
    if len({row.group for row in rows}) > 1:
        st.markdown("**Mean over the pictures**")
        means = _means(rows)
        value_table.show("Means over all pictures", ("Method",), columns, means, key=f"means-{snapshot.id}")
        st.markdown("**Each map**")
    value_table.show("Values of every map", ("Picture", "Method"), columns, rows, key=f"values-{snapshot.id}")
    if told := _told(columns, rows):
        with st.expander("Notes on values with an asterisk"):
            st.markdown("\n".join(told))
    if empty:
        st.caption(f"Left out, for they say nothing here: {', '.join(empty)}. Localisation needs ground truth.")
    st.caption(NOTE)


def _told(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
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


def _without_empty(columns: list[Column], rows: list[Row]) -> tuple[list[Column], list[Row], list[str]]:
    """The table without metrics that have judged every map and have a value for none; their titles."""
    said = [[row.values[place] for row in rows] for place in range(len(columns))]
    silent = [bool(values) and all(value is not None and np.isnan(value) for value in values) for values in said]
    kept = [place for place, nothing in enumerate(silent) if not nothing]
    rows = [
        replace(row, values=tuple(row.values[k] for k in kept), notes=tuple(row.notes[k] for k in kept)) for row in rows
    ]
    titles = [column.title for column, nothing in zip(columns, silent, strict=True) if nothing]
    return [columns[place] for place in kept], rows, titles


def _columns(snapshot: RunSnapshot) -> list[Column]:
    curves = [column for fills in snapshot.plan.fills for column in _curve_columns(fills)]
    return [
        *curves,
        *(_column(METRICS[choice.name], _detail(choice)) for choice in snapshot.plan.metrics),
        Column("Evaluations", 0, "Images through the model for the map.", family="cost", digits=0),
        Column("Seconds", 0, "Time for the map.", family="cost", digits=2),
    ]


def _curve_columns(fills: Fills) -> list[Column]:
    areas = [_column(metric, run_grid.fill_of(fills, metric)) for metric in CURVES]
    pair = "/".join(reversed(fills))
    return [*areas, Column("Ins − del", 1, "Insertion less deletion.", pair, CURVES[0].family, -1, 1)]


def _column(metric: Metric, detail: str) -> Column:
    return Column(metric.title, metric.direction, metric.summary, detail, metric.family, metric.low, metric.high)


def _detail(choice: MetricChoice) -> str:
    """The settings that are not the metric's own."""
    usual = METRICS[choice.name].settings().to_mapping()
    return ", ".join(str(value) for name, value in choice.settings.to_mapping().items() if value != usual[name])


def _rows(snapshot: RunSnapshot) -> list[Row]:
    """One row a finished map."""
    titles = snapshot.plan.titles()
    return [
        _row(snapshot, place, cell, titles[place.method])
        for place, cell in sorted(snapshot.cells.items())
        if cell.explanation is not None
    ]


def _row(snapshot: RunSnapshot, place: Cell, cell: CellSnapshot, title: str) -> Row:
    values: list[float | None] = []
    for fills in snapshot.plan.fills:
        values += _areas(cell, fills)
    judged = [cell.judgements.get(choice.name) for choice in snapshot.plan.metrics]
    notes = [*[""] * len(values), *("" if said is None else said.note for said in judged), "", ""]
    values += [None if said is None else said.value for said in judged]
    picture = f"{place.picture + 1}. {snapshot.plan.pictures[place.picture].name}"
    return Row((picture, title), (*values, cell.evaluations, cell.seconds), tuple(notes), picture)


def _areas(cell: CellSnapshot, fills: Fills) -> list[float | None]:
    """Under the curves, and the difference that is the better the higher."""
    curves = run_grid.curves_with(cell, fills)
    if curves is None:
        return [None] * (len(CURVES) + 1)
    areas = [run_grid.curve_of(curves, metric).auc for metric in CURVES]
    return [*areas, sum(metric.direction * area for metric, area in zip(CURVES, areas, strict=True))]


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
    """Offer the metrics that this run has not been judged by."""
    there = {choice.name for choice in snapshot.plan.metrics}
    left = {name: metric for name, metric in metric_forms.OFFERED.items() if name not in there}
    with st.popover(
        "More metrics", icon=":material/add:", disabled=not left, help="Measure the same maps in other ways."
    ):
        chosen = metric_forms.choice(left, f"more-{snapshot.id}")
        choices = metric_forms.forms(chosen, f"more-{snapshot.id}")
        st.button(
            "Measure",
            key="measure-more",
            type="primary",
            disabled=not choices,
            on_click=_measure,
            args=(snapshot.id, choices),
        )


def _measure(run: str, choices: Sequence[MetricChoice]) -> None:
    try:
        state.runs().measure(run, metrics=choices)
    except DecamError as error:
        st.session_state["problem"] = str(error)
