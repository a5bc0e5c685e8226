"""Studies that tests ask about: small, whole, and without files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from decam.studies import blocks, tasks
from decam.studies.assignment import Assignment
from decam.studies.design import Block, Condition, FrozenMap, Item, Stimulus, Study, TaskChoice
from decam.studies.frozen import PICTURE, digest_of, keep

CONDITIONS = tuple(Condition(key, key.title(), letter=letter) for key, letter in zip("abc", "XYZ", strict=True))
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
"""A grey picture of one pixel."""
CLASSES = ("cat", "dog", "fish", "owl")


def digest(text: str) -> str:
    """A digest as a file's name has it."""
    return hashlib.sha256(text.encode()).hexdigest()


def picture(text: str) -> bytes:
    """A PNG of its own for each text, which follows the picture's end."""
    return PNG + text.encode()


def shown(text: str) -> str:
    """The digest of that picture."""
    return digest_of(picture(text))


def stimulus(number: int, use: str = "trials", conditions: Sequence[Condition] = CONDITIONS) -> Stimulus:
    """A picture with a map of every condition for each of four classes; the model is right."""
    label = CLASSES[number % len(CLASSES)]
    maps = tuple(
        FrozenMap(one.key, place, name, shown(f"{number}{one.key}{name}"), digest(f"array{number}{one.key}{name}"))
        for one in conditions
        for place, name in enumerate(CLASSES)
        if one.source != "none"
    )
    others = [name for name in CLASSES if name != label]
    guesses = ((label, 0.7), *((name, 0.1) for name in others))
    return Stimulus(
        f"s{number}", f"picture{number}.png", shown(f"picture{number}"), 224, 160, "embedded",
        CLASSES.index(label), label, guesses, maps, correct=label, use=use,
    )  # fmt: skip


def block(kind: str, items: Sequence[Item] = (), task: str = "", **settings: Any) -> Block:
    """A block; what begins with `task_` is a setting of its task."""
    own = {name: value for name, value in settings.items() if not name.startswith("task_")}
    of_task = {name.removeprefix("task_"): value for name, value in settings.items() if name.startswith("task_")}
    choice = TaskChoice(task, tasks.get(task).settings.from_mapping(of_task)) if task else None
    return Block(kind, blocks.get(kind).settings.from_mapping(own), tuple(items), choice)


def study(*more: Block, count: int = 6, conditions: Sequence[Condition] = CONDITIONS, **assignment: Any) -> Study:
    """A study of consent, then the blocks given, on `count` stimuli."""
    return Study(
        "Which map?",
        conditions=tuple(conditions),
        stimuli=tuple(stimulus(number, conditions=conditions) for number in range(count)),
        blocks=(block("consent", text="We keep your answers."), *more),
        assignment=Assignment.from_mapping(assignment),
    )


def whole() -> Study:
    """A study with every kind of block and every task."""
    made = study(
        block("demographics", [Item("Age", "number", optional=True), Item("Hand", options=("left", "right"))]),
        block("instructions"),
        block("comprehension", [Item("Bright means?", options=("unimportant", "important"), correct=1)]),
        block("training", task="forward-simulation"),
        *(block("trials", task=task.name, attention=1, repeats=1, rest_after=4) for task in tasks.TASKS),
        block("break", seconds=1),
        block("questionnaire", scale="SUS"),
        block("questionnaire", scale="NASA-TLX"),
        block("questionnaire", [Item("I trusted it", "rating"), Item("Why?", "text", optional=True)]),
        block("debriefing"),
    )
    training = tuple(stimulus(number, "training") for number in (90, 91))
    return Study(**{**vars(made), "stimuli": (*made.stimuli, *training)})


def freeze(made: Study, folder: Path) -> None:
    """Put a file for every picture of a study into its folder, so that it can be taken."""
    for one in made.stimuli:
        number = one.key.removeprefix("s")
        texts = (f"picture{number}", *(f"{number}{each.condition}{each.label}" for each in one.maps))
        kept = [keep(folder, picture(text), PICTURE) for text in texts]
        assert kept == [one.image, *(each.image for each in one.maps)]
