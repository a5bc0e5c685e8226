"""How much a map resembles a reference, and how much it resembles maps that know nothing of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from decam.errors import SettingError
from decam.metrics.base import Case, Measuring, Metric, Requirement
from decam.metrics.similarity import SIMILARITIES, Similarity, matrix_of
from decam.settings import Settings, parameter

FLAT = "One of the two maps is flat, so there is nothing to compare."


@dataclass(frozen=True)
class ResemblanceSettings(Settings):
    """What of the two maps is compared."""

    absolute: bool = parameter(
        False, "Compare absolute values, that is where the maps are strong, whatever their sign."
    )


def _to_reference(measure: Similarity) -> Callable[[Case, ResemblanceSettings], Measuring]:
    def run(case: Case, settings: ResemblanceSettings) -> Measuring:
        yield from ()
        values = []
        for saliency, reference in zip(case.maps, case.references, strict=True):
            if reference is None:
                raise SettingError("This map has no reference to be compared with.")
            values.append(measure.between(reference, saliency, absolute=settings.absolute))
        return case.measured(_name(measure), values, [FLAT if np.isnan(value) else "" for value in values])

    return run


def _to_controls(measure: Similarity) -> Callable[[Case, ResemblanceSettings], Measuring]:
    def run(case: Case, settings: ResemblanceSettings) -> Measuring:
        yield from ()
        parts = []
        for saliency in case.maps:
            every = [saliency, *(drawn for maps in case.controls.values() for drawn in maps)]
            found = iter(matrix_of(measure, every, absolute=settings.absolute)[0, 1:])
            means = [(name, float(np.mean([next(found) for _ in maps]))) for name, maps in case.controls.items()]
            parts.append(tuple(means))
        values = [own[0][1] for own in parts]
        notes = [FLAT if np.isnan(value) else "" for value in values]
        return case.measured(_floor_name(measure), values, notes, parts=parts)

    return run


def _name(measure: Similarity) -> str:
    return f"similarity-{measure.name}"


def _floor_name(measure: Similarity) -> str:
    return f"control-similarity-{measure.name}"


def _row(measure: Similarity, need: Requirement) -> Metric:
    reference = need == "reference"
    return Metric(
        name=_name(measure) if reference else _floor_name(measure),
        title=f"{measure.title} to the reference" if reference else f"{measure.title} to controls",
        family="randomisation",
        summary=measure.summary
        if reference
        else "What a similarity is worth: that of the map and maps that know nothing of the model.",
        reference=measure.reference,
        url=measure.url,
        formula=measure.formula,
        direction=-1,
        low=measure.low,
        high=1.0,
        weaknesses="A map that is noisy at its settings resembles nothing, itself included.",
        settings=ResemblanceSettings,
        run=_to_reference(measure) if reference else _to_controls(measure),
        needs=frozenset({need}),
    )


TO_REFERENCE: dict[str, Metric] = {measure.name: _row(measure, "reference") for measure in SIMILARITIES.values()}
"""Similarity of a map to that of the reference question, by the measure's name."""

TO_CONTROLS: dict[str, Metric] = {measure.name: _row(measure, "controls") for measure in SIMILARITIES.values()}
"""Similarity of a map to each control's: the value is that to the first, a mean over its draws; `parts` has all."""
