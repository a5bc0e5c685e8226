"""A search for a backdoor: class maps of the cheapest patterns, and the class for which one is oddly cheap.

An attacked class needs less than the others: the trigger is a pattern that leads to it from any picture (Wang et al.
2019, section III). The search asks for the cheapest pattern of each class in several measures, since each trigger is
cheap in its own. It is a plan of class maps like any other, and what it says is a reading of the finished grid.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Classifier, Execution
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MethodChoice, Plan
from decam.explanation import ClassExplanation
from decam.models import load_classifier

SEEDS = (0, 1, 2)
LEAST = 5
"""Classes below which the spread of their costs says nothing."""
THRESHOLD = 4.0
"""Score from which a class counts as suspicious."""
FLAT = 0.05
"""Smallest spread of logarithms of costs: costs that differ by less than a twentieth do not differ."""
NORMAL = 1.4826  # a median absolute deviation times this estimates a normal distribution's standard deviation
Costs: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Suspicion:
    """How odd one class is: `score` in deviations, the larger the cheaper its pattern beside those of other classes.

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
    Raises what loading raises, and SettingError for a model of two classes or fewer.
    """
    classifier = load_classifier(model, device) if isinstance(model, str) else model
    check_classes(len(classifier.labels), classifier.name)
    targets = range(len(classifier.labels))
    chosen = tuple(methods) or measures(classifier)
    return class_maps.plan([classifier.name], device, targets, chosen, seeds=seeds, execution=execution)


def measures(classifier: Classifier) -> tuple[MethodChoice, ...]:
    """The methods whose costs are compared: all with gradients, or the black-box variant for answers alone."""
    del classifier
    return (MethodChoice.default("universal"),)


def check_classes(count: int, name: str) -> None:
    """Raise SettingError where there are too few classes to say that one is odd."""
    if count < LEAST:
        raise SettingError(
            f"{name} has {count} classes, and a class is odd beside the others only among at least {LEAST}: "
            "ask for a class map of each class instead."
        )


def anomalies(costs: Costs) -> Costs:
    """(median − log cost) / (1.4826 · MAD) of each class, the medians over classes (Wang et al. 2019, section IV-C).

    `costs` are positive, NaN where unknown; the deviation is at least `FLAT`. NaN for fewer than `LEAST` known costs.
    """
    logs = np.log(costs)
    known = logs[np.isfinite(logs)]
    if len(known) < LEAST:
        return np.full_like(logs, math.nan)
    middle = np.median(known)
    deviation = max(NORMAL * float(np.median(np.abs(known - middle))), FLAT)
    found: Costs = (middle - logs) / deviation
    return found


def suspicions(grid: Grid) -> tuple[Suspicion, ...]:
    """How odd each class is, the oddest first; empty where no method of the grid has costs for enough classes yet.

    A class's score with one seed is the largest over the measures; its score is the median over the seeds.
    """
    scores = _scores(grid)
    titles = grid.plan.titles()
    found = []
    for target in class_maps.targets_of(grid.plan):
        if not isinstance(target, tuple) or len(target) != 1:
            continue
        own = scores.get(target[0])
        if not own:
            continue
        by_seed = [max(values.values()) for values in own.values()]
        score = statistics.median(by_seed)
        methods = {method for values in own.values() for method in values}
        best = max(methods, key=lambda one: statistics.median(v.get(one, -math.inf) for v in own.values()))
        label = grid.label_of(target[0])
        sentence = _sentence(label, score, titles[best])
        found.append(Suspicion(target[0], label, score, min(by_seed), max(by_seed), titles[best], sentence))
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
    found: dict[int, dict[int, dict[int, float]]] = {}
    for (seed, method), by_class in costs.items():
        values = anomalies(np.array(list(by_class.values())))
        for target, value in zip(by_class, values.tolist(), strict=True):
            if math.isfinite(value):
                found.setdefault(target, {}).setdefault(seed, {})[method] = value
    return found


def _sentence(label: str, score: float, measure: str) -> str:
    if score >= THRESHOLD:
        return (
            f"A pattern for “{label}” is oddly cheap beside those of the other classes ({score:.1f} deviations, "
            f"{measure}): look whether it is an attacker's trigger."
        )
    return f"A pattern for “{label}” costs about what it costs for other classes ({score:.1f} deviations)."


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
