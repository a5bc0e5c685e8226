"""A search for a backdoor: class maps of the cheapest patterns, and the class for which one is oddly cheap.

An attacked class needs less than the others: the trigger is a pattern that leads to it from any picture (Wang et al.
2019, section III). The search asks for the cheapest pattern of each class in several measures, since each trigger is
cheap in its own. An attack may also lead each class to another (Gu et al. 2017). No class is then cheaper than the
others, but a pattern that moves all of them is cheaper than one that moves them by chance. The search's plan asks for
class maps, and what it says is a reading of the finished grid.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from decam.classifier import Classifier, Execution
from decam.errors import SettingError
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.experiments.kinds.base import Kind, Reading
from decam.experiments.plan import MethodChoice, Plan
from decam.explanation import ClassExplanation
from decam.methods import get_class_method
from decam.methods.base import ClassMethod, Costs, ScoreUnit
from decam.methods.class_level.bases import MEASURES
from decam.methods.class_level.scoring import LEAST
from decam.methods.class_level.shuffle import SHUFFLE
from decam.methods.class_level.smallest import SMALLEST
from decam.methods.class_level.smallest_black_box import SMALLEST_BLACK_BOX
from decam.models import load_classifier

BACKDOORS = "backdoors"
SEEDS = (0, 1, 2)
SHUFFLED = ("pixels", "colour")
"""Measures in which a pattern that moves all classes is searched; an all-to-all attack may stand out in one alone."""
THRESHOLD = 2.5
"""Score from which a class counts as suspicious."""


@dataclass(frozen=True)
class Suspicion:
    """How odd one class is: `score`, the larger the cheaper its pattern beside what it is compared with.

    A score of 1 is typical of the cheapest class of a clean model. Of the patterns that lead all images to one class,
    that of one class alone can have a score above 0. A pattern that moves all classes gives them all one score.

    `low` and `high` are the lowest and the highest score of a seed. `measure` is the title of the method in which the
    class stands out most.
    """

    target: int
    label: str
    score: float
    low: float
    high: float
    measure: str
    sentence: str


def plan(
    model: str | Classifier,
    device: str,
    *,
    seeds: Sequence[int] = SEEDS,
    methods: Sequence[MethodChoice] = (),
    execution: Execution | None = None,
) -> Plan:
    """The plan that looks for the cheapest patterns of every class of a model, once with each seed.

    `model` is a classifier or the name of one, which is loaded. `methods` are those of `measures` unless given.
    Raises what loading raises, and SettingError for a model of fewer than `LEAST` classes.
    """
    classifier = load_classifier(model, device=device) if isinstance(model, str) else model
    check_classes(len(classifier.labels), classifier.name)
    targets = range(len(classifier.labels))
    chosen = tuple(methods) or measures(classifier)
    asked = class_maps.plan([classifier.name], device, targets, chosen, seeds=seeds, execution=execution)
    return dataclasses.replace(asked, kind=BACKDOORS)


def measures(classifier: Classifier) -> tuple[MethodChoice, ...]:
    """The methods whose costs are compared, in several measures, or the variant that asks for answers only."""
    if "gradients" not in classifier.provides:
        return (MethodChoice.default(SMALLEST_BLACK_BOX.name),)
    return (
        *(MethodChoice.default(SMALLEST.name, basis=basis) for basis in MEASURES),
        *(MethodChoice.default(SHUFFLE.name, basis=basis) for basis in SHUFFLED),
    )


def check_classes(count: int, name: str) -> None:
    """Raise SettingError where there are too few classes to say that one is odd."""
    if count < LEAST:
        raise SettingError(
            f"{name} has {count} classes, and a class is odd beside the others only among at least {LEAST}: "
            "ask for a class map of each class instead."
        )


def scored(choice: MethodChoice, costs: Costs) -> Costs | None:
    """The scores that a method's costs (one a class) give; None for a method whose maps have no cost."""
    scores = get_class_method(choice.name).scores
    return None if scores is None else scores(choice.settings, costs)


def comparable(grid: Grid) -> bool:
    """True if a grid asks one model alone about classes, so that `suspicions` can compare them."""
    return grid.plan.about_classes and len({question.model for question in grid.plan.questions}) == 1


def suspicions(grid: Grid) -> tuple[Suspicion, ...]:
    """How odd each class is, the oddest first; empty where no method of the grid has costs for enough classes yet.

    A class's score with one seed is the largest over the measures; its score is the median over the seeds. Leads
    count before deviations, for scores of two units cannot be compared. Raises SettingError where the grid asks
    several models.
    """
    if len({question.model for question in grid.plan.questions}) > 1:
        raise SettingError("The maps are of several models, and classes are compared within one: ask one model.")
    titles = grid.plan.titles()
    found = []
    for target, by_seed in _scores(grid).items():
        largest = [max(values.values()) for values in by_seed.values()]
        methods = {method for values in by_seed.values() for method in values}
        typical = {
            method: statistics.median(values.get(method, -math.inf) for values in by_seed.values())
            for method in sorted(methods)
        }
        best = max(typical, key=lambda method: typical[method])
        label, score = grid.label_of(target), statistics.median(largest)
        row = get_class_method(grid.plan.methods[best].name)
        sentence = _sentence(row, label, score, titles[best])
        found.append(Suspicion(target, label, score, min(largest), max(largest), titles[best], sentence))
    return tuple(sorted(found, key=lambda one: -one.score))


def _scores(grid: Grid) -> dict[int, dict[int, dict[int, float]]]:
    """Scores by class, seed and method."""
    costs: dict[tuple[int, int], dict[int, float]] = {}
    for key, cell in sorted(grid.cells.items()):
        explanation, question = cell.explanation, grid.plan.questions[key.question]
        if not isinstance(explanation, ClassExplanation) or question.unit is not None or question.also:
            continue
        if explanation.cost > 0:
            costs.setdefault((question.seed, key.method), {})[explanation.target] = explanation.cost
    units = {row.unit for row in (get_class_method(choice.name) for choice in grid.plan.methods) if row.scores}
    unit = next((one for one in get_args(ScoreUnit) if one in units), None)
    found: dict[int, dict[int, dict[int, float]]] = {}
    for (seed, method), by_class in costs.items():
        choice = grid.plan.methods[method]
        if get_class_method(choice.name).unit != unit:
            continue
        values = scored(choice, np.array(list(by_class.values())))
        for target, value in zip(by_class, [] if values is None else values.tolist(), strict=values is not None):
            if math.isfinite(value):
                found.setdefault(target, {}).setdefault(seed, {})[method] = value
    return found


def _sentence(row: ClassMethod, label: str, score: float, measure: str) -> str:
    if score >= THRESHOLD:
        return (
            f"{row.odd.format(label=label)} (score {score:.1f}, {measure}): look whether it is an attacker's trigger."
        )
    return f"A pattern for “{label}” is not oddly cheap (score {score:.1f})."


def verdict(found: Sequence[Suspicion]) -> str:
    """What a search says of its model, in a sentence that follows from the scores and the threshold."""
    if not found:
        return "The search has no costs for enough classes yet, so it says nothing."
    odd = [one for one in found if one.score >= THRESHOLD]
    if not odd:
        return (
            f"No class stands out: the highest score is {found[0].score:.1f} (“{found[0].label}”), below the threshold "
            f"of {THRESHOLD:g}. That proves nothing: a trigger of another form may be there all the same."
        )
    names = ", ".join(f"“{one.label}” ({one.score:.1f})" for one in odd)
    noun = "class stands" if len(odd) == 1 else "classes stand"
    return f"{len(odd)} {noun} out above the threshold of {THRESHOLD:g}: {names}."


def _reading(grid: Grid) -> tuple[Reading, ...]:
    """The verdict once there is a map, then each class that is suspicious; nothing of several models."""
    if not comparable(grid) or all(cell.explanation is None for cell in grid.cells.values()):
        return ()
    found = suspicions(grid)
    odd = (Reading(one.label, one.sentence) for one in found if one.score >= THRESHOLD)
    return (Reading("", verdict(found)), *odd)


KIND = Kind(name=BACKDOORS, title="Earlier searches", noun="search", facts=class_maps.facts, reading=_reading)
