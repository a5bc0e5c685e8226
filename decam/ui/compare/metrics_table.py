"""All that was measured of a run's maps in one table, and what else can be measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from decam.errors import DecamError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.plan import MetricChoice, Plan
from decam.metrics import METRICS
from decam.metrics import get as get_metric
from decam.metrics.base import Metric
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.table import value_table
from decam.ui.components.table.value_table import Column, Row
from decam.ui.shared import metric_forms

NOTE = (
    "Metrics disagree, and none of them asks whether the model is right or a person would agree. Deletion and "
    "insertion see only the *order* of the pixels and ask the model about pictures that it never saw in training; "
    "rankings change with the fill, so compare both pairs. Differences under about 0.03 on a few pictures are noise. "
    "An asterisk has a note."
)


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
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
    columns = [_column(get_metric(choice.name), _detail(choice)) for choice in snapshot.plan.metrics]
    for deletion, insertion in _pairs(snapshot.plan):
        fills = "/".join(str(choice.settings.to_mapping()["fill"]) for choice in (insertion, deletion))
        family = get_metric(deletion.name).family
        columns.append(Column("Ins − del", 1, "Insertion less deletion.", fills, family, -1, 1))
    return [
        *columns,
        Column("Evaluations", 0, "Images through the model for the map.", family="cost", digits=0),
        Column("Seconds", 0, "Time for the map.", family="cost", digits=2),
    ]


def _pairs(plan: Plan) -> list[tuple[MetricChoice, MetricChoice]]:
    """Deletion and insertion in the order in which the plan has them: the first of each, the second of each, …"""
    deletions, insertions = ([one for one in plan.metrics if one.name == name] for name in ("deletion", "insertion"))
    return list(zip(deletions, insertions, strict=False))


def _column(metric: Metric, detail: str) -> Column:
    return Column(metric.title, metric.direction, metric.summary, detail, metric.family, metric.low, metric.high)


def _detail(choice: MetricChoice) -> str:
    """The settings that are not the metric's own."""
    usual = get_metric(choice.name).settings().to_mapping()
    return ", ".join(str(value) for name, value in choice.settings.to_mapping().items() if value != usual[name])


def _rows(snapshot: RunSnapshot) -> list[Row]:
    """One row a finished map."""
    titles = snapshot.plan.titles()
    return [
        _row(snapshot, key, cell, titles[key.method])
        for key, cell in sorted(snapshot.cells.items())
        if cell.explanation is not None
    ]


def _row(snapshot: RunSnapshot, key: CellKey, cell: Cell, title: str) -> Row:
    measured = [cell.measurements.get(choice.key) for choice in snapshot.plan.metrics]
    differences = [_difference(cell, *pair) for pair in _pairs(snapshot.plan)]
    values = [*(None if one is None else one.value for one in measured), *differences]
    notes = [*("" if one is None else one.note for one in measured), *("" for _ in differences), "", ""]
    picture = f"{key.question + 1}. {snapshot.plan.picture_of(key.question).name}"
    return Row((picture, title), (*values, cell.evaluations, cell.seconds), tuple(notes), picture)


def _difference(cell: Cell, deletion: MetricChoice, insertion: MetricChoice) -> float | None:
    """Insertion less deletion, the better the higher; None before both are known."""
    removed, shown = cell.measurements.get(deletion.key), cell.measurements.get(insertion.key)
    return None if removed is None or shown is None else shown.value - removed.value


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
    with st.popover("More metrics", icon=":material/add:", help="Measure the same maps in other ways."):
        chosen = metric_forms.choice(METRICS, f"more-{snapshot.id}")
        choices = metric_forms.forms(chosen, f"more-{snapshot.id}")
        new = [choice for choice in choices if choice not in snapshot.plan.metrics]
        if len(new) < len(choices):
            st.caption("What the run has with the same settings is not measured again.")
        st.button(
            "Measure",
            key="measure-more",
            type="primary",
            disabled=not new,
            on_click=_measure,
            args=(snapshot.id, new),
        )


def _measure(run: str, choices: Sequence[MetricChoice]) -> None:
    try:
        state.runs().measure(run, choices)
    except DecamError as error:
        st.session_state["problem"] = str(error)
