"""Rules of exclusion, fixed before data come in: each flags participants, none removes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from decam.errors import SettingError, row_of
from decam.numerals import several
from decam.settings import Settings, parameter
from decam.shares import percent


@dataclass(frozen=True)
class Summary:
    """What the rules may know of a participant.

    `times` are the trials' response times in ms without time away, `taken` the ms spent on all trials and `away` how
    much of them the page was hidden or out of focus. `answers` are the trials' answers by task in the order given;
    `sides` is "left" or "right" where an answer chose one of two maps side by side. `failed_checks` counts attention
    checks. `window` is the least width and height of the window in CSS pixels.
    """

    participant: str
    finished: bool
    times: tuple[float, ...]
    taken: float
    away: float
    answers: Mapping[str, tuple[str, ...]]
    sides: tuple[str, ...]
    failed_checks: int
    window: tuple[int, int]


@dataclass(frozen=True)
class Rule:
    """A rule: `run` takes a participant's summary and settings, and gives why that one is flagged, or None."""

    name: str
    title: str
    summary: str
    settings: type[Settings]
    run: Callable[[Summary, Any], str | None]


@dataclass(frozen=True)
class Chosen:
    """A rule with its settings, as a study fixes them."""

    rule: Rule
    settings: Settings


@dataclass(frozen=True)
class Flag:
    """Why one rule flags a participant."""

    rule: str
    reason: str


@dataclass(frozen=True)
class Flagged:
    """All participants with their flags, in the order given; those without any are kept in the main analysis.

    Nobody is removed: both analyses, of everybody and of those kept, can be shown beside each other.
    """

    participants: tuple[str, ...]
    flags: tuple[tuple[Flag, ...], ...]

    @property
    def everybody(self) -> int:
        """How many took part."""
        return len(self.participants)

    @property
    def kept(self) -> tuple[str, ...]:
        """Participants without a flag."""
        return tuple(name for name, flags in zip(self.participants, self.flags, strict=True) if not flags)

    @property
    def counts(self) -> dict[str, int]:
        """How many participants each rule flags, by its name; one participant may have several flags."""
        names = [flag.rule for flags in self.flags for flag in flags]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    def __str__(self) -> str:
        if self.everybody == 1:
            return f"The one participant has {'no' if self.kept else 'a'} flag, and stays in the data."
        return f"{len(self.kept)} of {self.everybody} participants have no flag; all {self.everybody} stay in the data."


@dataclass(frozen=True)
class TooFast(Settings):
    """How fast is too fast."""

    least: int = parameter(
        800,
        "Flags participants whose median trial took less than this, time away left out.",
        title="Least median time (ms)",
        low=50,
        high=60_000,
        step=50,
    )


@dataclass(frozen=True)
class FailedChecks(Settings):
    """How many failures are too many."""

    failures: int = parameter(
        2,
        "Flags participants who failed at least so many attention checks; Prolific allows a rejection from two on.",
        title="Failed checks",
        low=1,
        high=20,
    )


@dataclass(frozen=True)
class StraightLining(Settings):
    """How long a row of the same answers is suspicious."""

    share: float = parameter(
        1.0,
        "Flags participants who gave one answer, or chose one side, in at least this share of a task's trials.",
        title="Share of the same answer",
        low=0.6,
        high=1.0,
        step=0.05,
    )
    least_trials: int = parameter(8, "Tasks with fewer trials are not looked at.", low=3, high=200)


@dataclass(frozen=True)
class Unfinished(Settings):
    """Nothing to set."""


@dataclass(frozen=True)
class Away(Settings):
    """How much time elsewhere is too much."""

    share: float = parameter(
        0.3,
        "Flags participants whose page was hidden or out of focus for more than this share of all trials' time.",
        title="Share of time away",
        low=0.01,
        high=0.99,
        step=0.05,
    )


@dataclass(frozen=True)
class SmallWindow(Settings):
    """How large the window must be."""

    width: int = parameter(320, "Least width of the window in CSS pixels.", title="Least width", low=200, high=4000)
    height: int = parameter(480, "Least height of the window in CSS pixels.", title="Least height", low=200, high=4000)


def _too_fast(one: Summary, settings: TooFast) -> str | None:
    if not one.times:
        return None
    median = float(np.median(one.times))
    if median >= settings.least:
        return None
    return f"The median trial took {median:,.0f} ms, less than {settings.least:,} ms."


def _failed_checks(one: Summary, settings: FailedChecks) -> str | None:
    if one.failed_checks < settings.failures:
        return None
    return f"{several(one.failed_checks, 'attention check')} failed; {settings.failures} or more are flagged."


def _straight_lining(one: Summary, settings: StraightLining) -> str | None:
    for task, answers in one.answers.items():
        found = _most_common(answers, settings)
        if found is not None:
            return f"{found[1]} of {len(answers)} answers to {task} were {found[0]!r}."
    found = _most_common(one.sides, settings)
    return None if found is None else f"{found[1]} of {len(one.sides)} choices were of the {found[0]} map."


def _most_common(answers: Sequence[str], settings: StraightLining) -> tuple[str, int] | None:
    """The most common answer and its count where it reaches the share; else None."""
    if len(answers) < settings.least_trials:
        return None
    counts = {answer: len(list(same)) for answer, same in groupby(sorted(answers))}
    top = max(counts, key=lambda answer: counts[answer])
    return (top, counts[top]) if counts[top] >= settings.share * len(answers) - 1e-9 else None


def _unfinished(one: Summary, _: Unfinished) -> str | None:
    return None if one.finished else "The study was not finished."


def _away(one: Summary, settings: Away) -> str | None:
    share = one.away / one.taken if one.taken > 0 else 0.0
    if share <= settings.share:
        return None
    return (
        f"The page was hidden or out of focus for {percent(share, 0)} of the time; "
        f"more than {percent(settings.share, 0)} is flagged."
    )


def _small_window(one: Summary, settings: SmallWindow) -> str | None:
    width, height = one.window
    if width >= settings.width and height >= settings.height:
        return None
    return f"The window was as small as {width} × {height} pixels; it needs {settings.width} × {settings.height}."


_ALL = (
    Rule("too-fast", "Too fast", "The median trial was answered too fast to look.", TooFast, _too_fast),
    Rule("failed-checks", "Attention checks", "Too many attention checks failed.", FailedChecks, _failed_checks),
    Rule(
        "straight-lining",
        "Straight-lining",
        "All trials got the same answer, or always the same side was chosen.",
        StraightLining,
        _straight_lining,
    ),
    Rule("unfinished", "Unfinished", "The participant left before the end.", Unfinished, _unfinished),
    Rule("away", "Time away", "The page was hidden or out of focus for much of the time.", Away, _away),
    Rule("small-window", "Small window", "The window was too small for the maps.", SmallWindow, _small_window),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}


def choose(name: str, values: Mapping[str, object] | None = None) -> Chosen:
    """A rule with settings from names and values, defaults for the rest; raises SettingError for unknown ones."""
    rule = row_of("rule", name, RULES, SettingError)
    return Chosen(rule, rule.settings.from_mapping(values or {}))


def flagged(rules: Iterable[Chosen], people: Sequence[Summary]) -> Flagged:
    """What each rule says of each participant. Raises SettingError where one participant comes twice."""
    names = tuple(one.participant for one in people)
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise SettingError(f"Participant {double!r} comes twice; sum up all of a participant's answers in one.")
    chosen = tuple(rules)
    return Flagged(names, tuple(_flags(chosen, one) for one in people))


def _flags(chosen: Sequence[Chosen], one: Summary) -> tuple[Flag, ...]:
    reasons = ((each.rule.name, each.rule.run(one, each.settings)) for each in chosen)
    return tuple(Flag(name, reason) for name, reason in reasons if reason is not None)
