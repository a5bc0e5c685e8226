"""How the files of an export are named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

from decam.experiments.plan import Plan
from decam.experiments.questions import QuestionSpec
from decam.explanation import Unit


def slug(name: str, longest: int = 48) -> str:
    """A name as part of a file name on any system: ASCII letters, digits, dots, dashes and underscores.

    Accents are dropped, everything else becomes a dash; "picture" where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain)[:longest].strip("-._") or "picture"


def picture_names(plan: Plan) -> tuple[str, ...]:
    """For each picture its number from 01 and its name without folders and extension: never twice the same."""
    stems = [PurePath(choice.name.replace("\\", "/")).stem for choice in plan.pictures]
    return tuple(f"{number:02d}_{slug(stem)}" for number, stem in enumerate(stems, start=1))


def question_names(plan: Plan) -> tuple[str, ...]:
    """For each question the name of its picture, or of its class or unit: never twice the same.

    A question to a variant of the model has its number and stage beside it, any other that is not the first about its
    picture has its number.
    """
    pictures = picture_names(plan)
    names: list[str] = []
    for place, question in enumerate(plan.questions):
        name, variant = _subject(question, pictures), question.model.variant
        if variant is not None:
            name = f"{name}_{place:02d}-{slug(variant.stage)}"
        elif name in names:
            name = f"{name}_{place:02d}"
        names.append(name)
    return tuple(names)


def _subject(question: QuestionSpec, pictures: Sequence[str]) -> str:
    if question.picture is not None:
        return pictures[question.picture]
    about = question.about
    if isinstance(about, Unit):
        return f"unit-{slug(about.layer)}-{about.channel:03d}"
    return "-".join(["class", *(f"{index:03d}" for index in about)])


def method_names(plan: Plan) -> tuple[str, ...]:
    """For each method its name, with a number from the second time on that the plan has it."""
    names = [choice.name for choice in plan.methods]
    seen = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return tuple(name if count == 1 else f"{name}-{count}" for name, count in zip(names, seen, strict=True))
