"""Who sees what, in which order."""

from decam.studies.assignment.sequence import Assignment, Cell, sequence

__all__ = ["Assignment", "Cell", "sequence"]
