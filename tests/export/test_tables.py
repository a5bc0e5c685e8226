"""CSV files as a spreadsheet opens them: no text of a stranger is run, every number stays one."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.export.tables import cell, csv_bytes, curves_csv, metric_names, metrics_csv, number
from decam.metrics import Curve, Measurement

NASTY = (
    *("=1+1", "+cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x", "-", "=", "'=1"),
    *('=HYPERLINK("http://example.org","a")', "-1.png", "+1 (555) 0100"),
)
PLAIN = ("cat.png", "it's", "'quoted'", "a=b", "", "Füße", "1-2", "x@y", " =1")
NUMBERS = ("-0.5", "+3", "-1e-09", "-12", "-inf", "nan", "0.25")


def read_back(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def formula(text: str) -> bool:
    """What a spreadsheet runs: it begins with a sign of a formula, and is no number."""
    try:
        float(text)
    except ValueError:
        return text.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    return "\n" in text


@pytest.mark.parametrize("text", NASTY)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    (head, (written,)) = read_back(csv_bytes([text], [[text]]))
    assert head == [written] == [f"'{text}"]
    assert not formula(written)


@pytest.mark.parametrize("text", PLAIN)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert read_back(csv_bytes(["a", "b"], [[text, 1]]))[1] == [text, "1"]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_stay_numbers(text: str) -> None:
    assert cell(text) == text
    assert cell(number(float(text))) == number(float(text))
    assert cell(float(text)) is not None and not isinstance(cell(float(text)), str)
    assert cell(np.float32(-0.5)) == np.float32(-0.5)


def test_taking_one_apostrophe_away_gives_every_text_back() -> None:
    for text in (*NASTY, *PLAIN, "''=1", "'-x"):
        written = str(cell(text))
        runs = written.startswith("'") and formula(written.lstrip("'"))
        assert (written[1:] if runs else written) == text


def test_names_classes_and_notes_of_an_export_are_no_formulas(grid: Grid) -> None:
    pictures = tuple(dataclasses.replace(choice, name=f"={choice.name}") for choice in grid.plan.pictures)
    cells = {
        key: dataclasses.replace(
            cell, explanation=dataclasses.replace(cell.explanation, label="@class", notes=("+note",))
        )
        for key, cell in grid.cells.items()
    }
    nasty = dataclasses.replace(
        grid,
        plan=dataclasses.replace(grid.plan, pictures=pictures),
        labels=tuple(f"-{label}" for label in grid.labels),
        cells=cells,
    )
    for content in (metrics_csv(nasty), curves_csv(nasty)):
        rows = read_back(content)
        assert not any(formula(text) for row in rows for text in row)
        assert {row[1][:2] for row in rows[1:]} == {"'="}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ([("deletion", {})], ["deletion"]),
        ([("deletion", {}), ("road", {})], ["deletion", "road"]),
        (
            [("deletion", {"fill": "mean"}), ("deletion", {"fill": "blur"})],
            ["deletion (fill=mean)", "deletion (fill=blur)"],
        ),
        (
            [("deletion", {"fill": "mean", "steps": 9}), ("deletion", {"fill": "blur"}), ("sparsity", {})],
            ["deletion (steps=9, fill=mean)", "deletion (steps=196, fill=blur)", "sparsity"],
        ),
    ],
)
def test_a_metric_asked_for_with_several_settings_names_those_that_differ(
    grid: Grid, settings: list[tuple[str, dict[str, object]]], names: list[str]
) -> None:
    choices = tuple(MetricChoice.default(name, **given) for name, given in settings)
    plan = dataclasses.replace(grid.plan, metrics=choices)
    assert metric_names(plan) == {choice.key: name for choice, name in zip(choices, names, strict=True)}


def test_a_curve_at_which_nobody_looked_has_no_top_class(grid: Grid) -> None:
    choice = MetricChoice.default("road")
    curve = Curve(np.array([0.25, 0.5], np.float32), np.array([0.5, -0.125], np.float32))
    key = CellKey(1, 2)
    cell = dataclasses.replace(grid.cells[key], measurements={choice.key: Measurement("road", 0.2, curve)})
    plan = dataclasses.replace(grid.plan, metrics=(choice,))
    _, *rows = read_back(curves_csv(dataclasses.replace(grid, plan=plan, cells={key: cell})))
    begin = ["2", "CON", "rectangle", "random-2", "road"]
    assert rows == [[*begin, "0.25", "0.5", "", "", ""], [*begin, "0.5", "-0.125", "", "", ""]]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_is_read_back_from_what_is_written_and_has_no_noise(value: float) -> None:
    text = number(np.float32(value))
    assert np.float32(float(text)) == np.float32(value)
    digits = re.sub(r"e.*|[-.]", "", text).strip("0")
    # Independent: no shorter number of significant digits gives the same float32.
    assert all(np.float32(float(f"{value:.{fewer}e}")) != np.float32(value) for fewer in range(len(digits) - 1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.02), "0.02"), (float(np.float32(0.1)), "0.1"), (0.0, "0"), (1.0, "1"),
        (1234567.0, "1234567"), (float("nan"), ""), (1e300, "1e+300"), (float("inf"), "inf"),
        (1e-10, "1e-10"), (np.float32(1e-10), "1e-10"), (1 / 3, "0.333333333"),
    ],
)  # fmt: skip
def test_numbers_as_they_are_written(value: float, text: str) -> None:
    assert number(value) == text


def test_shares_of_a_curve_have_no_noise(grid) -> None:
    shares = {row["share"] for row in csv.DictReader(io.StringIO(curves_csv(grid).decode()))}
    assert shares and all(len(share) <= 12 for share in shares)
