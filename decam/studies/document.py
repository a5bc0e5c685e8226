"""A study as one JSON document: schema, version, everything in `Study`, and a digest that every answer carries."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from decam.errors import DecamError
from decam.figures.stimulus import Display
from decam.files import json_text
from decam.settings import Settings
from decam.studies import blocks, tasks
from decam.studies.analysis.exclusions import choose
from decam.studies.assignment import Assignment
from decam.studies.blocks.forms import FORMS
from decam.studies.design import (
    USES,
    Block,
    Condition,
    Entrance,
    FrozenMap,
    Hypothesis,
    Item,
    Stimulus,
    Study,
    StudyError,
    TaskChoice,
)
from decam.studies.elements import UNBOUNDED
from decam.studies.road import wording_of
from decam.studies.wording import DIRECTIONS

SCHEMA = "decam study"
VERSION = 1
_DIGEST = re.compile("[0-9a-f]{64}")
T = TypeVar("T")


def study_to_json(study: Study) -> str:
    """The study as JSON text, indented, the same text for the same study."""
    return json_text(_entries(study))


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
        "display": _display_entries(study.display),
        "conditions": [_condition_entry(condition) for condition in study.conditions],
        "stimuli": [dataclasses.asdict(stimulus) for stimulus in study.stimuli],
        "blocks": [_block_entries(block) for block in study.blocks],
        "assignment": study.assignment.to_mapping(),
        "entrance": study.entrance.to_mapping(),
        "hypothesis": study.hypothesis.to_mapping(),
        "exclusions": {name: settings.to_mapping() for name, settings in study.exclusions.items()},
    }


def _display_entries(display: Display) -> dict[str, Any]:
    """All fields; the area only where it is not the usual one, so that earlier studies keep their digests."""
    entries = display.to_mapping()
    return entries if display.area != Display().area else {name: it for name, it in entries.items() if name != "area"}


def _condition_entry(condition: Condition) -> dict[str, Any]:
    """All fields; the digest of the settings only where there is one, so that earlier studies keep their digests."""
    entries = dataclasses.asdict(condition)
    return entries if condition.settings else {name: it for name, it in entries.items() if name != "settings"}


def _block_entries(block: Block) -> dict[str, Any]:
    entries: dict[str, Any] = {"kind": block.kind, "settings": block.settings.to_mapping()}
    if block.items:
        entries["items"] = [_item_entry(item) for item in block.items]
    if block.task is not None:
        entries["task"] = {"name": block.task.name, "settings": block.task.settings.to_mapping()}
    return entries


def _study(read: Mapping[str, Any]) -> Study:
    known = {field.name for field in dataclasses.fields(Study)}
    unknown = set(read) - known - {"schema", "version"}
    if unknown:
        raise StudyError(f"This study has parts that no study has: {', '.join(sorted(unknown))}.")
    study = Study(
        name=_text(read["name"]),
        language=_text(read.get("language", "en")),
        direction=_one_of(read.get("direction", "ltr"), DIRECTIONS, "direction of writing"),
        wording={_text(key): _text(value) for key, value in read.get("wording", {}).items()},
        display=Display.from_mapping(read.get("display", {})),
        conditions=tuple(_made(Condition, entry) for entry in read.get("conditions", ())),
        stimuli=tuple(_stimulus(entry) for entry in read.get("stimuli", ())),
        blocks=tuple(_block(entry) for entry in read.get("blocks", ())),
        assignment=Assignment.from_mapping(read.get("assignment", {})),
        entrance=Entrance.from_mapping(read.get("entrance", {})),
        hypothesis=Hypothesis.from_mapping(read.get("hypothesis", {})),
        exclusions={_text(name): choose(name, values).settings for name, values in read.get("exclusions", {}).items()},
    )
    _distinct([condition.key for condition in study.conditions], "conditions")
    _distinct([stimulus.key for stimulus in study.stimuli], "stimuli")
    wording_of(study)  # refuses texts that no page has
    return study


def _stimulus(entry: Mapping[str, Any]) -> Stimulus:
    maps = tuple(_made(FrozenMap, one) for one in entry["maps"])
    guesses = tuple((_text(label), float(probability)) for label, probability in entry["guesses"])
    _one_of(entry.get("use", "trials"), USES, "use of a stimulus")
    return _made(Stimulus, {**entry, "maps": maps, "guesses": guesses})


def _block(entry: Mapping[str, Any]) -> Block:
    kind = blocks.get(entry["kind"])
    task = entry.get("task")
    return Block(
        kind.name,
        kind.settings.from_mapping(entry.get("settings", {})),
        tuple(_item(item) for item in entry.get("items", ())),
        None if task is None else TaskChoice(task["name"], _task_settings(task)),
    )


def _item_entry(item: Item) -> dict[str, Any]:
    """All fields; bounds only where there are any, so that a study without them keeps its digest."""
    return {name: value for name, value in dataclasses.asdict(item).items() if value is not None}


def _item(entry: Mapping[str, Any]) -> Item:
    _one_of(entry.get("form", "choice"), tuple(FORMS), "form of a question")
    return _made(Item, {**entry, "options": tuple(_text(option) for option in entry.get("options", ()))})


def _task_settings(entry: Mapping[str, Any]) -> Settings:
    return tasks.get(entry["name"]).settings.from_mapping(entry.get("settings", {}))


def _made(kind: type[T], entry: Mapping[str, Any]) -> T:
    """An entry as a value of its class; its plain fields must have the types that the class names."""
    hints = get_type_hints(kind)
    for name, value in entry.items():
        expected = hints.get(name)
        if expected in (str, int, bool) and type(value) is not expected:
            raise TypeError(f"{name} is {str(value)[:40]!r}")
        if (
            expected == float | None
            and value is not None
            and (type(value) not in (int, float) or not abs(value) <= UNBOUNDED)
        ):
            raise StudyError(f"{name} is {str(value)[:40]!r}, but must be a number from -1e9 to 1e9.")
        if name in ("image", "array") and not _DIGEST.fullmatch(value):
            raise StudyError(f"{value[:40]!r} is no SHA-256 of a file, which a stimulus names its files by.")
    return kind(**entry)


def _one_of(value: object, allowed: tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise StudyError(f"The {what} is {str(value)[:40]!r}, but must be one of: {', '.join(allowed)}.")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise StudyError(f"A text is expected where the study has {str(value)[:40]!r}.")
    return value


def _distinct(keys: Sequence[str], what: str) -> None:
    doubled = [key for place, key in enumerate(keys) if key in keys[:place]]
    if doubled:
        raise StudyError(f"Two {what} are called {doubled[0]!r}; each needs a name of its own.")
