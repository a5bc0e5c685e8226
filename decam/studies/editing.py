"""Changes to a study, each a pure function: what a page does with one click or one field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from decam.settings import Settings
from decam.studies import blocks, tasks, templates
from decam.studies.design import Block, Item, Stimulus, Study, StudyError

Change = Callable[[Study], Study]
Putting = Callable[[Study, Any], Study]


@dataclass(frozen=True)
class Part:
    """Where settings stand in a study: how they are read, and how others are put in their place."""

    read: Callable[[Study], Settings]
    write: Callable[[Study, Settings], Study]


def field_of(name: str) -> Part:
    """A field of the study that holds settings, such as its display."""

    def write(study: Study, made: Settings) -> Study:
        return dataclasses.replace(study, **{name: made})  # type: ignore[arg-type]  # a field of such settings

    return Part(lambda study: _settings(study, name), write)


def block_settings(place: int) -> Part:
    """The settings of a block."""
    return Part(lambda study: block(study, place).settings, lambda study, made: with_block(study, place, settings=made))


def task_settings(place: int) -> Part:
    """The settings of the task that a block repeats."""

    def read(study: Study) -> Settings:
        choice = block(study, place).task
        if choice is None:
            raise StudyError(f"Block {place + 1} repeats no task any more; look at the blocks again.")
        return choice.settings

    def write(study: Study, made: Settings) -> Study:
        choice = block(study, place).task
        return with_block(study, place, task=None if choice is None else dataclasses.replace(choice, settings=made))

    return Part(read, write)


def rule_settings(name: str) -> Part:
    """The settings of a rule of exclusion that the study has."""

    def read(study: Study) -> Settings:
        if name not in study.exclusions:
            raise StudyError("The study does not have this rule any more; look at the rules again.")
        return study.exclusions[name]

    return Part(read, lambda study, made: with_rules(study, {**study.exclusions, name: made}))


def block(study: Study, place: int) -> Block:
    """A block by its place from 0; raises StudyError where there is none, as after it was removed elsewhere."""
    if not 0 <= place < len(study.blocks):
        raise StudyError(f"There is no block {place + 1} any more; look at the blocks again.")
    return study.blocks[place]


def with_block(study: Study, place: int, **changes: object) -> Study:
    """The study with some fields of a block replaced."""
    made = list(study.blocks)
    made[place] = dataclasses.replace(block(study, place), **changes)  # type: ignore[arg-type]  # fields of Block
    return dataclasses.replace(study, blocks=tuple(made))


def with_task(study: Study, place: int, name: str) -> Study:
    """The study with another task in a block, with the settings it comes with."""
    there = block(study, place).task
    if there is not None and there.name == name:
        return study
    return with_block(study, place, task=templates.task(tasks.get(name).name))


def place_of_new(study: Study, kind: str) -> int:
    """Where a block of a kind is added: at the end, but before a block that ends the study, such as a debriefing."""
    behind = bool(study.blocks) and blocks.get(study.blocks[-1].kind).ends and not blocks.get(kind).ends
    return len(study.blocks) - behind


def with_new_block(study: Study, kind: str) -> Study:
    """The study with one more block, at `place_of_new`."""
    place = place_of_new(study, kind)
    made = templates.fresh(blocks.get(kind).name)
    return dataclasses.replace(study, blocks=(*study.blocks[:place], made, *study.blocks[place:]))


def moved(study: Study, place: int, by: int) -> Study:
    """The study with a block some places further down (or up, for a negative `by`); as it is where that leads out."""
    block(study, place)
    if not 0 <= place + by < len(study.blocks):
        return study
    made = list(study.blocks)
    made.insert(place + by, made.pop(place))
    return dataclasses.replace(study, blocks=tuple(made))


def without_block(study: Study, place: int) -> Study:
    """The study without a block."""
    block(study, place)
    return dataclasses.replace(study, blocks=study.blocks[:place] + study.blocks[place + 1 :])


def with_item(study: Study, place: int, number: int, **changes: object) -> Study:
    """The study with some fields of a block's question replaced; a question just behind the last one is added."""
    items = list(block(study, place).items)
    if number == len(items):
        items.append(Item(""))
    if not 0 <= number < len(items):
        raise StudyError(f"There is no question {number + 1} any more; look at the block again.")
    changed = dataclasses.replace(items[number], **changes)  # type: ignore[arg-type]  # fields of Item
    if not blocks.can_be_right(changed):
        changed = dataclasses.replace(changed, correct=-1)
    items[number] = changed
    return with_block(study, place, items=tuple(items))


def without_item(study: Study, place: int, number: int) -> Study:
    """The study without a question of a block."""
    items = block(study, place).items
    return with_block(study, place, items=items[:number] + items[number + 1 :])


def with_stimulus(study: Study, key: str, **changes: object) -> Study:
    """The study with some fields of a stimulus replaced."""
    made = [
        dataclasses.replace(one, **changes) if one.key == key else one  # type: ignore[arg-type]  # fields of Stimulus
        for one in study.stimuli
    ]
    return dataclasses.replace(study, stimuli=tuple(made))


def without_stimulus(study: Study, key: str) -> Study:
    """The study without a stimulus."""
    return dataclasses.replace(study, stimuli=tuple(one for one in study.stimuli if one.key != key))


def without_condition(study: Study, key: str) -> Study:
    """The study without a condition and its maps."""

    def bare(stimulus: Stimulus) -> Stimulus:
        return dataclasses.replace(stimulus, maps=tuple(one for one in stimulus.maps if one.condition != key))

    conditions = tuple(one for one in study.conditions if one.key != key)
    return dataclasses.replace(study, conditions=conditions, stimuli=tuple(map(bare, study.stimuli)))


def with_rules(study: Study, rules: Mapping[str, Settings]) -> Study:
    """The study with these rules of exclusion."""
    return dataclasses.replace(study, exclusions=dict(rules))


def _settings(study: Study, name: str) -> Settings:
    value = getattr(study, name)
    assert isinstance(value, Settings)
    return value
