"""Finished runs and studies made by hand, so that a test knows each value in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from decam.classifier import Pixels
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice
from decam.experiments.status import CellState, Status
from decam.explanation import Explanation, Map
from decam.methods import METHODS
from decam.metrics.base import Measurement
from decam.runs.plans import settled
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.studies import frozen
from decam.studies.design import Study, StudyError

LABELS = ("cat", "dog", "bird")
DELETION = MetricChoice.default("deletion", steps=5)


def view(seed: int, size: tuple[int, int] = (40, 60)) -> Pixels:
    """A picture of noise, H×W×3 uint8."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def ramp(size: tuple[int, int] = (40, 60)) -> Map:
    """A map that grows from the left to the right, from −1 to 1."""
    return np.broadcast_to(np.linspace(-1, 1, size[1], dtype=np.float32), size).copy()


def run(
    link: str,
    pictures: Mapping[str, Pixels],
    methods: Sequence[str] = ("grad-cam", "integrated-gradients"),
    targets: Sequence[int | None] | None = None,
    maps: Mapping[CellKey, Map | None] | None = None,
    model: str = "embedded",
    against: Sequence[int | None] = (),
) -> RunSnapshot:
    """A finished comparison. A map that is not given is a ramp times its method's place plus one; None: not made."""
    names, views = list(pictures), list(pictures.values())
    plan = comparison.plan(
        model,
        "cpu",
        [PictureChoice(name) for name in names],
        [MethodChoice.default(name) for name in methods],
        targets=list(targets) if targets else [None] * len(names),
        against=against,
        metrics=(DELETION,),
        seed=0,
    )
    plan = settled(plan, views, [None] * len(views))
    guesses = ((0, 0.7), (1, 0.2), (2, 0.1))
    empty = Grid.empty(plan, views, [None] * len(views), LABELS)
    grid = Grid(plan, empty.views, empty.truths, LABELS, (guesses,) * len(plan.questions), empty.cells)
    cells = {key: _cell(grid, key, (maps or {}).get(key, ramp(views[0].shape[:2]) * (key.method + 1)), maps or {})
             for key in grid.cells}  # fmt: skip
    grid = Grid(plan, grid.views, grid.truths, LABELS, grid.predictions, cells)
    return RunSnapshot(link, datetime(2027, 1, 1, tzinfo=UTC), Status.DONE, grid)


def _cell(grid: Grid, key: CellKey, saliency: Map | None, given: Mapping[CellKey, Map | None]) -> Cell:
    if key in given and given[key] is None:
        return Cell(CellState.FAILED, error="It failed.")
    assert saliency is not None
    target = grid.target_of(key.question)
    assert target is not None
    choice = grid.plan.methods[key.method]
    explanation = Explanation(
        choice.name,
        saliency.astype(np.float32),
        target,
        LABELS[target],
        0.7,
        METHODS[choice.name].settings(),
        0,
        1,
        0.1,
    )
    measured = {DELETION.key: Measurement("deletion", 0.25 + key.method / 100)}
    return Cell(CellState.DONE, saliency=explanation.saliency, explanation=explanation, measurements=measured)


def keep(store: Store, made: RunSnapshot) -> str:
    """Put a finished run into a store, as the server that computed it had; its link."""
    store.add(made)
    store.begin(made.id, made.plan, LABELS)
    for question, guesses in enumerate(made.predictions):
        store.save_predictions(made.id, question, guesses or ())
    for key, cell in made.cells.items():
        if cell.explanation is not None:
            store.save_cell(made.id, key, cell)
    store.save_status(made.id, Status.DONE)
    return made.id


def damage(study: Study, folder: Path) -> list[str]:
    """What is wrong with a study's files, as whoever reads them hears it: a sentence for each."""
    sentences = []
    for name in map(Path, frozen.names(study)):
        try:
            frozen.read(folder, name.stem, name.suffix)
        except StudyError as error:
            sentences.append(str(error))
    return sentences
