"""What the sections of a study's results read, and what each of them says."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from decam.explanation import Progress
from decam.figures.intervals import Named
from decam.intervals import Interval
from decam.studies import tasks
from decam.studies.analysis.exclusions import Chosen, Flagged, Summary, choose, flagged
from decam.studies.design import Condition, Stimulus, Study
from decam.studies.export.answers import Given, given
from decam.studies.responses import Answer, Participant, StudyRecord
from decam.studies.steps import Outcome
from decam.studies.tasks.forced_choice import SIDES


@dataclass(frozen=True)
class Table:
    """A table of results: its title, the names of its columns, its rows of texts and numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A chart: a name for its files, a title, and what draws it on a light or a dark page (a Plotly figure)."""

    name: str
    title: str
    draw: Callable[[bool], Any]


@dataclass(frozen=True)
class Findings:
    """What a section says: sentences first, then charts, then the numbers behind them."""

    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Material:
    """All answers of a lane of a study, with everybody's flags.

    `rows` are those of the participants that count: everybody, or with `kept_only` those whom no rule flags and no
    researcher excluded. With `blinded`, conditions are called by their letters. `earlier` are the documents other than
    the present one that people took part in, as in a pilot, by their digests.
    """

    record: StudyRecord
    participants: tuple[Participant, ...]
    everything: tuple[Given, ...]
    flagged: Flagged
    folder: Path
    kept_only: bool = False
    blinded: bool = False
    earlier: Mapping[str, Study] = field(default_factory=dict)

    @property
    def study(self) -> Study:
        """The study as it is now."""
        return self.record.study

    def study_of(self, row: Given) -> Study:
        """The document by which somebody took part."""
        return self.earlier.get(row.participant.digest, self.study)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The study's conditions, then those that people saw in an earlier version and the study has no more."""
        seen = {key for row in self.everything for key in row.conditions}
        made = {one.key: one for one in self.study.conditions}
        for study in self.earlier.values():
            for one in study.conditions:
                if one.key in seen:
                    made.setdefault(one.key, one)
        return tuple(made.values())

    @cached_property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The study's stimuli, then those of earlier versions, each with the maps that any version has of it."""
        made = {one.key: one for one in self.study.stimuli}
        for one in (stimulus for study in self.earlier.values() for stimulus in study.stimuli):
            known = made.setdefault(one.key, one)
            there = {(each.condition, each.label) for each in known.maps}
            more = tuple(each for each in one.maps if (each.condition, each.label) not in there)
            made[one.key] = replace(known, maps=(*known.maps, *more))
        return tuple(made.values())

    @cached_property
    def _titles(self) -> dict[str, str]:
        """What each condition is called; one that the study has no more is told from one that took its name."""
        present = {one.key for one in self.study.conditions}
        made: dict[str, str] = {}
        for one in self.conditions:
            title = f"Method {one.letter}" if self.blinded and one.letter else one.title
            made[one.key] = f"{title} (earlier)" if one.key not in present and title in made.values() else title
        return made

    @property
    def until(self) -> float | None:
        """When the last answer came in, in Unix seconds; None without any."""
        return max((row.answer.received for row in self.everything), default=None)

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """The titles of the rules that each participant broke, by their codes; of those without an answer too."""
        return _titles(self.flagged)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the study, its people and their answers, and of how they are read: of all that sections read.

        When somebody was last seen is left out, for it changes without an answer.
        """
        digest = hashlib.sha256(repr((self.record.digest, self.kept_only, self.blinded)).encode())
        for person in self.participants:
            digest.update(repr(replace(person, seen=0.0)).encode())
        for row in self.everything:
            digest.update(repr(row.answer).encode())
        return digest.hexdigest()

    @cached_property
    def rows(self) -> tuple[Given, ...]:
        """The answers that count, of each screen the last try."""
        excluded = {one.code for one in self.participants if one.excluded}
        kept = set(self.flagged.kept) - excluded
        last: dict[tuple[str, str], int] = {}
        for row in self.everything:
            key = (row.participant.code, row.step.id)
            last[key] = max(last.get(key, 0), row.answer.attempt)
        return tuple(
            row
            for row in self.everything
            if row.answer.attempt == last[row.participant.code, row.step.id]
            and (not self.kept_only or row.participant.code in kept)
        )

    def trials(self, result: str, question: str = "") -> list[Given]:
        """Answers to tasks of one kind of result: no training, no attention checks, no map shown twice."""
        return [
            row
            for row in self.rows
            if row.step.kind == "trials"
            and row.step.task
            and tasks.get(row.step.task).result == result
            and not row.step.facts.get("repeat")
            and question in ("", row.question.name)
        ]

    def title(self, key: str) -> str:
        """What a condition is called."""
        return self._titles[key]

    def titled(self, conditions: Iterable[Condition]) -> list[str]:
        """What several conditions are called."""
        return [self.title(condition.key) for condition in conditions]


@dataclass(frozen=True)
class Section:
    """A row of the table of sections.

    `there` says, at once, whether the study has anything for it; `read` works out what it says, which can take seconds,
    and gives None where the answers do not suffice. `first` says that a page opens with it where it is there.
    """

    name: str
    title: str
    summary: str
    read: Callable[[Material], Findings | None]
    there: Callable[[Material], bool]
    first: bool = False


@dataclass(frozen=True)
class Counted:
    """What a section says of the answers that came in up to a time, in Unix seconds; None without any answer."""

    findings: Findings
    until: float | None


def counted(section: Section, read: Material) -> Generator[Progress, None, Counted]:
    """A section as work in a queue."""
    yield Progress(0, 1, 0)
    found = section.read(read) or Findings(("There are too few answers for this yet.",))
    return Counted(found, read.until)


def has(result: str, question: str = "") -> Callable[[Material], bool]:
    """Whether there are answers to tasks of one kind of result, or to one question of theirs."""
    return lambda read: bool(read.trials(result, question))


def material(
    record: StudyRecord,
    participants: Sequence[Participant],
    answers: Sequence[Answer],
    folder: Path,
    *,
    kept_only: bool = False,
    blinded: bool = False,
    documents: Mapping[str, Study] | None = None,
) -> Material:
    """Answers as sections read them; the study's own rules of exclusion set the flags.

    `documents` are earlier versions of the study by their digests.
    """
    plain = tuple(given(record, participants, answers, None, documents))
    rules = [Chosen(choose(name).rule, settings) for name, settings in record.study.exclusions.items()]
    by_code: dict[str, list[Given]] = {}
    for row in plain:
        by_code.setdefault(row.participant.code, []).append(row)
    everybody = flagged(rules, [_summary(one, by_code.get(one.code, [])) for one in participants])
    rows = tuple(given(record, participants, answers, _titles(everybody), documents)) if rules else plain
    others = dict.fromkeys(one.digest for one in participants if one.digest != record.digest)
    earlier = {digest: (documents or {})[digest] for digest in others if digest in (documents or {})}
    return Material(record, tuple(participants), rows, everybody, folder, kept_only, blinded, earlier)


def _titles(everybody: Flagged) -> dict[str, tuple[str, ...]]:
    pairs = zip(everybody.participants, everybody.flags, strict=True)
    return {code: tuple(choose(flag.rule).rule.title for flag in flags) for code, flags in pairs}


def _summary(participant: Participant, rows: Sequence[Given]) -> Summary:
    """What the rules may know of a participant, from all answers to trials."""
    trials = [row for row in rows if row.step.task and row.step.kind == "trials"]
    screens = {(row.step.id, row.answer.attempt): row.answer for row in trials}
    by_task: dict[str, list[str]] = {}
    for row in trials:
        if row.question is row.step.questions[0] and row.value is not None:  # an answer left out is no answer
            by_task.setdefault(row.step.task, []).append(str(row.value))
    return Summary(
        participant=participant.code,
        finished=participant.outcome in (Outcome.COMPLETED, Outcome.ATTENTION_FAILED),
        times=tuple(max(one.duration - one.blurred, 0.0) for one in screens.values()),
        taken=float(sum(one.duration for one in screens.values())),
        away=float(sum(min(one.blurred, one.duration) for one in screens.values())),
        answers={task: tuple(values) for task, values in by_task.items()},
        sides=tuple(str(row.value) for row in trials if row.question.name == "preferred" and row.value in SIDES),
        failed_checks=sum(row.step.attention and row.value != row.step.correct.get("attention") for row in rows),
        window=_window(participant, rows),
    )


def _window(participant: Participant, rows: Sequence[Given]) -> tuple[int, int]:
    """The least width and height of the window; a window that nobody measured counts as large enough.

    Other events have sizes too: "shown" has that of the picture.
    """
    events = [event for row in rows for event in row.answer.events if event.get("kind") == "resize"]
    sizes = [participant.device, *events]
    known = [(size.get("width"), size.get("height")) for size in sizes]
    wide = [int(width) for width, _ in known if isinstance(width, int | float)]
    high = [int(height) for _, height in known if isinstance(height, int | float)]
    return min(wide, default=10_000), min(high, default=10_000)


def bounds(interval: Interval, digits: int = 3) -> tuple[object, object, object]:
    """An interval as three cells of a table; ends that are not known are empty."""
    ends = (interval.low, interval.high) if interval.known else (math.nan, math.nan)
    return rounded(interval.value, digits), rounded(ends[0], digits), rounded(ends[1], digits)


def rounded(value: float, digits: int = 3) -> object:
    """A value as a cell of a table, never −0; empty for one that is not a number."""
    return "" if math.isnan(value) else round(value, digits) + 0.0


def heads(name: str) -> tuple[str, str, str]:
    """The heads of the three cells of an interval, in a table that has several."""
    return name, f"{name}, from", f"{name}, to"


def chart(draw: Callable[..., Any], *values: Any, **options: Any) -> Callable[[bool], Any]:
    """What draws a chart of these values, on a dark page or a light one."""
    return lambda dark: draw(*values, **options, dark=dark)


def named(intervals: Sequence[Interval], names: Sequence[str]) -> list[Named]:
    """Intervals with the names that a chart shows."""
    return [Named(one.value, one.low, one.high, name) for name, one in zip(names, intervals, strict=True)]
