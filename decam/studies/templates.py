"""The table of common designs: each fills a new study with blocks and an assignment, which can then be changed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from decam.errors import named
from decam.settings import Settings
from decam.studies import blocks, tasks
from decam.studies.design import Block, Item, Study, StudyError, TaskChoice
from decam.studies.road import wording_of
from decam.studies.tasks.base import NO_MAP
from decam.studies.wording import Wording, shipped

_FIVE = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class Template:
    """A row of the table of designs.

    `parts` are its blocks. `catches` are the built-in conditions that go with it, and `subjects` says whether everybody
    sees all conditions. `training` is true where some pictures are kept for training. `source` names the paper.
    """

    name: str
    title: str
    summary: str
    parts: tuple[Block, ...]
    source: str = ""
    catches: tuple[str, ...] = ()
    subjects: str = "within"
    training: bool = False


def fresh(kind: str, **settings: int | float | str | bool) -> Block:
    """A block of a kind as it is added, with the first task where it repeats one; raises as its table does."""
    row = blocks.get(kind)
    return Block(row.name, row.settings.from_mapping(settings), (), task(tasks.TASKS[0].name) if row.use else None)


def task(name: str, **settings: int | float | str | bool) -> TaskChoice:
    """A task with the settings it comes with, but for those given; raises as its table does."""
    row = tasks.get(name)
    made: Settings = row.settings.from_mapping(settings)
    return TaskChoice(row.name, made)


def begun(template: Template, study: Study) -> Study:
    """The study with the template's blocks and way of assignment in place of its own."""
    subjects = dataclasses.replace(study.assignment, subjects=template.subjects)
    made = dataclasses.replace(study, blocks=template.parts, assignment=subjects)
    return reworded(made, _ENGLISH, wording_of(study))


def reworded(study: Study, before: Wording, after: Wording) -> Study:
    """The study with what templates wrote into its questionnaires in the words of `after`, as it stood in `before`.

    Whatever the researcher wrote or changed stays.
    """
    texts = {before(key): after(key) for key in _OF_TEMPLATES}

    def of_block(block: Block) -> Block:
        written = {one.name: getattr(block.settings, one.name) for one in block.settings.parameters()}
        changed = {name: texts[value] for name, value in written.items() if value in texts}
        items = tuple(
            dataclasses.replace(
                item, text=texts.get(item.text, item.text), options=tuple(texts.get(one, one) for one in item.options)
            )
            for item in block.items
        )
        return dataclasses.replace(block, settings=dataclasses.replace(block.settings, **changed), items=items)

    return dataclasses.replace(study, blocks=tuple(map(of_block, study.blocks)))


def get(name: str) -> Template:
    """The template of this name; raises StudyError, with the names there are, where there is none."""
    return named("design", name, TEMPLATES, StudyError)


def _framed(*middle: Block) -> tuple[Block, ...]:
    """Blocks between consent and instructions before, and the debriefing after them."""
    return (fresh("consent"), fresh("instructions"), *middle, fresh("debriefing"))


def _repeats(choice: TaskChoice, kind: str = "trials", **settings: int | bool) -> Block:
    row = blocks.get(kind)
    return Block(kind, row.settings.from_mapping(dict(settings)), (), choice)


def _asked(heading: str, *items: Item) -> Block:
    row = blocks.get("questionnaire")
    return Block(row.name, row.settings.from_mapping({"heading": heading}), items)


_ENGLISH = shipped("en")
_OF_TEMPLATES = tuple(key for key in _ENGLISH.texts if key.startswith("hive."))
"""Texts of the wording that a template writes into a study, where the researcher can change them."""

_UNDERSTANDING = Item(_ENGLISH("hive.understanding"), "rating", _FIVE)
_RISKS = tuple(
    Item(_ENGLISH(f"hive.risk.{risk}"), "slider", (_ENGLISH("hive.never"), _ENGLISH("hive.always")))
    for risk in ("little", "some", "lives")
)

TEMPLATES: tuple[Template, ...] = (
    Template(
        "plausibility",
        "Which map is better?",
        "Two maps of an image beside each other: which explains the answer better? Gives a Bradley–Terry ranking.",
        _framed(_repeats(task("forced-choice"), repeats=2, attention=2)),
        "Small changes of design change such judgements (arXiv 2406.07702): all settings are kept with the answers.",
        ("random", "centre"),
    ),
    Template(
        "rating",
        "How good is this map?",
        "One map at a time, rated on statements of your own with five or seven points.",
        _framed(_repeats(task("rating"), attention=2)),
        catches=("random", "centre"),
    ),
    Template(
        "distinction",
        "Which answer was it?",
        "Maps for four classes: which one did the model answer, and which is right? With confidence, and trust before "
        "and after.",
        _framed(
            _asked(_ENGLISH("hive.before"), _UNDERSTANDING),
            _repeats(task("distinction"), attention=2),
            _asked(_ENGLISH("hive.after"), _UNDERSTANDING, *_RISKS),
        ),
        "HIVE: Kim et al. 2022, arXiv 2112.03184. Take images that the model gets right and wrong.",
    ),
    Template(
        "simulation",
        "What will the model answer?",
        "Participants predict the model's answer to an image, some with a map and some without.",
        _framed(_repeats(task("forward-simulation"), attention=2)),
        "Alqaraawi et al. 2020, arXiv 2002.00772.",
        (NO_MAP,),
        "between",
    ),
    Template(
        "utility",
        "Do maps teach how the model decides?",
        "Training with maps or without, then new images without any. Utility is the accuracy divided by "
        "that of people trained without maps.",
        _framed(
            _repeats(task("forward-simulation"), "training", attempts=1),
            _repeats(task("forward-simulation", shows="picture"), attention=2),
        ),
        "Colin et al. 2022, arXiv 2112.04417.",
        (NO_MAP,),
        "between",
        training=True,
    ),
    Template(
        "clicks",
        "Where would you look?",
        "Participants mark the places that show what an image is; their maps are compared with the methods'.",
        _framed(_repeats(task("clicks"), attention=1)),
        "ClickMe: Linsley et al. 2019, arXiv 1805.08819. At least ten people for each image.",
    ),
)
