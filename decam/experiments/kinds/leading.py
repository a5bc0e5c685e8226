"""Which method leads on each metric, and which methods do not beat a control: what a grid's measurements say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds.base import Reading
from decam.experiments.plan import MetricChoice
from decam.experiments.questions import ModelSpec
from decam.methods import described
from decam.methods.controls.maps import FAMILY
from decam.metrics import get as get_metric
from decam.metrics.base import Metric
from decam.metrics.scales import Values
from decam.metrics.taxonomy import FAMILIES
from decam.models.catalogue import title_of
from decam.numerals import listed, score

DISAGREE = "Metrics disagree, and none of them asks whether the model is right or a person would agree."
LITTLE = 0.03
"""A difference of a bounded metric below which a method is barely better."""
NOISE = f"Differences under about {LITTLE:g} on a few images are noise."


@dataclass(frozen=True)
class Standing:
    """How one method stands on a metric: its mean over the images (P) on which all methods compared have a value."""

    title: str
    control: bool
    values: Values

    @property
    def mean(self) -> float:
        """The mean over the images."""
        return float(self.values.mean())

    @property
    def shown(self) -> str:
        """The mean as tables write it; methods whose means are written alike are level."""
        return score(self.mean)

    @property
    def name(self) -> str:
        """The title, and whether it is a control."""
        return f"{self.title} (control)" if self.control else self.title


def leading(grid: Grid) -> tuple[Reading, ...]:
    """A reading for each metric and model with values of at least two methods, and how to take them; empty for none.

    Methods are compared over the images on which all of them have a value, and seeds of one image count as one. Of
    metrics whose values a map that knows nothing may lead, controls are left out.
    """
    models = list(dict.fromkeys(question.model for question in grid.plan.questions))
    titles = grid.plan.metric_titles()
    found = []
    for model in models:
        for choice in grid.plan.metrics:
            sentence = " ".join(_sentences(grid, model, choice))
            if sentence:
                title = titles[choice.key]
                found.append(Reading(f"{title} · {title_of(model.name)}" if len(models) > 1 else title, sentence))
    return (*found, Reading("", f"{DISAGREE} {NOISE}")) if found else ()


@dataclass(frozen=True)
class _Compared:
    """Methods on one metric of one model, the best first, over `images` of the `asked`; `missing` have no value."""

    standings: tuple[Standing, ...]
    images: int
    asked: int
    missing: tuple[str, ...]


def _sentences(grid: Grid, model: ModelSpec, choice: MetricChoice) -> Iterator[str]:
    """The leader, the methods that do not beat a control, and those without a value; nothing where none compare."""
    metric = get_metric(choice.name)
    family = FAMILIES.get(metric.family)
    if family is None:
        return
    controls = [described(one.name).family == FAMILY for one in grid.plan.methods]
    entered = [place for place, control in enumerate(controls) if family.beats_controls or not control]
    found = _compared(grid, model, choice, entered)
    if found is None:
        return
    aside = "Controls aside, " if len(entered) < len(controls) else ""
    yield aside + _lead(found, metric)
    if family.beats_controls:
        yield from _control(found.standings, metric)
    if found.missing:
        words = "has no value here and is" if len(found.missing) == 1 else "have no value here and are"
        yield f"{listed(found.missing)} {words} left out."


def _compared(grid: Grid, model: ModelSpec, choice: MetricChoice, methods: Sequence[int]) -> _Compared | None:
    """These methods over the images on which all that have a value have one; None for fewer than two, or no image."""
    questions = [place for place, question in enumerate(grid.plan.questions) if question.model == model]
    values = np.array(
        [[_value(grid, CellKey(place, method), choice.key) for method in methods] for place in questions], np.float64
    ).reshape(len(questions), len(methods))
    known = np.isfinite(values)
    there = np.asarray(known.any(axis=0))
    whole = np.asarray(known[:, there].all(axis=1))
    if there.sum() < 2 or not whole.any():
        return None
    pictures = np.array([grid.plan.place_of(place) for place in questions])
    over = np.unique(pictures[whole])
    means = np.array([values[whole & (pictures == picture)].mean(axis=0) for picture in over])
    titles = grid.plan.titles()
    standings = [
        Standing(titles[method], described(grid.plan.methods[method].name).family == FAMILY, means[:, column])
        for column, method in enumerate(methods)
        if there[column]
    ]
    direction = get_metric(choice.name).direction
    return _Compared(
        tuple(sorted(standings, key=lambda one: -direction * one.mean)),
        len(over),
        len(np.unique(pictures)),
        tuple(titles[method] for column, method in enumerate(methods) if not there[column]),
    )


def _value(grid: Grid, key: CellKey, metric: str) -> float:
    measurement = grid.cells[key].measurements.get(metric)
    return math.nan if measurement is None else measurement.value


def _lead(found: _Compared, metric: Metric) -> str:
    """The method or the methods with the best value, the next ones, and on how many images the first is the best."""
    standings, images = found.standings, found.images
    level = [one for one in standings if one.shown == standings[0].shown]
    which = f"the {'highest' if metric.direction > 0 else 'lowest'} {'mean' if images > 1 else 'value'}"
    over = _over(images, found.asked)
    if len(level) > 1:
        return f"{listed([one.name for one in level])} are level at {level[0].shown}, {which}, {over}."
    second = standings[1]
    followers = listed([one.name for one in standings if one.shown == second.shown])
    ahead = "is barely ahead" if _little(level[0], second, metric) else "leads"
    lead = f"{level[0].name} {ahead} with {which}, {level[0].shown}, {over}, before {followers} with {second.shown}."
    if images == 1:
        return lead
    signed = metric.direction * np.array([one.values for one in standings])
    times = int((signed[0] == signed.max(axis=0)).sum())
    return f"{lead} It is the best on {'each' if times == images else times} of these {images}."


def _little(one: Standing, other: Standing, metric: Metric) -> bool:
    """True where two means hardly differ; of a metric without bounds nobody can say what is little."""
    return metric.low is not None and metric.high is not None and abs(one.mean - other.mean) < LITTLE


def _over(images: int, asked: int) -> str:
    if images == asked:
        return f"over {images} images" if images > 1 else "on the one image"
    among = f"of {asked} images on which all have a value"
    return f"over the {images} {among}" if images > 1 else f"on the one {among}"


def _control(standings: Sequence[Standing], metric: Metric) -> Iterator[str]:
    """Which methods do not beat the best control, to the digits shown, and which barely do."""
    control = next((one for one in standings if one.control), None)
    methods = [one for one in standings if not one.control]
    if control is None or not methods:
        return
    best = "best control" if sum(one.control for one in standings) > 1 else "control"
    named = f"the {best}, {control.title} with {control.shown}"
    behind = [
        one
        for one in methods
        if one.shown == control.shown or metric.direction * one.mean < metric.direction * control.mean
    ]
    close = [one for one in methods if one not in behind and _little(one, control, metric)]
    if len(behind) == len(methods):
        yield f"No method beats {named}, which knows nothing of what the model learned."
    elif behind or close:
        clauses = [("does not beat", "do not beat", behind), ("barely beats", "barely beat", close)]
        said = [f"{listed([m.title for m in of])} {one if len(of) == 1 else many}" for one, many, of in clauses if of]
        yield f"{said[0]} {named}{''.join(f'; {clause} it' for clause in said[1:])}."
    elif len(methods) > 1:
        yield f"Every method beats {named}."
