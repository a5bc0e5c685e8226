"""How many people a study needs: its own trials simulated for each number of people, and the test run on them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from decam.settings import Settings, parameter
from decam.shares import percent
from decam.studies import tasks
from decam.studies.analysis.power import (
    Apart,
    ForcedChoice,
    PowerCurve,
    PowerProgress,
    Preferred,
    SimulatedAccuracy,
    SimulatedRatings,
    paired_difference,
    power,
    unpaired_difference,
)
from decam.studies.design import Study, StudyError
from decam.studies.road import road
from decam.studies.tasks.ranking import RANKING
from decam.studies.tasks.rating import RatingSettings

SIZES = 10
"""Numbers of people that are tried, evenly from the fewest to the most."""


@dataclass(frozen=True)
class SampleSettings(Settings):
    """Which numbers of people are tried, and how sure the study is to be."""

    fewest: int = parameter(5, "The fewest people to try.", low=2, high=5000)
    most: int = parameter(60, "The most people to try.", low=3, high=10_000)
    goal: float = parameter(0.8, "The power to reach: how often a true effect is found.", low=0.5, high=0.99, step=0.05)
    repetitions: int = parameter(200, "Simulated studies for each number of people.", low=20, high=5000)
    seed: int = parameter(0, "The same seed gives the same curve.", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class PairSettings(Settings):
    """Two methods, one preferred to the other; all others lie half way between them."""

    gap: float = parameter(
        0.5,
        "How much stronger the better one is, in log-strength; 0.5 wins 62 of 100 pairs.",
        low=0.0,
        high=5.0,
        step=0.1,
    )
    spread: float = parameter(0.5, "Standard deviation of people's own log-strengths.", low=0.0, high=5.0, step=0.1)


@dataclass(frozen=True)
class Plan:
    """A row of the table: for tasks of one `result`, what is assumed, the simulated data, and the test.

    `assumed` gives settings that fit the study's own trials; `simulator` turns them into what `analysis.power` calls.
    """

    result: str
    title: str
    test_title: str
    assumed: Callable[[Study], Settings]
    simulator: Callable[[Study, Any], Callable[..., Any]]
    test: Callable[[Any], float]


def _pairs(study: Study, settings: PairSettings) -> ForcedChoice:
    count = len(study.conditions)
    middle = (0.0,) * (count - 2)
    return ForcedChoice((settings.gap / 2, -settings.gap / 2, *middle), _trials(study, "preference"), settings.spread)


def _ratings(study: Study) -> Settings:
    chosen = [
        block.task.settings for block in study.blocks if block.task and tasks.get(block.task.name).result == "ratings"
    ]
    points = next((int(one.points) for one in chosen if isinstance(one, RatingSettings)), 5)
    return SimulatedRatings(mean=(points + 1) / 2, points=points, trials=_in_each(study, "ratings"))


def _accuracy(study: Study) -> Settings:
    return SimulatedAccuracy(trials=_in_each(study, "accuracy"))


def _in_each(study: Study, result: str) -> int:
    """How many trials one person answers in each condition that the person sees."""
    seen = 1 if _is_between(study) else max(len(study.conditions), 1)
    return max(1, _trials(study, result) // seen)


def _is_between(study: Study) -> bool:
    return study.assignment.subjects == "between"


PLANS: tuple[Plan, ...] = (
    Plan(
        "preference", "Forced choice", "Student's t of people's shares of wins against one half",
        lambda _study: PairSettings(), _pairs, Preferred(0, 1),
    ),
    Plan(
        "ratings", "Rating", "Student's t of people's differences between two conditions", _ratings,
        lambda _study, settings: settings, paired_difference,
    ),
    Plan(
        "accuracy", "Forward simulation and distinction", "Student's t of people's differences between two conditions",
        _accuracy, lambda _study, settings: settings, paired_difference,
    ),
)  # fmt: skip


def plans(study: Study) -> tuple[Plan, ...]:
    """The rows that fit the study's trials, and its people: each sees all conditions, or one of them.

    Between subjects a forced choice has none: what people prefer is compared across people who saw other pairs.
    """
    steps = [step for step in road(study, 0) if step.kind == "trials" and step.task != RANKING.name]
    results = Counter(step.task and tasks.get(step.task).result for step in steps)
    offered = [plan for plan in PLANS if results[plan.result]]
    if _is_between(study):
        return tuple(_between(plan, len(study.conditions)) for plan in offered if plan.result != "preference")
    return tuple(plan for plan in offered if plan.result != "preference" or len(study.conditions) > 1)


def _between(plan: Plan, conditions: int) -> Plan:
    """The row for a study in which each person sees one of so many conditions."""
    return dataclasses.replace(
        plan,
        test_title="Welch's t of people's means between two conditions, each seen by other people",
        simulator=lambda study, assumed: Apart(plan.simulator(study, assumed), max(conditions, 2)),
        test=unpaired_difference,
    )


def sample_size(
    study: Study, plan: Plan, assumed: Settings, settings: SampleSettings
) -> Generator[PowerProgress, None, PowerCurve]:
    """The power of a study for several numbers of people; yields progress, and closing cancels.

    Each simulated person answers as many trials as the study's first sequence has. Raises StudyError where the fewest
    people are not fewer than the most.
    """
    if settings.fewest >= settings.most:
        raise StudyError(f"The fewest people, {settings.fewest}, must be fewer than the most, {settings.most}.")
    step = (settings.most - settings.fewest) / (SIZES - 1)
    sizes = sorted({round(settings.fewest + place * step) for place in range(SIZES)})
    simulate = plan.simulator(study, assumed)
    return power(simulate, plan.test, sizes, settings.repetitions, settings.seed, goal=settings.goal)


def sentence(plan: Plan, assumed: Settings, settings: SampleSettings, curve: PowerCurve) -> str:
    """How many people the study needs and why, as it is written into a plan."""
    basis = (
        f"{settings.repetitions:,} simulated studies for each of {len(curve.sizes)} numbers of people. "
        f"Test: {plan.test_title}, two-sided, p below {curve.level:g}. Assumed: "
        + ", ".join(one.in_words(getattr(assumed, one.name)) for one in assumed.parameters())
        + "."
    )
    goal = percent(curve.goal, 0)
    at = next((one for one in curve.sizes if one.size == curve.least), None)
    if at is None:
        last = curve.sizes[-1]
        return (
            f"No number of people up to {last.size:,} reaches a power of {goal}; with {last.size:,} it is "
            f"{percent(last.fitted, 0)}, in {basis}"
        )
    return f"{at.size:,} people, for a power of {percent(at.fitted, 0)} where {goal} was wanted, in {basis}"


def _trials(study: Study, result: str) -> int:
    """How many trials of a kind of result one person answers."""
    return max(
        1,
        sum(
            bool(step.task) and tasks.get(step.task).result == result and step.kind == "trials"
            for step in road(study, 0)
        ),
    )
