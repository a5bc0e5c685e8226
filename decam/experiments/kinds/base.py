"""What a row of the table of kinds says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from decam.experiments.grid import Grid
from decam.experiments.plan import Plan


@dataclass(frozen=True)
class Reading:
    """One finding of a run in words: `sentence` is about `subject`, which is empty where it is about the whole run."""

    subject: str
    sentence: str


@dataclass(frozen=True)
class Kind:
    """A kind of plan.

    `title` heads its list of earlier runs and `noun` is what one of them is called. `facts` says in a few words each
    what tells one plan of this kind from another. `reading` says what a grid has found, finished or not, and nothing
    where it has found nothing yet. With `by_picture` each picture is a question of its own, so that a run can be given
    further pictures.
    """

    name: str
    title: str
    noun: str
    facts: Callable[[Plan], tuple[str, ...]]
    reading: Callable[[Grid], tuple[Reading, ...]]
    by_picture: bool = False
