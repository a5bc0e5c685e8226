"""A study as a configuration for reVISit (revisit.dev): one component a screen, one fixed block a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from decam import __version__
from decam.files import json_text
from decam.studies.design import Study
from decam.studies.elements import (
    Choice,
    Entry,
    Number,
    Pointing,
    Prose,
    Question,
    Ranking,
    Rating,
    Several,
    Slider,
)
from decam.studies.road import wording_of
from decam.studies.steps import Step

SCHEMA = "https://raw.githubusercontent.com/revisit-studies/study/v2.4.3/src/parser/StudyConfigSchema.json"


def configuration(study: Study, roads: Sequence[tuple[Step, ...]], paths: Mapping[tuple[str, ...], str]) -> bytes:
    """The configuration as JSON; `paths` names the file that shows a screen's pictures, by their digests in order.

    A participant gets one of the sequences, each as often as the others: a Latin square of which one is drawn. Options
    keep the values that decam's own tables have. reVISit refuses a block without screens.
    """
    components: dict[str, Any] = {}
    blocks = []
    for sequence, steps in enumerate(roads):
        names = [f"sequence{sequence}-screen{step.id}" for step in steps]
        components |= {name: _component(step, paths) for name, step in zip(names, steps, strict=True)}
        blocks.append({"id": f"sequence{sequence}", "order": "fixed", "components": names})
    entries = {
        "$schema": SCHEMA,
        "studyMetadata": {
            "title": study.name,
            "version": "1",
            "authors": ["Written by the researcher"],
            "date": "",
            "description": study.hypothesis.question or "A study of saliency maps.",
            "organizations": [f"Made with decam {__version__}"],
        },
        "uiConfig": {
            "contactEmail": "",
            "logoPath": "",
            "withProgressBar": True,
            "autoDownloadStudy": True,
            "withSidebar": False,
            "nextButtonText": wording_of(study)("page.next"),
        },
        "components": components,
        "sequence": {"order": "latinSquare", "numSamples": 1, "components": blocks},
    }
    return json_text(entries).encode()


def _component(step: Step, paths: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    shown = tuple(dict.fromkeys(picture.image for picture in step.pictures))
    prose = [element for element in step.elements if isinstance(element, Prose)]
    instruction = "\n\n".join(f"### {one.heading}\n\n{one.text}" if one.heading else one.text for one in prose)
    component: dict[str, Any] = {
        "type": "image" if shown else "questionnaire",
        "instruction": instruction,
        "instructionLocation": "aboveStimulus",
        "nextButtonLocation": "belowStimulus",
        "meta": {"screen": step.id, "task": step.task, "stimulus": step.facts.get("stimulus", "")},
        "response": [_response(question) for question in step.questions],
    }
    if shown:
        component["path"] = paths[shown]
    answers = [{"id": name, "answer": value} for name, value in step.correct.items()]
    return component | ({"correctAnswer": answers} if answers else {})


def _response(question: Question) -> dict[str, Any]:
    """A question as a response; every form of question has its own row."""
    common = {
        "id": question.name,
        "prompt": question.prompt,
        "required": not question.optional,
        "location": "belowStimulus",
    }
    form: dict[str, Any] = _FORMS[question.kind](question)
    return common | form


def _options(question: Any) -> list[dict[str, str]]:
    return [{"label": option.label, "value": option.value} for option in question.options]


def _several(question: Any) -> dict[str, Any]:
    """Boxes to tick: without a least number, reVISit lets a box that was ticked and cleared pass as an answer."""
    least = {} if question.optional else {"minSelections": 1}
    return {"type": "checkbox", "options": _options(question), **least}


def _ends(slider: Slider) -> list[dict[str, object]]:
    ends = ((slider.low, slider.least), (slider.high, slider.most))
    return [{"label": label or str(value), "value": value} for label, value in ends]


_FORMS: Mapping[str, Any] = {
    Choice.kind: lambda one: {"type": "radio", "options": _options(one)},
    Several.kind: _several,
    Ranking.kind: lambda one: {"type": "ranking-sublist", "options": _options(one)},
    Rating.kind: lambda one: {
        "type": "likert", "numItems": one.points, "leftLabel": one.low, "rightLabel": one.high,
    },
    Slider.kind: lambda one: {"type": "slider", "step": one.step, "options": _ends(one)},
    Number.kind: lambda one: {"type": "numerical", "min": one.least, "max": one.most},
    Entry.kind: lambda one: {"type": "longText" if one.long else "shortText"},
    Pointing.kind: lambda _one: {"type": "longText"},
}  # fmt: skip
