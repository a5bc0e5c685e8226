"""What a run finds out, on disk before anybody sees it."""

from __future__ import annotations

from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Reused, Spent
from decam.experiments.grid import Grid
from decam.experiments.reuse import made_from
from decam.runs.store import Store


class Recorder:
    """Writes the events of runs into a store; writing an event twice leaves what writing it once leaves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, run_id: str, event: Event, grid: Grid) -> None:
        """Keep what an event says, given the grid after it; raises StoreError where the disk refuses.

        Progress is not kept: a run that is killed makes a map that it had begun again.
        """
        if isinstance(event, Predicted | Spent):
            guesses, further = grid.predictions[event.question] or (), grid.further.get(event.question, 0)
            self._store.save_predictions(run_id, event.question, guesses, further)
        elif isinstance(event, Explained | Reused):
            digest = made_from(grid.plan, event.cell, grid.target_of(event.cell.question))
            self._store.save_cell(run_id, event.cell, grid.cells[event.cell], digest)
        elif isinstance(event, Measured):
            self._store.save_measurements(run_id, event.metric, event.measurements)
        elif isinstance(event, Failed):
            self._store.save_failure(run_id, event.cell, event.sentence)
