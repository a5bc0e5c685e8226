"""Settings check themselves and say what was wrong."""

from dataclasses import dataclass

import pytest

from decam.errors import SettingError
from decam.methods import METHODS
from decam.metrics import METRICS
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class Example(Settings):
    count: int = parameter(3, "How many.", low=1, high=9)
    share: float = parameter(0.5, "How much.", low=0.0, high=1.0)
    fill: str = parameter("blur", "With what.", choices=("blur", "mean"))
    loud: bool = parameter(False, "Whether to say so.")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": 0}, "count is 0, but must lie between 1 and 9"),
        ({"count": 10}, "count is 10, but must lie between 1 and 9"),
        ({"count": 2.5}, "count must be a whole number, not 2.5"),
        ({"count": True}, "count must be a whole number, not True"),
        ({"share": float("nan")}, "share must be a finite number"),
        ({"share": "much"}, "share must be a number, not 'much'"),
        ({"fill": "pink"}, "fill is 'pink', but must be one of: blur, mean"),
        ({"loud": 1}, "loud must be true or false, not 1"),
        ({"cuont": 2}, "There is no setting 'cuont'.*Did you mean 'count'"),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Example.from_mapping(values)


def test_a_whole_number_is_a_number() -> None:
    assert Example.from_mapping({"share": 1}).share == 1


def test_settings_survive_a_round_through_a_mapping() -> None:
    chosen = Example(count=7, share=0.25, fill="mean", loud=True)
    assert Example.from_mapping(chosen.to_mapping()) == chosen


@dataclass(frozen=True)
class Told(Settings):
    steps: int = parameter(3, "How many.", low=1, high=9000)
    budget: int = parameter(3, "How many.", low=1, high=9000)
    noise: float = parameter(0.5, "How much.", low=0.0, high=1.0)
    fill: str = parameter("blur", "With what.", choices=("blur", "black"))
    layer: str = parameter("", "Where.", source="layers")
    follow_edges: bool = parameter(False, "Whether.")
    cells: int = parameter(7, "How many.", low=1, high=9, title="Cells a side")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", 196, "196 steps"),
        ("steps", 1, "1 step"),
        ("budget", 4000, "budget 4,000"),
        ("cells", 7, "7 cells a side"),
        ("noise", 0.01, "noise 0.01"),
        ("fill", "black", "black fill"),
        ("layer", "features.3", "layer features.3"),
        ("layer", "", "automatic layer"),
        ("follow_edges", True, "follow edges on"),
        ("follow_edges", False, "follow edges off"),
    ],
)
def test_a_value_is_told_with_what_it_is_a_value_of(name: str, value: int | float | str | bool, words: str) -> None:
    (described,) = (one for one in Told.parameters() if one.name == name)
    assert described.in_words(value) == words


@pytest.mark.parametrize("settings", [row.settings for row in (*METHODS.values(), *METRICS.values())])
def test_every_row_of_the_tables_has_a_complete_form(settings: type[Settings]) -> None:
    settings()
    for described in settings.parameters():
        assert described.help.endswith(".")
        if described.kind in (int, float):
            assert described.low is not None
            assert described.high is not None
            assert described.low <= float(described.default) <= described.high
        if described.kind is str:
            assert described.choices or described.source


@dataclass(frozen=True)
class Renamed(Settings):
    budget: int = parameter(3, "How many.", low=1, high=9000, earlier="masks")


def test_a_setting_is_read_by_the_name_that_it_had_in_earlier_versions() -> None:
    assert Renamed.from_mapping({"masks": 7}) == Renamed(budget=7)
    assert Renamed.from_mapping({"masks": 7}).to_mapping() == {"budget": 7}


def test_a_setting_given_by_both_of_its_names_is_refused() -> None:
    with pytest.raises(SettingError, match="'masks' is the earlier name of 'budget', and both are given"):
        Renamed.from_mapping({"masks": 7, "budget": 7})
