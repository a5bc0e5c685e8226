"""A study as one jsPsych page: every screen of every sequence, drawn by jsPsych's own form plugin."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from decam.export.markup import filled, script_json
from decam.studies.design import Study
from decam.studies.elements import Json
from decam.studies.road import wording_of
from decam.studies.steps import Step

_TEMPLATE = Path(__file__).with_name("jspsych.html")
_WORDS = {"next": "next", "open": "slider.open", "missing": "missing"}
"""What the page says itself: its own name for a text, and the text's key."""


def page(study: Study, roads: Sequence[tuple[Step, ...]], files: Mapping[str, str]) -> str:
    """The page; `files` are the addresses of pictures by their digests.

    Texts are data of the page's script, never markup: nothing that a researcher typed can become a part of the page.
    """
    screens: list[Json] = [[_screen(step) for step in steps] for steps in roads]
    wording = wording_of(study)
    words: dict[str, Json] = {name: wording(f"page.{key}") for name, key in _WORDS.items()}
    content = {"name": study.name, "files": dict(files), "sequences": screens, "words": words}
    values = {
        "name": html.escape(study.name),
        "language": html.escape(study.language),
        "direction": html.escape(study.direction),
        "study": script_json(content),
    }
    return filled(_TEMPLATE.read_text(encoding="utf-8"), values)


def _screen(step: Step) -> dict[str, Json]:
    """A screen with what the analysis needs; a page that anybody can open keeps no secrets."""
    correct: dict[str, Json] = dict(step.correct)
    facts: dict[str, Json] = dict(step.facts)
    return {**step.visible(), "task": step.task, "correct": correct, "facts": facts}
