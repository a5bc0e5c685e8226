"""Tables of what metrics say of methods over the pictures of a benchmark, and of how alike metrics rank the methods."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decam.benchmark.candidates import Candidate
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked
from decam.benchmark.statistics import means
from decam.benchmark.text import execution, table
from decam.experiments.plan import MetricChoice
from decam.intervals import Interval, Values
from decam.metrics import Metric
from decam.metrics import get as get_metric


def origin(outcomes: Outcomes) -> str:
    """Which versions and which ways to ask the models the maps come from; empty where there is no map."""
    made = sorted({f"torch {one.torch}, decam {one.decam}, Python {one.python}" for one in outcomes.versions})
    ways = sorted({execution(one) for one in outcomes.executions})
    return f"Maps made with {'; '.join(made)}, in {'; '.join(ways)}." if made else ""


@dataclass(frozen=True)
class Scores:
    """One metric's values, pictures × candidates.

    NaN where nothing is there (`measured` False) or the metric says nothing.
    """

    metric: Metric
    values: Values
    measured: NDArray[np.bool_]

    @property
    def turned(self) -> Values:
        """The values with more being better."""
        return self.metric.direction * self.values

    @property
    def title(self) -> str:
        """The metric's title with an arrow to where it is better."""
        return f"{self.metric.title} {self.metric.arrow}"


def scores(
    outcomes: Outcomes, questions: Sequence[Sequence[Asked]], candidates: Sequence[Candidate], metric: MetricChoice
) -> Scores:
    """The values of a metric that are there; `questions` has a line a picture and in it a question a candidate."""
    shape = (len(questions), len(candidates))
    values, measured = np.full(shape, math.nan), np.zeros(shape, np.bool_)
    for line, asked in enumerate(questions):
        for column, (question, candidate) in enumerate(zip(asked, candidates, strict=True)):
            outcome = outcomes.get(question, candidate.choice)
            if outcome is not None and metric.key in outcome.values:
                values[line, column], measured[line, column] = outcome.values[metric.key], True
    return Scores(get_metric(metric.name), values, measured)


def complete(one: Scores, other: Scores) -> tuple[Values, Values]:
    """Two metrics turned so that more is better, on the pictures and for the candidates that both have measured.

    Candidates that one of them has nowhere are left out, then pictures on which another candidate is missing.
    """
    both = one.measured & other.measured
    columns = both.any(axis=0)
    lines = both[:, columns].all(axis=1)
    return one.turned[np.ix_(lines, columns)], other.turned[np.ix_(lines, columns)]


def means_table(found: Sequence[Scores], candidates: Sequence[Candidate]) -> str:
    """Means over scenes, a line a candidate.

    The best of each column is bold, and (n) tells that a mean rests on n scenes.
    """
    columns = [_column(one) for one in found]
    counts = np.max([one.measured.sum(axis=0) for one in found], axis=0)
    rows = [
        (f"*{one.title}*" if one.control else one.title, counts[place], *(column[place] for column in columns))
        for place, one in enumerate(candidates)
        if counts[place]
    ]
    return table(("method", "scenes", *(one.title for one in found)), rows)


def _column(one: Scores) -> list[str]:
    found = means(one.values)
    there = [each.value for each in found if each is not None]
    if not there:
        return ["–"] * len(found)
    digits = _digits(max(abs(mean) for mean in there))
    best = f"{max(there, key=lambda mean: one.metric.direction * mean):z.{digits}f}"
    most = one.measured.sum(axis=0).max()
    cells = []
    for each, count in zip(found, np.isfinite(one.values).sum(axis=0), strict=True):
        if each is None:
            cells.append("–")
            continue
        mean = f"{each.value:z.{digits}f}"
        shown = f"**{mean}**" if mean == best else mean
        of = f" ({count})" if count < most else ""
        cells.append(shown + each.ends(f"z.{digits}f") + of)
    return cells


def _digits(largest: float) -> int:
    """Decimals that show three digits of the largest value, five at most."""
    return 3 if largest == 0 else min(5, max(0, 2 - math.floor(math.log10(largest))))


def correlation_table(
    down: Sequence[Scores], across: Sequence[Scores], measure: Callable[[Values, Values], Interval | None]
) -> str:
    """How alike each pair of metrics ranks the methods, by `of_means` or `within`."""
    rows = []
    for one in down:
        found = [measure(*complete(one, other)) for other in across]
        rows.append((one.metric.title, *("–" if each is None else f"{each:+z.2f}" for each in found)))
    return table(("", *(one.metric.title for one in across)), rows)
