"""Paired differences over pictures: means over seeds first, bootstrap intervals, and the aims they are held against."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.results import Hit, Result, places

RESAMPLES = 10_000
MEASURES: dict[str, Callable[[Result], float]] = {
    "deletion": lambda result: result.deletion,
    "insertion": lambda result: result.insertion,
    "ins − del": lambda result: result.difference,
    "swapped ins − del": lambda result: result.swapped,
}


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def bootstrap(values: Sequence[float] | NDArray[np.float64], resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The mean of values and its 95 % percentile interval; the same seed gives the same one.

    Efron and Tibshirani (1993), section 13.3. Raises ValueError for no values at all.
    """
    given = np.asarray(values, dtype=np.float64)
    if not given.size:
        raise ValueError("A mean needs at least one value.")
    drawn = np.random.default_rng(seed).integers(len(given), size=(resamples, len(given)))
    low, high = np.quantile(given[drawn].mean(axis=1), (0.025, 0.975))
    return Interval(float(given.mean()), float(low), float(high))


def by_picture(results: Iterable[Result], row: str, measure: str) -> dict[str, float]:
    """A row's value for each picture, by fingerprint: the mean over its seeds."""
    values: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if result.key.row == row:
            values[result.key.sha256].append(MEASURES[measure](result))
    return {picture: float(np.mean(seeds)) for picture, seeds in values.items()}


def differences(results: Collection[Result], row: str, against: str, measure: str) -> list[float]:
    """First row minus second for each picture that both have, in the order of their fingerprints."""
    one, other = by_picture(results, row, measure), by_picture(results, against, measure)
    return [one[picture] - other[picture] for picture in sorted(one.keys() & other.keys())]


@dataclass(frozen=True)
class Aim:
    """What a paired difference is to be: at least `least` (at most, for deletion), and clearly so if `clear`.

    An aim without `least` is only shown.
    """

    row: str
    against: str
    measure: str
    least: float | None = None
    clear: bool = False

    def met(self, interval: Interval) -> bool:
        """Whether the mean is as wanted and, where it has to be clear, the interval lies above 0."""
        if self.least is None:
            raise ValueError("What is only shown can neither be met nor missed.")
        sign = -1 if self.measure == "deletion" else 1
        above = min(sign * interval.low, sign * interval.high) > 0
        return sign * interval.mean >= sign * self.least and (above or not self.clear)

    def words(self) -> str:
        """The aim as a table shows it."""
        if self.least is None:
            return "–"
        bound = "≤" if self.measure == "deletion" else "≥"
        return f"{bound} {self.least:+.2f}" + (", interval above 0" if self.clear else "")


AIMS = (
    Aim("de-cam-500", "rise-4000", "insertion", 0.03),
    Aim("de-cam-1000", "rise-4000", "insertion", 0.06),
    Aim("de-cam-2000", "rise-4000", "insertion", 0.10, clear=True),
    *(Aim(f"de-cam-{budget}", "rise-4000", "deletion", 0.0) for budget in (500, 1000, 2000)),
    Aim("de-cam-1000", "rise-4000", "swapped ins − del", 0.05),
    Aim("de-cam-1000", "grad-cam", "ins − del", 0.12),
    Aim("de-cam-2000", "random-search-2000", "ins − del", 0.03, clear=True),
    *(Aim("de-cam-2000", "random-search-2000", measure) for measure in ("insertion", "swapped ins − del")),
    *(Aim(f"de-cam-{budget}", f"random-search-{budget}", "ins − del") for budget in (500, 1000)),
    *(Aim("de-cam-1000", other, "ins − del") for other in ("seed-only-1000", "plain-1000", "rise-1000")),
    *(Aim("de-cam-1000", other, "ins − del") for other in ("kernel-shap-1000", "occlusion-1000")),
)
SAME = 0.9  # Spearman's correlation of two seeds' maps
SCENES = {"scene-object": ("brightest pixel on the object", 0.98), "scene-asked": ("on the one asked for of two", 0.92)}


def means_table(results: Collection[Result], rows: Sequence[str]) -> str:
    """Means over pictures of the means over seeds, a line a row that has results."""
    lines = [
        "| method | evaluations | pictures | seeds | deletion ↓ | insertion ↑ | ins − del ↑ | swapped ins − del ↑ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        own = [result for result in results if result.key.row == row]
        if not own:
            continue
        pictures = defaultdict(set)
        for result in own:
            pictures[result.key.sha256].add(result.key.seed)
        counts = [len(seeds) for seeds in pictures.values()]
        seeds = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        means = [np.mean(list(by_picture(own, row, measure).values())) for measure in MEASURES]
        evaluations = np.mean([result.evaluations for result in own])
        lines.append(
            f"| {row} | {evaluations:.0f} | {len(pictures)} | {seeds} | {' | '.join(f'{mean:.3f}' for mean in means)} |"
        )
    return "\n".join(lines)


def aims_table(results: Collection[Result]) -> str:
    """Paired differences with their intervals, and what was aimed at; comparisons without a common picture say so."""
    lines = ["| | measure | pictures | difference [95 %] | aim | |", "|---|---|---|---|---|---|"]
    for aim in AIMS:
        paired = differences(results, aim.row, aim.against, aim.measure)
        shown, verdict = "no picture has both", ""
        if paired:
            interval = bootstrap(paired)
            shown = str(interval)
            verdict = "" if aim.least is None else "met" if aim.met(interval) else "missed"
        lines.append(
            f"| {aim.row} − {aim.against} | {aim.measure} | {len(paired)} | {shown} | {aim.words()} | {verdict} |"
        )
    return "\n".join(lines)


def agreement(results: Iterable[Result], row: str) -> dict[str, float]:
    """Spearman's correlation of two seeds' maps for each picture that has two: the mean over pairs of seeds."""
    maps: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for result in results:
        if result.key.row == row and result.places:
            maps[result.key.sha256].append(places(result.places))
    return {
        picture: float(np.mean([spearmanr(one, other).statistic for one, other in itertools.combinations(each, 2)]))
        for picture, each in maps.items()
        if len(each) > 1
    }


def agreement_table(results: Collection[Result], rows: Sequence[str]) -> str:
    """How alike two seeds' maps are; the first row has an aim."""
    lines = ["| two seeds' maps | pictures | Spearman [95 %] | lowest picture | aim | |", "|---|---|---|---|---|---|"]
    for row in rows:
        found = agreement(results, row)
        if not found:
            continue
        interval = bootstrap([found[picture] for picture in sorted(found)])
        aimed = row == rows[0]
        verdict = ("met" if interval.mean >= SAME else "missed") if aimed else ""
        shown = f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
        aim = f"≥ {SAME}" if aimed else "–"
        lines.append(f"| {row} | {len(found)} | {shown} | {min(found.values()):.3f} | {aim} | {verdict} |")
    return "\n".join(lines) if len(lines) > 2 else "No picture has maps of two seeds yet."


def scenes_table(hits: Collection[Hit]) -> str:
    """On how many scenes the brightest pixel lies where it should."""
    lines = ["| scenes, 500 evaluations | hits | aim | |", "|---|---|---|---|"]
    for row, (title, share) in SCENES.items():
        own = [hit.hit for hit in hits if hit.key.row == row]
        if own:
            verdict = "met" if sum(own) >= share * len(own) else "missed"
            lines.append(f"| {title} | {sum(own)} of {len(own)} | ≥ {share:.0%} | {verdict} |")
    return "\n".join(lines) if len(lines) > 2 else "No scenes yet."
