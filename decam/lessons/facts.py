"""Numbers and names that lessons say, read from their runs."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np

from decam.errors import SettingError
from decam.evolution.differential_evolution import EvolutionSettings
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import trajectory
from decam.experiments.cells import Cell, CellKey
from decam.experiments.covering import covered_by
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.explanation import Explanation, Truth
from decam.figures import SEQUENTIAL, table_for
from decam.figures.legend import ENDS
from decam.lessons import runs
from decam.lessons.base import Fact
from decam.metrics import get as get_metric
from decam.metrics.base import Measurement
from decam.metrics.localisation import rank
from decam.metrics.similarity import spearman
from decam.numerals import fixed
from decam.shares import whole


def percent(share: float) -> str:
    """A share as 12 %, whose sign never begins a line."""
    return whole(share).replace(" %", "\N{NO-BREAK SPACE}%")


def place_of(grid: Grid, question: int, method: str) -> CellKey:
    """The cell of a question and the first method of that name; raises SettingError where the run has none."""
    for key in grid.plan.cells():
        if key.question == question and grid.plan.methods[key.method].name == method:
            return key
    raise SettingError(f"This run has no map of question {question} by {method!r}.")


def cell(run: str, question: int, method: str) -> Cell:
    """All that a run knows of a map; raises SettingError where it has none."""
    grid = runs.load(run)
    return grid.cells[place_of(grid, question, method)]


def explanation(run: str, question: int, method: str) -> Explanation:
    """A map of a run; raises SettingError where it has none."""
    found = cell(run, question, method).explanation
    if found is None:
        raise SettingError(f"The map by {method!r} of the run {run!r} is missing; run python -m decam.lessons.make.")
    return found


def curve_of(run: str, question: int, method: str, metric: str, fill: str) -> Measurement:
    """What a metric with that fill says of a map; raises SettingError where the run was not measured so."""
    choice = metric_of(run, metric, fill)
    return cell(run, question, method).measurements[choice.key]


def metric_of(run: str, metric: str, fill: str) -> MetricChoice:
    """The metric of a run with that fill; raises SettingError where there is none."""
    for choice in runs.load(run).plan.metrics:
        if choice.name == metric and choice.settings.to_mapping()["fill"] == fill:
            return choice
    raise SettingError(f"The run {run!r} has no {metric} with the fill {fill!r}.")


# Each of these gives a fact: it reads the run when it is called.


def probability(run: str, question: int = 0) -> Fact:
    """The probability of the class asked about, on the picture as it is."""

    def read() -> str:
        grid = runs.load(run)
        return percent(explanation(run, question, grid.plan.methods[0].name).probability)

    return read


def label(run: str, question: int = 0) -> Fact:
    """The class asked about, by name."""
    return lambda: explanation(run, question, runs.load(run).plan.methods[0].name).label


def evaluations(run: str, method: str, question: int = 0) -> Fact:
    """What a map cost, in pictures shown to the model."""
    return lambda: f"{explanation(run, question, method).evaluations:,}"


def measured(run: str, method: str, metric: str, fill: str, question: int = 0, *, digits: int = 2) -> Fact:
    """The value of a metric."""
    return lambda: f"{curve_of(run, question, method, metric, fill).value:.{digits}f}"


def after(run: str, method: str, metric: str, fill: str, share: float, question: int = 0) -> Fact:
    """The probability once `share` of the pixels was hidden or shown, from the metric's curve."""

    def read() -> str:
        curve = curve_of(run, question, method, metric, fill).curve
        if curve is None:
            raise SettingError(f"The run {run!r} keeps no curve of {metric}.")
        return percent(float(np.interp(share, curve.shares, curve.values)))

    return read


def _change(run: str, method: str, fill: str, question: int) -> float:
    curve = curve_of(run, question, method, "deletion", fill).curve
    if curve is None or curve.top is None:
        raise SettingError(f"The run {run!r} keeps no curve that says which class is predicted.")
    other = curve.top != explanation(run, question, method).target
    if not other.any():
        raise SettingError(f"Hiding pixels by {method!r} never changes the class of the run {run!r}.")
    return float(curve.shares[int(np.argmax(other))])


def changes(run: str, method: str, fill: str, question: int = 0) -> Fact:
    """The share of the pixels after whose hiding another class is predicted first, from the deletion curve."""
    return lambda: percent(_change(run, method, fill, question))


def covered_where_it_changes(run: str, method: str, fill: str, question: int = 0) -> Fact:
    """The share of the object that is hidden where another class is predicted first."""

    def read() -> str:
        saliency = explanation(run, question, method).saliency
        covered = covered_by(saliency, round(_change(run, method, fill, question) * saliency.size))
        return percent(float(covered[_object_of(run, question)].mean()))

    return read


def _best(run: str, question: int, metric: str, fill: str, methods: tuple[str, ...], *, worst: bool) -> str:
    values = [curve_of(run, question, name, metric, fill).value for name in methods]
    direction = get_metric(metric).direction * (-1 if worst else 1)
    return methods[int(np.argmax(direction * np.array(values)))]


def best(run: str, metric: str, fill: str, methods: tuple[str, ...], question: int = 0, *, worst: bool = False) -> Fact:
    """The title of the method that scores best (or worst) among these."""
    return lambda: title(run, _best(run, question, metric, fill, methods, worst=worst))()


def best_value(run: str, metric: str, fill: str, methods: tuple[str, ...], question: int = 0) -> Fact:
    """The best value among these methods."""
    return lambda: measured(run, _best(run, question, metric, fill, methods, worst=False), metric, fill, question)()


def title(run: str, method: str) -> Fact:
    """A method's title, as its column has it in Compare."""

    def read() -> str:
        grid = runs.load(run)
        return grid.plan.titles()[place_of(grid, 0, method).method]

    return read


def _object_of(run: str, question: int) -> Truth:
    truth = runs.load(run).truth_of(question)
    if truth is None:
        raise SettingError(f"Nobody says where the object of the run {run!r} is.")
    return truth


def inside(run: str, method: str, question: int = 0) -> Fact:
    """How much of a map's top, as large as the object, lies on the object."""
    return lambda: inside_region(run, method, question, _object_of(run, question))()


def inside_region(run: str, method: str, question: int, region: Truth) -> Fact:
    """How much of a map's top, as large as a region, lies in that region."""

    def read() -> str:
        values = explanation(run, question, method).saliency.astype(np.float64)
        shares, _ = rank(values.reshape(1, -1), region.reshape(-1))
        return percent(float(shares[0]))

    return read


def size(run: str, question: int = 0) -> Fact:
    """The share of the picture that the object covers."""
    return lambda: percent(float(_object_of(run, question).mean()))


def colour(*, high: bool, signed: bool = False) -> Fact:
    """The colour of the lowest or the highest value of a map, as lessons draw it."""
    return lambda: ENDS[table_for(SEQUENTIAL[0], signed)][int(high)]


def alike(run: str, first: tuple[int, str], second: tuple[int, str]) -> Fact:
    """Spearman's rank correlation of two maps, each named by its question and method."""

    def read() -> str:
        maps = [explanation(run, *one).saliency for one in (first, second)]
        return fixed(spearman(*maps))

    return read


def _pair(run: str, methods: tuple[str, ...], *, closest: bool) -> tuple[float, tuple[str, str]]:
    """The correlation and the names of the two methods whose maps of the first question are most (or least) alike."""
    maps = {name: explanation(run, 0, name).saliency for name in methods}
    pairs = [(spearman(maps[one], maps[other]), (one, other)) for one, other in combinations(methods, 2)]
    return max(pairs) if closest else min(pairs)


def pair(run: str, methods: tuple[str, ...], *, closest: bool) -> Fact:
    """The titles of the two methods whose maps are most (or least) alike."""

    def read() -> str:
        _, (one, other) = _pair(run, methods, closest=closest)
        return f"{title(run, one)()} and {title(run, other)()}"

    return read


def pair_value(run: str, methods: tuple[str, ...], *, closest: bool) -> Fact:
    """The rank correlation of these two maps."""
    return lambda: fixed(_pair(run, methods, closest=closest)[0])


def forgotten(run: str, question: int) -> Fact:
    """The share of the weights that were drawn anew in the model that a question asks."""

    def read() -> str:
        variant = runs.load(run).plan.questions[question].model.variant
        return percent(0.0 if variant is None else variant.share)

    return read


def generations(run: str, method: str, question: int = 0) -> Fact:
    """How many generations a stored search has."""
    return lambda: str(sum(frame.trace is not None for frame in cell(run, question, method).frames))


def fitness(run: str, method: str, *, at: Literal["first", "last", "highest"], question: int = 0) -> Fact:
    """The best fitness of a stored search: in its first or last generation, or the highest of all generations."""

    def read() -> str:
        found = [frame.curves["best"] for frame in cell(run, question, method).frames if "best" in frame.curves]
        values = {"first": found[0], "last": found[-1], "highest": max(found)}
        return f"{values[at]:.2f}"

    return read


def walked(landscape: str, settings: EvolutionSettings, seed: int, *, last: bool) -> Fact:
    """How far the best individual is above the minimum of a landscape, in the first or the last generation."""

    def read() -> str:
        ground = LANDSCAPES[landscape]
        steps = trajectory(ground, settings, seed)
        gap = steps[-1 if last else 0].lowest - ground.lowest
        return "less than 0.001" if gap < 1e-3 else f"{gap:.1f}" if gap >= 0.1 else f"{gap:.3f}"

    return read
