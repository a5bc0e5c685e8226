"""Lessons about saliency maps: each a document of steps, with ready-made runs, so that nothing waits."""

from decam.errors import SettingError, row_of
from decam.lessons import (
    clever_hans,
    contrast,
    controls,
    covering,
    deletion_insertion,
    disagreement,
    evolution,
    saliency_map,
    sanity,
)
from decam.lessons.base import Lesson, Stop

_ROWS = (
    saliency_map.LESSON,
    covering.LESSON,
    evolution.LESSON,
    deletion_insertion.LESSON,
    controls.LESSON,
    sanity.LESSON,
    clever_hans.LESSON,
    contrast.LESSON,
    disagreement.LESSON,
)
LESSONS: dict[str, Lesson] = {lesson.name: lesson for lesson in _ROWS}

PATH: tuple[Stop, ...] = (
    Stop(4, "Ask the class what a computer looks at to tell a cat from a dog. Collect answers on the board."),
    Stop(6, "Do it together: one pupil clicks, all predict.", "saliency-map"),
    Stop(9, "In pairs, on their own devices, with the QR code. Who hides least?", "covering"),
    Stop(6, "Vote by hand before each reveal.", "real-map"),
    Stop(7, "Together. Stop at each prediction.", "sanity"),
    Stop(8, "Together. Let somebody defend the model.", "clever-hans"),
    Stop(5, "Back to the board: which of the first answers would you change? Hand out the printed page."),
)
"""A class of 45 minutes; the other lessons are for a second one, or for home."""


def get(name: str) -> Lesson:
    """The lesson of that name; raises SettingError where there is none."""
    return row_of("lesson", name, LESSONS, SettingError)


__all__ = ["LESSONS", "PATH", "Lesson", "Stop", "get"]
