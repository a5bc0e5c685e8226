"""A study as one value: stimuli, conditions, blocks, assignment, and how people come in and go out.

Everything that a participant sees and everything that decides who sees what is in here. What is not: the stage
(draft, pilot, live, closed), the answers, the frozen files; see `responses` and `stimuli`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from decam.errors import DecamError, unknown
from decam.figures.stimulus import Display
from decam.settings import Settings, parameter
from decam.studies.assignment import Assignment

OwnSettings = TypeVar("OwnSettings", bound=Settings)


class StudyError(DecamError):
    """A study that cannot be read, made or taken part in."""


class Stage(StrEnum):
    """How far a study is. In a pilot and live nothing that changes stimuli, blocks or assignment can be edited."""

    DRAFT = "draft"
    PILOT = "pilot"
    LIVE = "live"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        """True where people can take part."""
        return self in (Stage.PILOT, Stage.LIVE)


@dataclass(frozen=True)
class Condition:
    """What a map comes from. `source` is "method", or the row of a built-in one; `catch` marks one that should lose.

    `letter` is all that participants, and whoever reads blinded results, learn of it. `settings` is a digest of the
    method with its settings; it is empty for built-in conditions and in studies of versions that kept none.
    """

    key: str
    title: str
    source: str = "method"
    letter: str = ""
    catch: bool = False
    settings: str = ""


@dataclass(frozen=True)
class FrozenMap:
    """A map as it was when the study was made: the digests of its picture and of its array in the study's folder.

    `run`, `question` and `method` name the cell it comes from, and are empty and −1 where it comes from none. `target`
    and `label` name the class that it explains. `measurements` are the values of the cell's metrics, by their keys.
    """

    condition: str
    target: int
    label: str
    image: str
    array: str
    run: str = ""
    question: int = -1
    method: int = -1
    measurements: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Stimulus:
    """A picture with its maps. `target` is the class that most tasks are about, `answer` what the model says.

    `correct` is the class that is really shown, and empty where nobody has said so. `guesses` are the model's
    likeliest classes with their probabilities, the likeliest first. `use` says which block it may come in. `view` is
    the digest of the picture as the model saw it, from which the stimulus can be drawn again.
    """

    key: str
    name: str
    image: str
    width: int
    height: int
    model: str
    target: int
    label: str
    guesses: tuple[tuple[str, float], ...]
    maps: tuple[FrozenMap, ...]
    correct: str = ""
    use: str = "trials"
    view: str = ""

    @property
    def answer(self) -> str:
        """The class that the model answers."""
        return self.guesses[0][0] if self.guesses else self.label

    def map_of(self, condition: str, label: str = "") -> FrozenMap | None:
        """The map of a condition for a class, by default for the target; None where there is none."""
        wanted = label or self.label
        return next((one for one in self.maps if one.condition == condition and one.label == wanted), None)


USES = ("trials", "training", "example")


@dataclass(frozen=True)
class Item:
    """One question of the researcher's own: a text, how it is answered, and where one is right, which.

    `form` is "choice", "several", "rating", "slider", "number" or "text". `correct` is the place of the right option
    from 0, or the right point of a rating; −1 where none is right. `group` names the scale that a rating or slider is
    scored on; `reverse` says that it counts there from the other end. `least` and `most` bound a number; None is no
    bound.
    """

    text: str
    form: str = "choice"
    options: tuple[str, ...] = ()
    correct: int = -1
    optional: bool = False
    group: str = ""
    reverse: bool = False
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class TaskChoice:
    """A row of the table of tasks with its settings."""

    name: str
    settings: Settings


@dataclass(frozen=True)
class Block:
    """A row of the table of blocks with its settings, the items it asks, and the task it repeats, if any."""

    kind: str
    settings: Settings
    items: tuple[Item, ...] = ()
    task: TaskChoice | None = None

    def settings_as(self, kind: type[OwnSettings]) -> OwnSettings:
        """The settings, which are of the class that the block's row names; raises StudyError for any other."""
        if not isinstance(self.settings, kind):
            raise StudyError(
                f"A block {self.kind!r} has {type(self.settings).__name__}, but needs {kind.__name__}; take the block "
                "out and add it anew."
            )
        return self.settings


@dataclass(frozen=True)
class Entrance(Settings):
    """How people come in and go out."""

    identity: str = parameter(
        "PROLIFIC_PID",
        "The parameter of the address that says who somebody is; the same value resumes. Empty: a personal code.",
        title="identity parameter",
    )
    others: str = parameter(
        "STUDY_ID, SESSION_ID",
        "Other parameters of the address that are kept with the answers, separated by commas.",
        title="other parameters",
    )
    identity_needed: bool = parameter(False, "Refuse whoever comes without the identity parameter.")
    completed: str = parameter(
        "", "Where to send those who completed: an address, or a code that is shown.", title="after completing"
    )
    no_consent: str = parameter(
        "", "Where to send those who do not consent: an address, or a code that is shown.", title="without consent"
    )
    attention_failed: str = parameter(
        "", "Where to send those who failed two attention checks.", title="after failed attention checks"
    )
    most: int = parameter(0, "How many people can take part; 0 for any number.", title="places", low=0, high=100_000)
    until: str = parameter("", "The last day, as 2027-01-31, in UTC; empty for no end.", title="last day")
    left_after: int = parameter(
        24, "Hours without an answer after which somebody has left, and the sequence is given again.",
        title="hours until somebody has left", low=1, high=720,
    )  # fmt: skip
    least_width: int = parameter(
        0, "Least width of the window, in pixels; 0 for any.", title="least width (px)", low=0, high=4000
    )
    least_height: int = parameter(
        0, "Least height of the window, in pixels; 0 for any.", title="least height (px)", low=0, high=4000
    )
    touch: str = parameter(
        "any", "Which devices may take part.", title="touch screens", choices=("any", "touch", "no touch")
    )
    full_screen: bool = parameter(False, "Ask for the full screen at the start, and record when it is left.")
    user_agent: bool = parameter(
        False, "Keep the name that the browser gives itself; the consent must say so.", title="keep the browser's name"
    )

    @property
    def end(self) -> float | None:
        """The Unix second at which the last day is over, None without one; raises StudyError for what is no date."""
        if not self.until.strip():
            return None
        try:
            last = datetime.strptime(self.until.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise StudyError(f"The last day is {self.until!r}, but must be a date such as 2027-01-31.") from error
        return (last + timedelta(days=1)).timestamp()


@dataclass(frozen=True)
class Hypothesis(Settings):
    """What the preregistration says and the numbers do not."""

    question: str = parameter("", "The main question or hypothesis, in a sentence.", lines=3)
    measure: str = parameter("", "The dependent variable, and how it is measured.", lines=3)
    analysis: str = parameter("", "The analysis that answers the question.", lines=3)
    exclusions: str = parameter("", "Further rules of exclusion, in words.", lines=3)
    sample: str = parameter("", "How many people, and why.", lines=3)
    other: str = parameter("", "Anything else, secondary analyses among it.", lines=3)


@dataclass(frozen=True)
class Study:
    """A whole study, as it is written to its document.

    `wording` replaces texts of the participant's page by their keys; `direction` is "ltr" or "rtl". `exclusions` are
    rules fixed beforehand: their names, with their settings.
    """

    name: str
    language: str = "en"
    direction: str = "ltr"
    wording: Mapping[str, str] = dataclasses.field(default_factory=dict)
    display: Display = dataclasses.field(default_factory=Display)
    conditions: tuple[Condition, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    blocks: tuple[Block, ...] = ()
    assignment: Assignment = dataclasses.field(default_factory=Assignment)
    entrance: Entrance = dataclasses.field(default_factory=Entrance)
    hypothesis: Hypothesis = dataclasses.field(default_factory=Hypothesis)
    exclusions: Mapping[str, Settings] = dataclasses.field(default_factory=dict)

    def stimuli_for(self, use: str) -> tuple[Stimulus, ...]:
        """The stimuli that may come in blocks of one use."""
        return tuple(stimulus for stimulus in self.stimuli if stimulus.use == use)

    def condition(self, key: str) -> Condition:
        """A condition by its key; raises StudyError where there is none."""
        for condition in self.conditions:
            if condition.key == key:
                return condition
        raise StudyError(unknown("condition", key, (one.key for one in self.conditions)))
