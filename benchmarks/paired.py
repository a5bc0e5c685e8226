"""Tables of faithfulness: means over seeds first, differences paired by image, and the aims they are held against."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from decam.benchmark.statistics import bootstrap, paired
from decam.benchmark.text import table, verdict
from decam.explanation import Map
from decam.intervals import Interval
from decam.ranks import spearman

PLACES = 56  # a side, of the small maps by which seeds are compared


@dataclass(frozen=True, eq=False)
class Result:
    """The curves of one map: areas with deletion by mean and insertion from blur, and with the fills swapped.

    ROAD and µFidelity are NaN where they were not measured, and where they say nothing. `row` is its label, `picture`
    the view's fingerprint. `places` is the map averaged to at most 56×56 places, flat, where seeds are compared, else
    None.
    """

    row: str
    picture: str
    seed: int
    evaluations: int
    deletion: float
    insertion: float
    swapped_deletion: float
    swapped_insertion: float
    road: float = math.nan
    mu_fidelity: float = math.nan
    places: NDArray[np.float32] | None = None


MEASURES: dict[str, Callable[[Result], float]] = {
    "deletion": lambda result: result.deletion,
    "insertion": lambda result: result.insertion,
    "ins − del": lambda result: result.insertion - result.deletion,
    "swapped ins − del": lambda result: result.swapped_insertion - result.swapped_deletion,
    "ROAD": lambda result: result.road,
    "µFidelity": lambda result: result.mu_fidelity,
}
UNSEARCHED = ("ROAD", "µFidelity")  # what no method here searches by
OURS, EQUALS = "de-cam-1000", "-1000"  # the row that is held against all others of as many evaluations


def small(saliency: Map) -> NDArray[np.float32]:
    """A map (H×W) averaged to at most 56×56 places, flat."""
    size = (min(PLACES, saliency.shape[0]), min(PLACES, saliency.shape[1]))
    averaged = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(saliency).unsqueeze(0), size)
    flat: NDArray[np.float32] = averaged.numpy().ravel()
    return flat


def by_picture(results: Iterable[Result], row: str, measure: str) -> dict[str, float]:
    """A row's value for each picture, by fingerprint: the mean over its seeds; without those of which it has none."""
    values: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if result.row == row and not math.isnan(value := MEASURES[measure](result)):
            values[result.picture].append(value)
    return {picture: float(np.mean(seeds)) for picture, seeds in values.items()}


def differences(results: Collection[Result], row: str, against: str, measure: str) -> list[float]:
    """First row minus second for each picture that both have, in the order of their fingerprints."""
    return paired(by_picture(results, row, measure), by_picture(results, against, measure))


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
        """True if the mean is as wanted and, where it has to be clear, the interval lies above 0."""
        if self.least is None:
            raise ValueError("What is only shown can neither be met nor missed.")
        sign = -1 if self.measure == "deletion" else 1
        above = min(sign * interval.low, sign * interval.high) > 0
        return sign * interval.value >= sign * self.least and (above or not self.clear)

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
    *(Aim("de-cam-1000", "greedy-regions-1000", measure, 0.0) for measure in ("ins − del", "swapped ins − del")),
    *(Aim("de-cam-1000", "cma-es-1000", measure) for measure in ("ins − del", "swapped ins − del")),
    Aim("de-cam-2000", "random-search-2000", "ins − del", 0.03, clear=True),
    *(Aim("de-cam-2000", "random-search-2000", measure) for measure in ("insertion", "swapped ins − del")),
    *(Aim(f"de-cam-{budget}", f"random-search-{budget}", "ins − del") for budget in (500, 1000)),
    *(Aim("de-cam-1000", other, "ins − del") for other in ("seed-only-1000", "plain-1000", "rise-1000")),
    *(Aim("de-cam-1000", other, "ins − del") for other in ("grid-kernel-shap-1000", "occlusion-1000")),
)
SAME = 0.9  # Spearman's correlation of two seeds' maps
SCENES = {"scene-object": ("brightest pixel on the object", 0.98), "scene-asked": ("on the one asked for of two", 0.92)}


def means_table(results: Collection[Result], rows: Sequence[str]) -> str:
    """Means over pictures of the means over seeds, a line a row that has results."""
    heads = ("deletion ↓", "insertion ↑", "ins − del ↑", "swapped ins − del ↑", "ROAD ↑", "µFidelity ↑")
    lines = []
    for row in rows:
        own = [result for result in results if result.row == row]
        if not own:
            continue
        pictures = defaultdict(set)
        for result in own:
            pictures[result.picture].add(result.seed)
        counts = [len(seeds) for seeds in pictures.values()]
        seeds = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        means = [_mean(own, row, measure) for measure in MEASURES]
        evaluations = np.mean([result.evaluations for result in own])
        lines.append(
            (
                row,
                f"{evaluations:.0f}",
                len(pictures),
                seeds,
                *("–" if math.isnan(mean) else f"{mean:.3f}" for mean in means),
            )
        )
    return table(("method", "evaluations", "images", "seeds", *heads), lines)


def aims_table(results: Collection[Result]) -> str:
    """Paired differences with their intervals, and what was aimed at; comparisons without a common picture say so."""
    lines = []
    for aim in AIMS:
        found = differences(results, aim.row, aim.against, aim.measure)
        shown, ending = "no image has both", ""
        if found:
            interval = bootstrap(found)
            shown = f"{interval:+z.3f}"
            ending = "" if aim.least is None else verdict(aim.met(interval))
        lines.append((f"{aim.row} − {aim.against}", aim.measure, len(found), shown, aim.words(), ending))
    return table(("", "measure", "images", "difference [95 %]", "aim", ""), lines)


def _mean(results: Iterable[Result], row: str, measure: str) -> float:
    """A row's mean over pictures; NaN for none."""
    values = list(by_picture(results, row, measure).values())
    return float(np.mean(values)) if values else math.nan


def unsearched_table(results: Collection[Result], rows: Sequence[str]) -> str:
    """Ours against the best other row of as many evaluations, by what neither searches by: within an interval of it?"""
    lines = []
    for measure in UNSEARCHED:
        others = {row: _mean(results, row, measure) for row in rows if row != OURS and row.endswith(EQUALS)}
        found = {row: mean for row, mean in others.items() if not math.isnan(mean)}
        own = _mean(results, OURS, measure)
        if math.isnan(own) or not found:
            continue
        best = max(found, key=lambda row: found[row])
        interval = bootstrap(differences(results, OURS, best, measure))
        said = verdict(interval.high >= 0)
        lines.append((measure, f"{own:.3f}", f"{best} {found[best]:.3f}", f"{interval:+z.3f}", "not below 0", said))
    heads = ("not searched by", OURS, "best other", "difference [95 %]", "aim", "")
    return table(heads, lines) if lines else "Nothing is measured yet that no method searches by."


def agreement(results: Iterable[Result], row: str) -> dict[str, float]:
    """Spearman's correlation of two seeds' maps for each picture that has two: the mean over pairs of seeds."""
    maps: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for result in results:
        if result.row == row and result.places is not None:
            maps[result.picture].append(result.places.astype(np.float64)[None])
    return {
        picture: float(np.mean([spearman(one, other)[0] for one, other in itertools.combinations(each, 2)]))
        for picture, each in maps.items()
        if len(each) > 1
    }


def agreement_table(results: Collection[Result], rows: Sequence[str]) -> str:
    """How alike two seeds' maps are; the first row has an aim."""
    lines = []
    for row in rows:
        found = agreement(results, row)
        if not found:
            continue
        interval = bootstrap([found[picture] for picture in sorted(found)])
        aimed = row == rows[0]
        ending = verdict(interval.value >= SAME) if aimed else ""
        shown = f"{interval:.3f}"
        aim = f"≥ {SAME}" if aimed else "–"
        lines.append((row, len(found), shown, f"{min(found.values()):.3f}", aim, ending))
    heads = ("two seeds' maps", "images", "Spearman [95 %]", "lowest image", "aim", "")
    return table(heads, lines) if lines else "No image has maps of two seeds yet."


def scenes_table(hits: Mapping[str, Sequence[bool]]) -> str:
    """On how many scenes of each kind the brightest pixel lies where it should."""
    lines = []
    for row, (title, share) in SCENES.items():
        own = hits.get(row, ())
        if own:
            lines.append((title, f"{sum(own)} of {len(own)}", f"≥ {share:.0%}", verdict(sum(own) >= share * len(own))))
    return table(("scenes, 500 evaluations", "hits", "aim", ""), lines) if lines else "No scenes yet."
