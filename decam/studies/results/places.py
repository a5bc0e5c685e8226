"""Where people click, against where maps are high: every method with every score, ceiling and chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from decam.figures.overlays import upsampled
from decam.figures.studies import values_figure
from decam.metrics.base import BETTER
from decam.numerals import several
from decam.studies import frozen
from decam.studies.analysis.click_scores import SCORES
from decam.studies.analysis.clicks import Clicks, Scored, clicks, scores, shuffled_null, split_half
from decam.studies.design import Stimulus, StudyError
from decam.studies.results.base import Figure, Findings, Material, Section, Table, bounds, chart, has, named

CEILING = "Other people"
SHUFFLED = "Clicks in other images"


def _places(read: Material) -> Findings | None:
    rows = read.trials("clicks", "places")
    keys = list(dict.fromkeys(str(row.step.facts["stimulus"]) for row in rows))
    stimuli = [next(one for one in read.stimuli if one.key == key) for key in keys]
    marks = [
        (place, keys.index(str(row.step.facts["stimulus"])), row.participant.code)
        for row in rows
        if isinstance(row.value, list)
        for place in row.value
        if isinstance(place, dict)
    ]
    if not marks:
        return None
    numbers = {name: [_number(place, name) for place, _, _ in marks] for name in ("x", "y", "width", "height")}
    made = clicks(
        numbers["x"], numbers["y"], [picture for _, picture, _ in marks], [code for _, _, code in marks],
        numbers["width"], numbers["height"],
    )  # fmt: skip
    return _scored(read, stimuli, made)


def _number(place: Mapping[str, object], name: str) -> float:
    value = place.get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def _scored(read: Material, stimuli: list[Stimulus], made: Clicks) -> Findings:
    """Every condition that has a map of every picture, with each score; the ceiling and the null beside them."""
    maps: dict[str, list[np.ndarray[tuple[int, int], np.dtype[np.float32]]]] = {}
    for condition in read.conditions:
        theirs = [one.map_of(condition.key) for one in stimuli]
        if all(theirs):
            try:
                maps[condition.key] = [
                    upsampled(frozen.read_array(read.folder, one.array).saliency, (stimulus.height, stimulus.width))
                    for one, stimulus in zip(theirs, stimuli, strict=True)
                    if one is not None
                ]
            except StudyError:  # its files are damaged or gone, which the page says of the stimulus; the others stay
                continue
    shapes = [(one.height, one.width) for one in stimuli]
    figures: list[Figure] = []
    lines: list[tuple[object, ...]] = []
    ceilings = split_half(shapes, made, list(SCORES.values()))
    for score, halved in zip(SCORES.values(), ceilings, strict=True):
        found: dict[str, Scored] = {read.title(key): scores(own, made, score) for key, own in maps.items()}
        ceiling = halved.halves
        lines += [(score.title, name, *bounds(one.mean)) for name, one in found.items()]
        lines.append((score.title, CEILING, *bounds(ceiling.mean)))
        for key, own in maps.items():
            null = shuffled_null(own, made, score)
            lines.append((score.title, f"{read.title(key)}, {SHUFFLED.lower()}", *bounds(null.mean)))
        shown = named([*(one.mean for one in found.values()), ceiling.mean], [*found, CEILING])
        axis = f"{score.title} ({BETTER[score.direction]})"
        figures.append(
            Figure(
                f"clicks-{score.name}",
                f"Clicks and maps: {score.title}",
                chart(values_figure, axis, shown),
            )
        )
    people = several(len(np.unique(made.participants)), "person", "people")
    marked, pictures = several(len(made.x), "place"), several(len(stimuli), "image")
    sentences = (
        f"{marked} that {people} marked in {pictures}.",
        f"“{CEILING}” is how well half of the people foretell the other half: no map can be expected to do better.",
    )
    head = ("score", "condition", "value", "from", "to")
    return Findings(sentences, tuple(figures), (Table("Maps against clicks", head, tuple(lines)),))


CLICKS = Section("clicks", "Clicks", "Do maps mark the places that people mark?", _places, has("clicks"))
