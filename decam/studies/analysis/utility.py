"""Utility of explanations: what people predict better after training with maps than after training without.

Colin et al.'s (2022, arXiv 2112.04417): people see K training pictures with the model's answers, with or without maps,
and then predict the model's answers to new pictures shown without maps. Utility-K is their accuracy after K training
pictures, divided by that of the control group without maps. The utility of a method is the area under Utility-K over K.
The paper's text was not at hand when this was written; compare it before you report a utility as theirs.

This project's: the area is by the trapezoid rule and divided by the range of K, so that 1 means no help, whatever the
values of K; with one value of K it is Utility-K itself. This project's too are the difference of the areas under
accuracy, the method's minus the control's, in shares of right answers, and the intervals over participants, who are
drawn within each condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from decam.errors import SettingError, unknown
from decam.intervals import RESAMPLES, Interval, Values, drawn, percentiles
from decam.studies.analysis.resampling import Indices, conditions_of, numbered, numbers, same_length


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
        raise SettingError(unknown("condition", control, map(str, names)))
    steps, stages = np.unique(numbers(trainings, "training trials"), return_inverse=True)
    who = numbered(participants)[1]
    tables = [
        _accuracies(answers, stages, who, places == place, len(steps), str(name), resamples, seed + place)
        for place, name in enumerate(names)
    ]
    base = tables[names.index(control)]
    if (base.accuracy[0] == 0).any():
        raise SettingError(f"Nobody of {control!r} was right after some number of trials, so no ratio exists.")
    return tuple(_utility(name, table, base, steps) for name, table in zip(names, tables, strict=True))


@dataclass(frozen=True, eq=False)
class _Learned:
    """A condition's accuracy after each number of trials, everybody first, then each resample: (1 + resamples) × steps.

    `units` counts the people behind each step, `people` all of the condition.
    """

    accuracy: Values
    units: Indices
    people: int


def _accuracies(
    answers: Values, stages: Indices, who: Indices, here: Indices, steps: int, name: str, resamples: int, seed: int
) -> _Learned:
    people, codes = numbered(who[here])
    totals = np.zeros((people, steps))
    hits = np.zeros((people, steps))
    np.add.at(totals, (codes, stages[here]), 1)
    np.add.at(hits, (codes, stages[here]), answers[here])
    if not people or not totals.sum(axis=0).all():
        raise SettingError(f"The condition {name!r} has no answers after some number of training trials.")
    weights = np.vstack((np.ones(people), drawn(people, resamples, seed)))
    counts = weights @ totals
    shares = np.divide(weights @ hits, counts, out=np.full_like(counts, np.nan), where=counts > 0)
    return _Learned(shares, (totals > 0).sum(axis=0), people)


def _utility(name: Any, own: _Learned, base: _Learned, steps: Values) -> Utility:
    found = own.accuracy
    ratio = np.divide(found, base.accuracy, out=np.full_like(found, np.nan), where=base.accuracy > 0)
    both = np.minimum(own.units, base.units)
    least = int(both.min())
    return Utility(
        condition=name,
        participants=own.people,
        trainings=tuple(map(int, steps)),
        accuracy=_intervals(found, own.units),
        utility_k=_intervals(ratio, both),
        utility=_interval(mean_height(ratio, steps), least),
        gain=_interval(mean_height(found - base.accuracy, steps), least),
    )


def mean_height(values: Values, steps: Values) -> Values:
    """The area under each row of values over the steps by the trapezoid rule, divided by the range of the steps."""
    if len(steps) == 1:
        only: Values = values[:, 0]
        return only
    areas: Values = np.asarray(np.trapezoid(values, steps, axis=1) / (steps[-1] - steps[0]))
    return areas


def _intervals(samples: Values, units: Indices) -> tuple[Interval, ...]:
    return tuple(_interval(column, int(count)) for column, count in zip(samples.T, units, strict=True))


def _interval(samples: Values, units: int) -> Interval:
    return percentiles(float(samples[0]), samples[1:], units)
