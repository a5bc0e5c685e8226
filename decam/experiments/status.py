"""How a run and its maps stand."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run stands. An interrupted run lost its server; the others ended by themselves or were stopped."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """True while the run waits or is computed."""
        return self in (Status.QUEUED, Status.RUNNING)

    @property
    def ended_early(self) -> bool:
        """True where something may be missing that a visitor can ask for again."""
        return self in (Status.STOPPED, Status.INTERRUPTED, Status.FAILED)


class CellState(StrEnum):
    """How a map stands; while it is measured, the map itself is final."""

    WAITING = "waiting"
    RUNNING = "running"
    MEASURING = "measuring"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def pending(self) -> bool:
        """True for a map that a run has still to make or to measure."""
        return self in (CellState.WAITING, CellState.RUNNING, CellState.MEASURING)
