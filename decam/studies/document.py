"""A study as one JSON document: schema, version, everything in `Study`, and a digest that every answer carries."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from decam.errors import DecamError
from decam.settings import Settings
from decam.studies import blocks, tasks
from decam.studies.analysis.exclusions import get as get_rule
from decam.studies.assignment import Assignment
from decam.studies.design import (
    USES,
    Block,
    Condition,
    Display,
    Entrance,
    FrozenMap,
    Hypothesis,
    Item,
    Stimulus,
    Study,
    StudyError,
    TaskChoice,
)

SCHEMA = "decam study"
VERSION = 1
T = TypeVar("T")


def study_to_json(study: Study) -> str:
    """The study as JSON text, indented, the same text for the same study."""
    return json.dumps(_entries(study), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def digest_of(study: Study) -> str:
    """SHA-256 of the study's document as hexadecimal; any change gives another one."""
    plain = json.dumps(_entries(study), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def study_from_json(text: str | bytes) -> Study:
    """The study of a document; raises StudyError, with one sentence, for what is no study or does not fit."""
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StudyError("This is not a study: the file is not JSON. Give the study.json of an export.") from error
    if not isinstance(read, dict) or read.get("schema") != SCHEMA:
        raise StudyError(f'This is not a study: its "schema" must be {SCHEMA!r}. Give the study.json of an export.')
    if read.get("version") != VERSION:
        raise StudyError(
            f"This study has version {str(read.get('version'))[:20]!r} of the format, and this decam reads {VERSION}; "
            "update decam."
        )
    try:
        return _study(read)
    except StudyError:
        raise
    except DecamError as error:
        raise StudyError(f"This study cannot be used: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StudyError(
            f"This study cannot be used: a part of it is missing or has a wrong type ({error!s:.80})."
        ) from error


def _entries(study: Study) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "name": study.name,
        "language": study.language,
        "direction": study.direction,
        "wording": dict(study.wording),
        "display": study.display.to_mapping(),
        "conditions": [dataclasses.asdict(condition) for condition in study.conditions],
        "stimuli": [dataclasses.asdict(stimulus) for stimulus in study.stimuli],
        "blocks": [_block_entries(block) for block in study.blocks],
        "assignment": study.assignment.to_mapping(),
        "entrance": study.entrance.to_mapping(),
        "hypothesis": study.hypothesis.to_mapping(),
        "exclusions": {name: settings.to_mapping() for name, settings in study.exclusions.items()},
    }


def _block_entries(block: Block) -> dict[str, Any]:
    entries: dict[str, Any] = {"kind": block.kind, "settings": block.settings.to_mapping()}
    if block.items:
        entries["items"] = [dataclasses.asdict(item) for item in block.items]
    if block.task is not None:
        entries["task"] = {"name": block.task.name, "settings": block.task.settings.to_mapping()}
    return entries


def _study(read: Mapping[str, Any]) -> Study:
    known = {field.name for field in dataclasses.fields(Study)}
    unknown = set(read) - known - {"schema", "version"}
    if unknown:
        raise StudyError(f"This study has parts that no study has: {', '.join(sorted(unknown))}.")
    return Study(
        name=_text(read["name"]),
        language=_text(read.get("language", "en")),
        direction=_text(read.get("direction", "ltr")),
        wording={_text(key): _text(value) for key, value in read.get("wording", {}).items()},
        display=Display.from_mapping(read.get("display", {})),
        conditions=tuple(_made(Condition, entry) for entry in read.get("conditions", ())),
        stimuli=tuple(_stimulus(entry) for entry in read.get("stimuli", ())),
        blocks=tuple(_block(entry) for entry in read.get("blocks", ())),
        assignment=Assignment.from_mapping(read.get("assignment", {})),
        entrance=Entrance.from_mapping(read.get("entrance", {})),
        hypothesis=Hypothesis.from_mapping(read.get("hypothesis", {})),
        exclusions={
            _text(name): get_rule(name).settings.from_mapping(values)
            for name, values in read.get("exclusions", {}).items()
        },
    )


def _stimulus(entry: Mapping[str, Any]) -> Stimulus:
    maps = tuple(_made(FrozenMap, one) for one in entry["maps"])
    guesses = tuple((_text(label), float(probability)) for label, probability in entry["guesses"])
    stimulus = _made(Stimulus, {**entry, "maps": maps, "guesses": guesses})
    if stimulus.use not in USES:
        raise StudyError(f"A stimulus is kept for {stimulus.use!r}, but must be for one of: {', '.join(USES)}.")
    return stimulus


def _block(entry: Mapping[str, Any]) -> Block:
    kind = blocks.get(entry["kind"])
    task = entry.get("task")
    return Block(
        kind.name,
        kind.settings.from_mapping(entry.get("settings", {})),
        tuple(_made(Item, {**item, "options": tuple(item.get("options", ()))}) for item in entry.get("items", ())),
        None if task is None else TaskChoice(task["name"], _task_settings(task)),
    )


def _task_settings(entry: Mapping[str, Any]) -> Settings:
    return tasks.get(entry["name"]).settings.from_mapping(entry.get("settings", {}))


def _made(kind: type[T], entry: Mapping[str, Any]) -> T:
    return kind(**entry)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise StudyError(f"A text is expected where the study has {str(value)[:40]!r}.")
    return value
