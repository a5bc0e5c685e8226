"""Utility of explanations: what people predict better after training with maps than after training without.

The paper's (Colin et al. 2022, arXiv 2112.04417): people see K training pictures with the model's answers,
with or without maps, and then predict the model's answers to new pictures shown without maps. Utility-K is their
accuracy after K training pictures, divided by that of the control group without maps; the utility of a method is the
area under Utility-K over K.

Ours: the area is by the trapezoid rule and divided by the range of K, so that 1 means no help, whatever the values of
K; with one value of K it is Utility-K itself. We add the difference of the areas under accuracy, the method's minus
the control's, in shares of right answers, and intervals over participants, who are drawn within each condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from decam.errors import SettingError
from decam.studies.analysis.resampling import (
    RESAMPLES,
    Indices,
    Interval,
    Values,
    conditions_of,
    drawn,
    numbers,
    percentiles,
    same_length,
)


@dataclass(frozen=True)
class Utility:
    """One condition: accuracy and Utility-K after each number of training trials, and both areas.

    `accuracy` and `utility_k` have one interval for each of `trainings`. `utility` is the mean height of Utility-K (1
    is no help), `gain` that of accuracy above the control's. `participants` counts the people of the condition.
    """

    condition: Any
    participants: int
    trainings: tuple[int, ...]
    accuracy: tuple[Interval, ...]
    utility_k: tuple[Interval, ...]
    utility: Interval
    gain: Interval


def utilities(
    right: ArrayLike,
    conditions: ArrayLike,
    trainings: ArrayLike,
    participants: ArrayLike,
    control: Any,
    *,
    order: Sequence[Any] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Utility, ...]:
    """Utility of every condition over the control, the control itself included; one value of each array an answer.

    `trainings` says after how many training trials an answer at test was given. Intervals are 95 % percentiles over
    draws of participants. Raises SettingError where the control has no answers, where a condition lacks answers after
    a number of training trials that another has, or where nobody of the control was ever right.
    """
    same_length(right=right, conditions=conditions, trainings=trainings, participants=participants)
    answers = np.asarray(right, dtype=bool).astype(np.float64)
    names, places = conditions_of(conditions, order)
    if control not in names:
        raise SettingError(f"There is no condition {control!r}; there are: {', '.join(map(str, names))}.")
    steps, stages = np.unique(numbers(trainings, "training trials"), return_inverse=True)
    who = np.unique(np.asarray(participants), return_inverse=True)[1].reshape(-1)
    tables = [
        _accuracies(answers, stages, who, places == place, len(steps), str(name), resamples, seed + place)
        for place, name in enumerate(names)
    ]
    base = tables[names.index(control)][0]
    if (base[0] == 0).any():
        raise SettingError(f"Nobody of {control!r} was right after some number of trials, so no ratio exists.")
    return tuple(_utility(name, table, base, steps) for name, table in zip(names, tables, strict=True))


def _accuracies(
    answers: Values, stages: Indices, who: Indices, here: Indices, steps: int, name: str, resamples: int, seed: int
) -> tuple[Values, int]:
    """Accuracy after each number of trials, everybody first, then each resample: (1 + resamples) × steps."""
    people, codes = np.unique(who[here], return_inverse=True)
    totals = np.zeros((len(people), steps))
    hits = np.zeros((len(people), steps))
    np.add.at(totals, (codes.reshape(-1), stages[here]), 1)
    np.add.at(hits, (codes.reshape(-1), stages[here]), answers[here])
    if not len(people) or not totals.sum(axis=0).all():
        raise SettingError(f"The condition {name!r} has no answers after some number of training trials.")
    weights = np.vstack((np.ones(len(people)), drawn(len(people), resamples, seed)))
    counts = weights @ totals
    return np.divide(weights @ hits, counts, out=np.full_like(counts, np.nan), where=counts > 0), len(people)


def _utility(name: Any, table: tuple[Values, int], base: Values, steps: Values) -> Utility:
    found, people = table
    ratio = np.divide(found, base, out=np.full_like(found, np.nan), where=base > 0)
    return Utility(
        condition=name,
        participants=people,
        trainings=tuple(map(int, steps)),
        accuracy=tuple(percentiles(column[0], column[1:]) for column in found.T),
        utility_k=tuple(percentiles(column[0], column[1:]) for column in ratio.T),
        utility=_interval(mean_height(ratio, steps)),
        gain=_interval(mean_height(found - base, steps)),
    )


def mean_height(values: Values, steps: Values) -> Values:
    """The area under each row of values over the steps by the trapezoid rule, divided by the range of the steps."""
    if len(steps) == 1:
        only: Values = values[:, 0]
        return only
    areas: Values = np.asarray(np.trapezoid(values, steps, axis=1) / (steps[-1] - steps[0]))
    return areas


def _interval(samples: Values) -> Interval:
    return percentiles(float(samples[0]), samples[1:])
