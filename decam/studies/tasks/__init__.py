"""The table of tasks: what participants are asked about maps. One file a task."""

from __future__ import annotations

import difflib

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
    for task in TASKS:
        if task.name == name:
            return task
    names = [task.name for task in TASKS]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise StudyError(f"There is no task {name!r}; there are: {', '.join(names)}.{hint}")
