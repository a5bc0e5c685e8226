"""The folder of a run: where its pictures, masks, maps and curves lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from decam.experiments.cells import CellKey
from decam.experiments.history import Frame
from decam.explanation import Explanation, further_arrays
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import files


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, which may not be there yet."""

    path: Path

    def view(self, position: int) -> Path:
        """The model's view of a picture of the plan."""
        return self.path / f"view-{position:02}.png"

    def truth(self, position: int) -> Path:
        """The mask that says where the class is in a picture of the plan."""
        return self.path / f"truth-{position:02}.png"

    def map(self, key: CellKey) -> Path:
        """The map of a cell, with its frames."""
        return self.path / f"map-{key.question:02}-{key.method:02}.npz"

    def curve(self, key: CellKey, choice: str) -> Path:
        """The curve of a cell by a metric of the plan, which `choice` names by its key."""
        return self.path / f"curve-{key.question:02}-{key.method:02}-{choice}.npz"

    def write_pictures(self, run: RunSnapshot) -> None:
        """Make the folder and keep the views and masks of a run; raises StoreError."""
        with files.as_store_error(f"write in {self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
        for position, view in enumerate(run.views):
            files.write_view(self.view(position), view)
        for position, truth in enumerate(run.truths):
            if truth is not None:
                files.write_truth(self.truth(position), truth)

    def write_map(self, key: CellKey, explanation: Explanation, frames: Sequence[Frame]) -> None:
        """Keep a finished map with the frames that led to it; raises StoreError."""
        files.write_map(
            self.map(key),
            explanation.saliency,
            frames,
            silent=explanation.silent,
            further=further_arrays(explanation),
        )

    def write_maps(self, run: RunSnapshot) -> None:
        """Keep the maps that a run has already; raises StoreError."""
        for key, cell in run.cells.items():
            if cell.explanation is not None:
                self.write_map(key, cell.explanation, cell.frames)
