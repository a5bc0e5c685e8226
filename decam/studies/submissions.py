"""What a participant's page sends: checked before anything is stored, and refused in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from decam.studies.design import Entrance, StudyError
from decam.studies.elements import Json
from decam.studies.responses.records import plain

LONGEST_PARAMETER = 200
LONGEST_EVENTS = 40_000
"""Characters of the JSON text of all events of a screen."""
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LATEST = 1e14  # ms since 1970: the year 5138
_MOST_ATTEMPTS = 1000

REASONS: Mapping[str, int] = MappingProxyType(
    {
        "unknown": 404,
        "draft": 403,
        "closed": 410,
        "full": 403,
        "window": 403,
        "touch": 403,
        "no-touch": 403,
        "identity": 403,
        "code": 404,
        "order": 409,
        "changed": 409,
        "answer": 422,
        "other": 400,
    }
)
"""Why somebody or something is refused, by a word that the page has its own text for, with the HTTP status."""

_DEVICE: Mapping[str, tuple[type, ...]] = {
    "width": (int, float),
    "height": (int, float),
    "screen_width": (int, float),
    "screen_height": (int, float),
    "ratio": (int, float),
    "touch": (bool,),
    "pointer": (str,),
    "dark": (bool,),
}


class RefusedError(StudyError):
    """Something that is refused; `reason` is a word of REASONS, and `status` its HTTP status."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.status = REASONS[reason]


@dataclass(frozen=True)
class Submission:
    """The answers of one screen as they came, with their times; see `Answer`. The values are not checked yet."""

    id: str
    step: str
    attempt: int
    values: Json
    started: float
    ended: float
    duration: float
    blurred: float
    events: tuple[Mapping[str, Json], ...]


def as_arrival(sent: str) -> str:
    """A UUID that says which coming of a browser this is; raises RefusedError for anything that could be guessed."""
    if not _UUID.fullmatch(sent):
        raise RefusedError("other", "An arrival must be a UUID in lower-case hexadecimal digits; send a random one.")
    return sent


def submission(sent: object) -> Submission:
    """Read what was sent; raises RefusedError for what no page of ours sends."""
    if not isinstance(sent, Mapping):
        raise RefusedError("other", "An answer must be a JSON object; send id, step, attempt, values and times.")
    answer_id, step, attempt = sent.get("id"), sent.get("step"), sent.get("attempt")
    if not isinstance(answer_id, str) or not _ID.fullmatch(answer_id):
        raise RefusedError("other", "The id of an answer must have 8 to 64 letters, digits and hyphens; send a UUID.")
    if not isinstance(step, str) or not step.isprintable() or len(step) > 40:
        raise RefusedError("other", "The step of an answer must be one of the study's; send the id of the screen.")
    if not isinstance(attempt, int) or isinstance(attempt, bool) or not 1 <= attempt <= _MOST_ATTEMPTS:
        raise RefusedError("other", f"The attempt must be a whole number from 1 to {_MOST_ATTEMPTS}.")
    return Submission(
        id=answer_id,
        step=step,
        attempt=attempt,
        values=_kept(sent.get("values", {}), "values"),
        started=_milliseconds(sent, "started"),
        ended=_milliseconds(sent, "ended"),
        duration=_milliseconds(sent, "duration"),
        blurred=_milliseconds(sent, "blurred"),
        events=_events(sent.get("events", [])),
    )


def parameters_of(entrance: Entrance, sent: object) -> tuple[str, dict[str, str]]:
    """The identity, empty where there is none, and the other parameters that the study asks for; raises RefusedError.

    What the study does not ask for is not kept.
    """
    if not isinstance(sent, Mapping):
        raise RefusedError("other", "The parameters must be a JSON object of texts.")
    named = entrance.identity.strip()
    identity = _parameter(named, sent.get(named, "")) if named else ""
    if entrance.identity_needed and named and not identity:
        raise RefusedError(
            "identity",
            f"The address lacks {named}, which says who you are; come by the link that you were given.",
        )
    others = (name.strip() for name in entrance.others.split(","))
    return identity, {name: _parameter(name, sent[name]) for name in others if name and name in sent}


def device_of(entrance: Entrance, sent: object) -> dict[str, Json]:
    """What is kept of a device, and whether the study allows it; raises RefusedError.

    The browser's name is kept only where the study says so.
    """
    if not isinstance(sent, Mapping):
        raise RefusedError("other", "The device must be a JSON object.")
    device: dict[str, Json] = {}
    asked = {**_DEVICE, "user_agent": (str,)} if entrance.user_agent else _DEVICE
    for name, kinds in asked.items():
        value = sent.get(name)
        if value is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise RefusedError("other", f"{name} of the device is {str(value)[:40]!r}, which has a wrong type.")
        kept = _kept(value, name)
        device[name] = kept[:LONGEST_PARAMETER] if isinstance(kept, str) else kept
    _allow(entrance, device)
    return device


def _allow(entrance: Entrance, device: Mapping[str, Json]) -> None:
    for name, least in (("width", entrance.least_width), ("height", entrance.least_height)):
        size = device.get(name)
        if least and not (isinstance(size, int | float) and size >= least):
            raise RefusedError(
                "window", f"The window's {name} must be {least} pixels or more; make it larger and load the page again."
            )
    touch = device.get("touch") is True
    if entrance.touch == "touch" and not touch:
        raise RefusedError("touch", "This study needs a touch screen; open the link on a phone or tablet.")
    if entrance.touch == "no touch" and touch:
        raise RefusedError("no-touch", "This study is for devices without a touch screen; open the link on a computer.")


def _parameter(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_PARAMETER:
        raise RefusedError(
            "other",
            f"{name} in the address must be a text of at most {LONGEST_PARAMETER} printable characters; come by the "
            "link that you were given.",
        )
    return value.strip()


def _milliseconds(sent: Mapping[str, object], name: str) -> float:
    value = sent.get(name, 0)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise RefusedError("other", f"{name} is {str(value)[:40]!r}, but must be a number of milliseconds.")
    return float(value)


def _events(sent: object) -> tuple[Mapping[str, Json], ...]:
    events = _kept(sent, "events")
    if not isinstance(events, list) or len(json.dumps(events)) > LONGEST_EVENTS:
        raise RefusedError("other", f"events must be a list, of at most {LONGEST_EVENTS:,} characters as JSON.")
    kept = tuple(event for event in events if isinstance(event, dict))
    if len(kept) < len(events):
        raise RefusedError("other", "Each of the events must be a JSON object.")
    return kept


def _kept(value: object, name: str) -> Json:
    try:
        return plain(value)
    except (ValueError, RecursionError) as error:
        raise RefusedError("other", f"{name} cannot be kept: {str(error)[:100]}; send plain JSON.") from error
