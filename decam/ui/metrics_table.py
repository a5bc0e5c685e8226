"""The areas under all curves in one table, the best of each picture marked."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from decam.comparison import Cell
from decam.metrics import METRICS
from decam.snapshots import RunSnapshot
from decam.ui import run_grid

NOTE = (
    "Deletion and insertion ask the model about pictures that it never saw in training, and they judge only the "
    "*order* of the pixels: a map of fine noise can win deletion and lose insertion, and a good score says that the "
    "map fits the model, not that the model is right or that a person would agree. Rankings change with the fill, so "
    "compare both pairs; differences under about 0.03 on a few pictures are noise."
)

WORDS = ("Picture", "Target", "Method")
ROWS, HEIGHT = 14, 490  # a longer table scrolls within so many pixels, its head in sight


def show(snapshot: RunSnapshot, selected: Cell | None) -> None:
    """Draw the table; a click on a column's head sorts it."""
    del selected
    table = _table(snapshot)
    if table.empty:
        st.caption("The table fills as maps are finished and measured.")
        return
    if table["Picture"].nunique() > 1:
        st.markdown("**Mean over the pictures**")
        _draw(_means(table), "Means of the areas under the curves over all pictures")
        st.markdown("**Each map**")
    _draw(table, "Areas under the deletion and insertion curves of every map")
    st.caption(f"Best of each picture in bold. {NOTE}")


def _draw(table: pd.DataFrame, alt: str) -> None:
    numbers = [column for column in table.columns if column not in WORDS]
    st.dataframe(
        table.style.apply(_marked, axis=None),
        hide_index=True,
        width="stretch",
        height="content" if len(table) <= ROWS else HEIGHT,
        column_config={
            **{name: st.column_config.NumberColumn(name, format="%.3f") for name in numbers},
            "Evaluations": st.column_config.NumberColumn(
                "Evaluations", format="localized", help="Images through the model."
            ),
            "Seconds": st.column_config.NumberColumn("Seconds", format="%.2f"),
        },
        alt=alt,
    )


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """One row a method: the mean over its pictures, and how many they are."""
    numbers = [column for column in table.columns if column not in WORDS]
    grouped = table.groupby("Method", sort=False)
    means = grouped[numbers].mean(numeric_only=True).reset_index()
    means.insert(0, "Picture", grouped.size().map("mean of {}".format).to_list())
    return means


def _table(snapshot: RunSnapshot) -> pd.DataFrame:
    """One row a finished map."""
    rows: list[dict[str, object]] = []
    titles = snapshot.plan.titles()
    for place, cell in sorted(snapshot.cells.items()):
        if cell.explanation is None:
            continue
        row: dict[str, object] = {
            "Picture": f"{place.picture + 1}. {snapshot.plan.pictures[place.picture].name}",
            "Target": run_grid.label_of(snapshot.labels, cell.explanation.target),
            "Method": titles[place.method],
        }
        for fills in snapshot.plan.fills:
            curves = run_grid.curves_with(cell, fills)
            total = 0.0
            for metric in METRICS.values():
                auc = None if curves is None else run_grid.curve_of(curves, metric).auc
                row[f"{metric.title} ({run_grid.fill_of(fills, metric)})"] = auc
                total += metric.direction * (auc or 0.0)
            row[_difference(fills)] = None if curves is None else total
        row["Evaluations"] = cell.evaluations
        row["Seconds"] = cell.seconds
        rows.append(row)
    return pd.DataFrame(rows)


def _difference(fills: tuple[str, str]) -> str:
    return f"Ins − del ({'/'.join(reversed(fills))})"


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Bold for the best value of each picture in each column."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    lower = tuple(metric.title for metric in METRICS.values() if metric.direction < 0)
    for column in table.columns:
        if column in (*WORDS, "Evaluations", "Seconds"):
            continue
        values = pd.to_numeric(table[column]).groupby(table["Picture"])
        best = values.transform("min" if column.startswith(lower) else "max")
        many = values.transform("count") > 1
        styles.loc[(table[column] == best) & many, column] = "font-weight: 700; background-color: rgba(59,120,216,.18)"
    return styles
