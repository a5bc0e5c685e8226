"""What a map is made from, as a digest: two maps with the same digest are the same map, and one need not be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TypeAlias

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import Plan, Versions
from decam.files import json_digest
from decam.images.framing import CROP
from decam.metrics import get as get_metric


@dataclass(frozen=True)
class Earlier:
    """A finished map of another run, with what was measured of it; `truth` is the fingerprint of its ground truth."""

    cell: Cell
    truth: str = ""


Lookup: TypeAlias = Callable[[str], Earlier | None]
"""From a digest to a finished map that has it, None where there is none."""


def asked(plan: Plan, key: CellKey, target: int | None) -> str:
    """The digest of what a map is an answer to: model, picture, class, method with its settings, and seed.

    `target` is the class that the question has in the end; it counts for questions about pictures alone.
    """
    question, choice = plan.questions[key.question], plan.methods[key.method]
    # Methods about classes may use all pictures of a plan.
    pictures = plan.pictures if question.about_class else [plan.picture_of(key.question)]
    about = None if not question.about_class else (question.target, question.also, question.unit and str(question.unit))
    against = plan.against_of(key.question)
    return _digest(
        question.model.to_mapping(),
        [picture.sha256 if picture.framing == CROP else [picture.sha256, picture.framing] for picture in pictures],
        about if about is not None else target if against is None else (target, "rather than", against),
        choice.name,
        choice.settings.to_mapping(),
        question.seed,
    )


def made_from(plan: Plan, key: CellKey, target: int | None) -> str:
    """The digest of all that a map is made from: what it answers, the device, how the model is asked, and versions.

    The versions are those of this process, which may be newer than the plan. Empty where the plan does not say yet how
    the model is asked, or a picture has no fingerprint.
    """
    if plan.execution is None or not all(picture.sha256 for picture in plan.pictures):
        return ""
    # The note says why the way of asking was chosen, and changes nothing.
    execution = asdict(replace(plan.execution, note=""))
    return _digest(asked(plan, key, target), plan.device, execution, _versions())


def carried(grid: Grid, key: CellKey, earlier: Earlier) -> Cell:
    """An earlier map as a cell of this grid, with those measurements that hold here too.

    A metric that compares with other maps of its run does not hold here, nor one that failed. One that needs the ground
    truth holds where the truth is the same.
    """
    plan = grid.plan
    if plan.questions[key.question].about_class:
        return earlier.cell
    same_truth = plan.picture_of(key.question).truth == earlier.truth
    lost = {"reference"} if same_truth else {"reference", "truth"}
    keep = {choice.key for choice in plan.metrics_for(key.question) if not lost & get_metric(choice.name).needs}
    kept = {name: one for name, one in earlier.cell.measurements.items() if name in keep and not one.failed}
    return replace(earlier.cell, measurements=kept)


@cache
def _versions() -> dict[str, str]:
    return asdict(Versions.here())


def _digest(*parts: object) -> str:
    return json_digest(parts)
