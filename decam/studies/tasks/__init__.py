"""The table of tasks: what participants are asked about maps. One file a task."""

from __future__ import annotations

from decam.errors import named
from decam.studies.design import StudyError
from decam.studies.tasks.base import Screen, Task, Trial, conditions_of
from decam.studies.tasks.clicks import CLICKS
from decam.studies.tasks.distinction import DISTINCTION
from decam.studies.tasks.forced_choice import FORCED_CHOICE
from decam.studies.tasks.free_text import FREE_TEXT
from decam.studies.tasks.ranking import RANKING
from decam.studies.tasks.rating import RATING
from decam.studies.tasks.simulation import SIMULATION

TASKS: tuple[Task, ...] = (FORCED_CHOICE, RANKING, RATING, SIMULATION, DISTINCTION, CLICKS, FREE_TEXT)

__all__ = ["TASKS", "Screen", "Task", "Trial", "conditions_of", "get"]


def get(name: str) -> Task:
    """The task of this name; raises StudyError, with the names there are, where there is none."""
    return named("task", name, TASKS, StudyError)
