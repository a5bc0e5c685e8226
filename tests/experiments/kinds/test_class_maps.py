"""What a run of class maps says: maps made up so that what they are worth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps, reading
from decam.experiments.kinds.base import Reading
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassExplanation, Target, Unit

GOAL = MethodChoice.default("input-agnostic", goal=0.9)
NO_GOAL = MethodChoice.default("universal")


def made(fidelity: float, control: float = 0.1, choice: MethodChoice = GOAL) -> ClassExplanation:
    zeros = np.zeros((3, 4, 4), np.float32)
    return ClassExplanation(
        choice.name, zeros[0], 0, "star", fidelity, choice.settings, 0, 1, 0.1, map=zeros, baseline=0.2,
        control=control, norm=1.0,
    )  # fmt: skip


def found(
    maps: Sequence[ClassExplanation | None],
    targets: Sequence[int | Target] = (0,),
    methods: Sequence[MethodChoice] = (GOAL,),
    seeds: int = 1,
) -> Grid:
    """A run whose first cells hold these maps."""
    plan = class_maps.plan(["m"], "cpu", targets, methods, seeds=range(seeds))
    empty = Grid.empty(plan, (), labels=("star", "ring"))
    there = {key: Cell().explained(one) for key, one in zip(plan.cells(), maps, strict=False) if one is not None}
    return replace(empty, cells={**empty.cells, **there})


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            made(0.974),
            "The mean probability is 0.97 with the map, 0.20 without, 0.10 with a random map of the same size. "
            "It reaches the goal of 0.90.",
        ),
        (
            made(0.5),
            "The mean probability is 0.50 with the map, 0.20 without, 0.10 with a random map of the same size. "
            "It is below the goal of 0.90.",
        ),
        (
            made(0.5, choice=NO_GOAL),
            "The mean probability is 0.50 with the map, 0.20 without, 0.10 with a random map of the same size.",
        ),
        (
            made(0.104),
            "The mean probability is 0.10 with the map, 0.20 without, 0.10 with a random map of the same size. "
            "No better than a random map, so it shows nothing that the model looks for.",
        ),
    ],
)
def test_a_map_is_told_beside_its_control_and_its_goal(one: ClassExplanation, sentence: str) -> None:
    assert reading(found([one])) == (Reading("star", sentence),)


def test_what_is_shown_decides_what_is_said() -> None:
    """0.896 is shown as 0.90, so nobody is told that 0.90 is below 0.90."""
    assert "reaches the goal" in reading(found([made(0.896)]))[0].sentence
    assert "is below" in reading(found([made(0.894)]))[0].sentence


def test_a_value_that_is_not_known_is_a_dash_and_judges_nothing() -> None:
    (one,) = reading(found([made(0.5, control=math.nan)]))
    assert "– with a random map" in one.sentence and "nan" not in one.sentence and "No better" not in one.sentence
    (one,) = reading(found([made(math.nan)]))
    assert "goal" not in one.sentence and "No better" not in one.sentence


def test_of_several_maps_it_is_said_first_how_many_are_better_than_random() -> None:
    whole, *parts = reading(found([made(0.97), made(0.1), made(0.5, control=math.nan)], targets=[0, 1, (0, 1)]))
    assert whole == Reading("", "1 of 2 maps is better than a random map of the same size.")
    assert [one.subject for one in parts] == ["star", "ring", "star + ring"]


def test_a_unit_is_told_by_the_share_of_samples_in_three_digits() -> None:
    unit = Unit("blocks.1", 3)
    (one,) = reading(found([made(0.104, control=0.1004)], targets=[unit]))
    assert one.subject == "blocks.1, channel 3"
    assert one.sentence.startswith(
        "The share of samples on which the unit is strongly active is 0.104 with the map, 0.200 without, 0.100 with a "
        "random map of the same size."
    )
    assert "No better" not in one.sentence, "0.104 is above 0.100"


def test_the_words_are_those_that_the_gallery_always_had() -> None:
    one = replace(made(0.974, control=0.112), baseline=0.1)
    assert class_maps.worth(one, False) == "0.97 with the map, 0.10 without, 0.11 with a random map of the same size"
    high = replace(made(12.345, control=1.0), baseline=-0.5)
    assert class_maps.worth(high, True) == "12.3 with the map, −0.500 without, 1.00 with a random map of the same size"
    assert class_maps.nothing(made(0.104), False) == "No better than a random map", "0.10 is not above 0.10"
    assert class_maps.nothing(made(0.11), False) == class_maps.nothing(made(0.104), True) == ""


def test_seeds_and_methods_tell_maps_apart_where_there_are_several() -> None:
    grid = found([made(0.97)] * 4, methods=[GOAL, NO_GOAL], seeds=2)
    subjects = [one.subject for one in reading(grid)[1:]]
    titles = grid.plan.titles()
    assert subjects == [f"star · seed {seed} · {title}" for seed in (0, 1) for title in titles]
    assert class_maps.map_title(found([None]).plan, CellKey(0, 0)) == ""


def test_maps_that_failed_or_are_still_to_come_say_nothing() -> None:
    empty = found([None])
    assert reading(empty) == ()
    failed = replace(empty, cells={CellKey(0, 0): Cell().failed("No memory.")})
    assert reading(failed) == ()
    assert len(reading(found([made(0.97), None], targets=[0, 1]))) == 1
