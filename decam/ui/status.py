"""How runs and their maps stand, in words and with an icon: the one place for both."""

from __future__ import annotations

from dataclasses import dataclass

from decam.experiments.status import CellState, Status


@dataclass(frozen=True)
class Title:
    """A word with its icon; as text it is Markdown that shows both, with the `reason` where there is one."""

    title: str
    icon: str
    reason: str = ""

    def __str__(self) -> str:
        return f":material/{self.icon}: {self.title}" + (f": {self.reason}" if self.reason else "")


STATUS: dict[Status, Title] = {
    Status.QUEUED: Title("Waiting", "hourglass_empty"),
    Status.RUNNING: Title("Running", "progress_activity"),
    Status.DONE: Title("Finished", "check_circle"),
    Status.STOPPED: Title("Stopped", "stop_circle"),
    Status.INTERRUPTED: Title("Interrupted", "pause_circle", "the server ended before the run did"),
    Status.FAILED: Title("Failed", "error"),
}
CELLS: dict[CellState, Title] = {
    CellState.WAITING: Title("Waiting", "hourglass_empty"),
    CellState.RUNNING: Title("Running", "progress_activity"),
    CellState.MEASURING: Title("Measuring", "straighten"),
    CellState.DONE: Title("Finished", "check_circle"),
    CellState.FAILED: Title("Failed", "error"),
    CellState.STOPPED: Title("Stopped", "stop_circle"),
}
