"""What is said of a name that there is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from decam.errors import MethodError, SettingError, named, row_of, unknown


@dataclass(frozen=True)
class Row:
    name: str


ROWS = (Row("star"), Row("ring"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("starr", "There is no shape 'starr'; there are: star, ring. Did you mean 'star'?"),
        ("heptagon", "There is no shape 'heptagon'; there are: star, ring."),
        ("", "There is no shape ''; there are: star, ring."),
        (7, "There is no shape 7; there are: star, ring."),
        (None, "There is no shape None; there are: star, ring."),
    ],
)
def test_an_unknown_name_is_told_with_those_there_are_and_the_nearest(name: object, said: str) -> None:
    assert unknown("shape", name, ["star", "ring"]) == said


def test_where_there_are_none_that_is_said() -> None:
    assert unknown("setting", "size", iter(())) == "There is no setting 'size'; there are: none."


def test_a_row_is_found_by_its_name_and_nothing_else_is() -> None:
    assert named("shape", "ring", ROWS, SettingError) is ROWS[1]
    with pytest.raises(MethodError, match=r"no shape 'rings'; there are: star, ring\. Did you mean 'ring'\?"):
        named("shape", "rings", ROWS, MethodError)
    with pytest.raises(SettingError, match=r"no shape 'ring'; there are: none\."):
        named("shape", "ring", (), SettingError)


def test_a_row_of_a_table_is_found_by_its_key_whatever_a_file_asks_for() -> None:
    table = {"star": 5, "ring": 0}
    assert row_of("shape", "ring", table, SettingError) == 0
    for name in ("Star", None, 5, ["star"], {}):
        with pytest.raises(SettingError, match=r"There is no shape .*; there are: star, ring\."):
            row_of("shape", name, table, SettingError)  # type: ignore[arg-type]
