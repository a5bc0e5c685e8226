"""Tables of the benchmark of scenes: means with bootstrap intervals, and how alike metrics rank the methods."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.paired import Interval
from benchmarks.scene_file import Journal
from benchmarks.scene_rows import Place, Row, key
from decam.metrics import Metric
from decam.models import EMBEDDED

Values: TypeAlias = NDArray[np.float64]

RESAMPLES = 2000
LEAST = 3  # methods that two rankings must share
_ARROWS = {1: "↑", -1: "↓"}


@dataclass(frozen=True)
class Grid:
    """One metric's values, scenes × rows; NaN where nothing is known (`measured` False) or the metric says nothing."""

    metric: Metric
    values: Values
    measured: NDArray[np.bool_]

    @property
    def turned(self) -> Values:
        """The values with more being better."""
        return self.metric.direction * self.values


def grid(journal: Journal, places: Sequence[Place], rows: Sequence[Row], metric: Metric) -> Grid:
    """The values of a metric that the file holds."""
    keys = [[key(place.asked(row.model), metric, row) for row in rows] for place in places]
    values = np.array([[journal.values.get(one, math.nan) for one in line] for line in keys], np.float64)
    measured = np.array([[one in journal for one in line] for line in keys], np.bool_)
    shape = (len(places), len(rows))
    return Grid(metric, values.reshape(shape), measured.reshape(shape))


@functools.cache
def weights(count: int, resamples: int = RESAMPLES) -> Values:
    """How often each of so many scenes is drawn by each bootstrap sample, resamples × scenes."""
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=resamples)
    return drawn.astype(np.float64)


def resampled(values: Values) -> Values:
    """Each bootstrap sample's mean of each column, resamples × columns, NaN being left out."""
    finite = np.isfinite(values)
    drawn = weights(len(values))
    counts = drawn @ finite
    return np.divide(drawn @ np.where(finite, values, 0.0), counts, out=np.full_like(counts, np.nan), where=counts > 0)


def interval(mean: float, samples: Values) -> Interval | None:
    """A value with the 95 % percentile interval of its bootstrap samples; None where there is none."""
    known = samples[np.isfinite(samples)]
    if not math.isfinite(mean) or not len(known):
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return Interval(float(mean), float(low), float(high))


def means(values: Values) -> list[Interval | None]:
    """The mean of each column over its finite values, with its interval over scenes."""
    samples = resampled(values)
    return [interval(_mean(column), sample) for column, sample in zip(values.T, samples.T, strict=True)]


def spearman(one: Values, other: Values) -> Values:
    """Spearman's correlation of each line of two arrays N×M, ties sharing their mean rank; NaN for a constant line."""
    first, second = (rankdata(array, axis=1) - (array.shape[1] + 1) / 2 for array in (one, other))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    together: Values = (first * second).sum(axis=1)
    found: Values = np.divide(together, scale, out=np.full_like(together, np.nan), where=scale > 0)
    return found


def of_means(one: Values, other: Values) -> Interval | None:
    """Spearman over methods of the means over scenes (both scenes × methods), with its bootstrap interval.

    Scenes on which a method is missing altogether have to be left out before; a method whose mean is not finite is
    left out here. None for fewer than three methods.
    """
    if not len(one):
        return None
    known = np.isfinite(one).any(axis=0) & np.isfinite(other).any(axis=0)
    if known.sum() < LEAST:
        return None
    first, second = one[:, known], other[:, known]
    mean = spearman(_means(first), _means(second))[0]
    drawn = resampled(first), resampled(second)
    whole = np.isfinite(drawn[0]).all(axis=1) & np.isfinite(drawn[1]).all(axis=1)
    return interval(float(mean), spearman(drawn[0][whole], drawn[1][whole]))


def within(one: Values, other: Values) -> Interval | None:
    """The mean over scenes of Spearman over the methods that both say something of, with its bootstrap interval.

    Scenes on which a metric gives all methods the same, or with fewer than three methods, say nothing.
    """
    found = []
    for first, second in zip(one, other, strict=True):
        known = np.isfinite(first) & np.isfinite(second)
        if known.sum() >= LEAST:
            found.append(float(spearman(first[None, known], second[None, known])[0]))
    return means(np.array(found)[:, None])[0] if found else None


def complete(one: Grid, other: Grid) -> tuple[Values, Values]:
    """Two metrics turned so that more is better, on the scenes and for the rows that both have measured.

    Rows that one of them has nowhere are left out, then scenes on which another row is missing.
    """
    both = one.measured & other.measured
    rows = both.any(axis=0)
    scenes = both[:, rows].all(axis=1)
    return one.turned[np.ix_(scenes, rows)], other.turned[np.ix_(scenes, rows)]


def means_table(grids: Sequence[Grid], rows: Sequence[Row]) -> str:
    """Means over scenes, a line a row; the best of each column is bold, and (n) tells that it rests on n scenes."""
    heads = [f"{one.metric.title} {_ARROWS[one.metric.direction]}" for one in grids]
    columns = [_column(one) for one in grids]
    lines = [f"| method | scenes | {' | '.join(heads)} |", "|" + "---|" * (2 + len(grids))]
    scenes = np.max([one.measured.sum(axis=0) for one in grids], axis=0)
    for place, row in enumerate(rows):
        if scenes[place]:
            name = f"*{row.title}*" if row.control else row.title
            lines.append(f"| {name} | {scenes[place]} | {' | '.join(column[place] for column in columns)} |")
    return "\n".join(lines)


def _column(one: Grid) -> list[str]:
    found = means(one.values)
    known = [each.mean for each in found if each is not None]
    if not known:
        return ["–"] * len(found)
    digits = _digits(max(abs(mean) for mean in known))
    best = f"{max(known, key=lambda mean: one.metric.direction * mean):.{digits}f}"
    most = one.measured.sum(axis=0).max()
    cells = []
    for each, count in zip(found, np.isfinite(one.values).sum(axis=0), strict=True):
        if each is None:
            cells.append("–")
            continue
        mean = f"{each.mean:.{digits}f}"
        shown = f"**{mean}**" if mean == best else mean
        of = f" ({count})" if count < most else ""
        cells.append(f"{shown} [{each.low:.{digits}f}, {each.high:.{digits}f}]{of}")
    return cells


def _digits(largest: float) -> int:
    """Decimals that show three digits of the largest value, five at most."""
    return 3 if largest == 0 else min(5, max(0, 2 - math.floor(math.log10(largest))))


def correlation_table(
    faithfulness: Sequence[Grid], localisation: Sequence[Grid], measure: Callable[[Values, Values], Interval | None]
) -> str:
    """How alike each pair of metrics ranks the methods, by `of_means` or `within`."""
    heads = [one.metric.title for one in localisation]
    lines = [f"| | {' | '.join(heads)} |", "|" + "---|" * (1 + len(heads))]
    for faithful in faithfulness:
        found = [measure(*complete(faithful, local)) for local in localisation]
        cells = ["–" if one is None else _signed(one) for one in found]
        lines.append(f"| {faithful.metric.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _signed(one: Interval) -> str:
    return f"{one.mean:+.2f} [{one.low:+.2f}, {one.high:+.2f}]"


def tables(journal: Journal, places: Sequence[Place], rows: Sequence[Row], judges: Sequence[Metric]) -> str:
    """All tables, as Markdown, from what the file holds of this."""
    parts = []
    for family in dict.fromkeys(metric.family for metric in judges):
        grids = [grid(journal, places, rows, metric) for metric in judges if metric.family == family]
        if any(one.measured.any() for one in grids):
            parts += [f"{family.capitalize()}, mean [95 %]:", means_table(grids, rows)]
    own = [row for row in rows if row.model == EMBEDDED]
    for title, compared in (
        ("all methods", own),
        ("the methods without the controls", [row for row in own if not row.control]),
    ):
        faithful, local = (
            [grid(journal, places, compared, metric) for metric in judges if metric.family == family]
            for family in ("faithfulness", "localisation")
        )
        for what, measure in (("of the means over scenes", of_means), ("within a scene, mean over scenes", within)):
            if faithful and local:
                heading = f"Spearman [95 %] {what}, {title} of the embedded model ({_extent(faithful[0], local[0])}):"
                parts += [heading, correlation_table(faithful, local, measure)]
    return "\n\n".join(parts)


def _extent(faithful: Grid, local: Grid) -> str:
    scenes, methods = complete(faithful, local)[0].shape
    return f"{methods} on {scenes} scenes; +1: both find the same methods better"


def _mean(column: Values) -> float:
    finite = column[np.isfinite(column)]
    return float(finite.mean()) if len(finite) else math.nan


def _means(values: Values) -> Values:
    return np.array([[_mean(column) for column in values.T]])
