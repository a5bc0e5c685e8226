"""The folder of a run: where its pictures, masks, maps and curves lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from decam.experiments.cells import CellKey
from decam.experiments.history import Frame
from decam.experiments.plan import Plan
from decam.explanation import Explanation, Truth, further_arrays
from decam.metrics.base import Measurement
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import files


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, which may not be there yet."""

    path: Path

    def view(self, position: int) -> Path:
        """The model's view of a picture of the plan."""
        return self.path / f"view-{position:02}.png"

    def truth(self, position: int, fingerprint: str) -> Path:
        """The mask that says where the class is in a picture of the plan.

        Another mask is another file: until the plan names it, the plan finds the mask that it was measured by.
        """
        return self.path / f"truth-{position:02}-{fingerprint[:16]}.png"

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
        self.write_truths(run.plan, dict(enumerate(run.truths)))

    def write_truths(self, plan: Plan, truths: Mapping[int, Truth | None]) -> None:
        """Keep the masks of some pictures, by their positions in the plan, which names them; raises StoreError."""
        for position, truth in truths.items():
            if truth is not None:
                files.write_truth(self.truth(position, plan.pictures[position].truth), truth)

    def read_truth(self, plan: Plan, position: int) -> Truth | None:
        """The mask that the plan names, None where it names none; raises StoreError where that is missing or damaged.

        Earlier versions kept the mask under the position alone.
        """
        fingerprint = plan.pictures[position].truth
        if not fingerprint:
            return None
        path, former = self.truth(position, fingerprint), self.path / f"truth-{position:02}.png"
        return files.read_truth(former if former.is_file() and not path.is_file() else path)

    def write_map(self, key: CellKey, explanation: Explanation, frames: Sequence[Frame]) -> None:
        """Keep a finished map with the frames that led to it; raises StoreError."""
        files.write_map(
            self.map(key),
            explanation.saliency,
            frames,
            silent=explanation.silent,
            further=further_arrays(explanation),
        )

    def write_curve(self, key: CellKey, choice: str, measurement: Measurement) -> str:
        """Keep the curve of a measurement; the name of its file, empty where there is no curve. Raises StoreError."""
        if measurement.curve is None:
            return ""
        path = self.curve(key, choice)
        files.write_curve(path, measurement.curve)
        return path.name

    def write_maps(self, run: RunSnapshot) -> None:
        """Keep the maps that a run has already; raises StoreError."""
        for key, cell in run.cells.items():
            if cell.explanation is not None:
                self.write_map(key, cell.explanation, cell.frames)
