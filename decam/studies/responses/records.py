"""What is kept of a study: its record, its participants and their answers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from decam.studies.design import Stage, Study, StudyError
from decam.studies.elements import Json
from decam.studies.steps import Outcome

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 4
_LARGEST = 2.0**53  # beyond it, browsers and databases do not agree on whole numbers


class NoSuchStudyError(StudyError):
    """A link or a name that leads to no study."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no study {name[:40]!r}; it may have been deleted, or the link is incomplete. Open it from the "
            "list of studies, or ask whoever sent the link."
        )


class NoSuchParticipantError(StudyError):
    """A personal code that nobody has in this study."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Nobody has the code {code[:40]!r} in this study; correct it, or begin anew without a code. "
            "What belonged to a code may have been deleted."
        )


class Lane(StrEnum):
    """What a participant's answers are for; the value is what is stored and exported. Analyses choose among them."""

    REHEARSAL = "rehearsal"
    PILOT = "pilot"
    LIVE = "live"
    SIMULATED = "simulated"


LANES: Mapping[Stage, Lane] = {Stage.DRAFT: Lane.REHEARSAL, Stage.PILOT: Lane.PILOT, Stage.LIVE: Lane.LIVE}
"""Which lane somebody comes into who begins in a stage; in a closed study nobody begins."""


@dataclass(frozen=True)
class StudyRecord:
    """A study as it is kept. `id` names it to the researcher; `link` is the participants', and cannot be guessed.

    `created` and `changed` are Unix times. `digest` is that of the study's document.
    """

    id: str
    link: str
    owner: str
    created: float
    changed: float
    stage: Stage
    study: Study
    digest: str


@dataclass(frozen=True)
class Participant:
    """Somebody who takes part, by the personal `code`, which cannot be guessed.

    `digest` names the document that this participant began with and goes on with. `identity` is the value of the
    identity parameter, and empty without one. `excluded` is the researcher's reason, and empty where there is none.
    `position` counts the steps done, and `attempt` the next try at the following one, from 1. `holds` is false where
    the sequence is free for somebody else. Times are Unix seconds.
    """

    code: str
    study: str
    lane: Lane
    sequence: int
    identity: str
    parameters: Mapping[str, str]
    device: Mapping[str, Json]
    outcome: Outcome
    excluded: str
    started: float
    seen: float
    finished: float | None
    digest: str
    position: int = 0
    attempt: int = 1
    holds: bool = True


@dataclass(frozen=True)
class Answer:
    """All answers of one screen. `id` was made by the browser; `attempt` counts from 1.

    `started` and `ended` are Unix milliseconds of the browser's clock. `duration` is in milliseconds from the frame
    that showed the screen, `blurred` how many of them it was hidden or unfocused. `received` is in Unix seconds of the
    server's clock. `right` is None where nothing was right or wrong.
    """

    id: str
    participant: str
    step: str
    attempt: int
    values: Mapping[str, Json]
    started: float
    ended: float
    duration: float
    blurred: float
    events: tuple[Mapping[str, Json], ...]
    received: float
    digest: str
    right: bool | None


def new_code() -> str:
    """A personal code of about 79 bits, in letters and digits that nobody confuses."""
    return _grouped("".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)))


def code_of(study: str, arrival: str) -> str:
    """The personal code of whoever came to a study with an arrival, a UUID that the browser made: always the same.

    Who never heard the answer to coming in asks again with the same arrival, and is the same participant.
    """
    drawn = int.from_bytes(hashlib.sha256(f"{study}/{arrival}".encode()).digest())
    letters = []
    for _ in range(_GROUPS * _GROUP):
        drawn, place = divmod(drawn, len(_LETTERS))
        letters.append(_LETTERS[place])
    return _grouped("".join(letters))


def as_code(typed: str) -> str:
    """A code as it is kept, from what somebody typed: spaces, hyphens and capitals make no difference."""
    plain = "".join(letter for letter in typed[:100].lower() if letter.isascii() and letter.isalnum())
    return _grouped(plain)


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def plain(value: Any) -> Json:
    """A JSON value that every database can keep: without null characters and lone surrogates, all numbers finite.

    Raises ValueError for another value, and RecursionError for one that is too deep.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, int | float):
        if not abs(value) <= _LARGEST:
            raise ValueError(f"{str(value)[:40]} is no number that can be kept")
        return value
    if isinstance(value, Mapping):
        return {str(plain(str(name))): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise ValueError(f"{type(value).__name__} is no JSON value")
