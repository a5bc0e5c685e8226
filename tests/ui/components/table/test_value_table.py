"""What the table of values sends to the browser."""

from __future__ import annotations

import json
import math

import pytest
from streamlit.testing.v1 import AppTest

from decam.ui.components.table.value_table import Column, Row, payload

COLUMNS = (Column("Lower", -1, low=0, high=1), Column("Higher", 1), Column("Cost", 0, bars=False))
ROWS = (
    Row(("a", "one"), (0.25, -2.0, 10), group="a"),
    Row(("a", "two"), (0.5, 4.0, 20), group="a"),
    Row(("b", "one"), (0.75, None, 30), group="b"),
    Row(("b", "two"), (0.75, math.nan, 40), ("", "It is constant.", ""), group="b"),
)


def test_the_best_of_each_group_is_marked_ties_included_and_no_cost() -> None:
    sent = payload("Values", ("Image", "Method"), COLUMNS, ROWS)
    assert [row["best"] for row in sent["rows"]] == [
        [True, False, False],
        [False, True, False],
        [True, False, False],
        [True, False, False],
    ]


def test_one_value_alone_is_not_the_best() -> None:
    (row,) = payload("Values", ("Method",), COLUMNS[:1], [Row(("one",), (0.5,))])["rows"]
    assert row["best"] == [False]


def test_bars_reach_as_far_as_the_bounds_or_the_values_do() -> None:
    columns = payload("Values", ("Image", "Method"), COLUMNS, ROWS)["columns"]
    assert [column["reach"] for column in columns] == [(0, 1), (-2.0, 4.0), None]


def test_what_is_no_number_is_sent_as_nothing_with_its_note() -> None:
    sent = json.loads(json.dumps(payload("Values", ("Image", "Method"), COLUMNS, ROWS), allow_nan=False))
    assert sent["rows"][3]["values"] == [0.75, None, 40]
    assert sent["rows"][3]["notes"] == ["", "It is constant.", ""]
    assert sent["rows"][0]["notes"] == ["", "", ""]


@pytest.mark.parametrize("rows", [(), (Row(("a",), (None,)),)])
def test_a_table_without_values_has_no_bars(rows: tuple[Row, ...]) -> None:
    (column,) = payload("Values", ("Method",), COLUMNS[:1], rows)["columns"]
    assert column["reach"] is None


def _page_of_a_run_with_underlines_in_its_link() -> None:
    from decam.ui.components.table.value_table import Column, Row, show

    show("Values", ("Method",), (Column("Cost", 0),), (Row(("one",), (1,)),), key="values-a__b_")


@pytest.mark.slow
def test_a_table_is_drawn_whatever_the_link_of_its_run() -> None:
    app = AppTest.from_function(_page_of_a_run_with_underlines_in_its_link, default_timeout=30).run()
    assert not app.exception
    assert len(app.get("bidi_component")) == 1
