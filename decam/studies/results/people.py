"""Who took part: progress by condition, flags, response times, agreement, questionnaires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from decam.errors import SettingError
from decam.figures.studies import values_figure
from decam.intervals import Interval
from decam.numerals import several
from decam.studies import blocks, tasks
from decam.studies.analysis import agreement, times
from decam.studies.analysis.exclusions import choose
from decam.studies.analysis.ratings import t_interval
from decam.studies.blocks.questionnaires import Scale, scales
from decam.studies.design import Block
from decam.studies.elements import Choice, Rating, Slider
from decam.studies.export.answers import Given
from decam.studies.results.base import Figure, Findings, Material, Section, Table, bounds, chart, has, named, rounded
from decam.studies.steps import Outcome


def _progress(read: Material) -> Findings | None:
    outcomes = Counter(str(one.outcome) for one in read.participants)
    if not read.participants:
        return Findings(("Nobody has taken part yet.",))
    done = outcomes[Outcome.COMPLETED] + outcomes[Outcome.ATTENTION_FAILED]
    counted = {row.participant.code for row in read.rows}
    sentences = [
        f"{several(len(read.participants), 'person', 'people')} came, {done} finished.",
        f"{len(counted)} of them count here." if read.kept_only else "All of them count here, flagged or not.",
    ]
    shown: Counter[str] = Counter()
    people: dict[str, set[str]] = {}
    for row in read.rows:
        if row.step.kind == "trials" and row.question is row.step.questions[0]:
            for key in set(row.conditions):
                shown[key] += 1
                people.setdefault(key, set()).add(row.participant.code)
    conditions = tuple(
        (read.title(condition.key), len(people.get(condition.key, ())), shown[condition.key])
        for condition in read.conditions
    )
    return Findings(
        tuple(sentences),
        tables=(
            Table("How taking part ended", ("outcome", "people"), tuple(sorted(outcomes.items()))),
            Table("Answers by condition", ("condition", "people", "trials answered"), conditions),
        ),
    )


def _exclusions(read: Material) -> Findings | None:
    by_hand = [one for one in read.participants if one.excluded]
    if not read.study.exclusions and not by_hand:
        return None
    counts = read.flagged.counts
    rows = [(choose(name).rule.title, counts.get(name, 0)) for name in read.study.exclusions]
    rows += [("Excluded by the researcher", len(by_hand))] if by_hand else []
    return Findings(
        (str(read.flagged), "Rules set flags; nobody's answers are removed."),
        tables=(Table("Flags", ("rule", "people"), tuple(rows)),),
    )


def _times(read: Material) -> Findings | None:
    trials = [
        row
        for row in read.rows
        if row.step.kind == "trials"
        and row.step.task
        and row.question is row.step.questions[0]
        and row.answer.duration > 0
    ]
    if not trials:
        return None
    found = times.by_condition(
        [row.answer.duration for row in trials],
        [min(row.answer.blurred, row.answer.duration) for row in trials],
        [row.step.task for row in trials],
        [row.participant.code for row in trials],
    )
    titles = [tasks.get(str(one.condition)).title for one in found]
    rows = tuple(
        (
            title,
            one.answers,
            *bounds(one.median, 0),
            *(round(end) for end in one.quartiles),
            one.hidden,
            one.flagged,
            rounded(one.unflagged.value, 0),
        )
        for title, one in zip(titles, found, strict=True)
    )
    quartiles = ("lower quartile", "upper quartile")
    head = ("task", "answers", "median ms", "from", "to", *quartiles, "window away", "odd", "median ms without odd")
    figure = Figure(
        "response-times",
        "Median response time",
        chart(values_figure, "Seconds", named([_seconds(one.median) for one in found], titles), unit=" s", digits=1),
    )
    said = (
        "Times are medians without the time in which the window was hidden or not in focus.",
        "An odd time lies far from the others of the same person.",
    )
    return Findings(said, (figure,), (Table("Response times", head, rows),))


def _seconds(interval: Interval) -> Interval:
    return Interval(interval.value / 1000, interval.low / 1000, interval.high / 1000)


def _agreement(read: Material) -> Findings | None:
    """Krippendorff's α for each question that several people answered about the same stimuli and conditions."""
    rows: list[tuple[object, ...]] = []
    by_question: dict[tuple[str, str], list[Given]] = {}
    for row in read.rows:
        if row.step.kind == "trials" and row.step.task and not row.step.facts.get("repeat"):
            by_question.setdefault((row.step.task, row.question.name), []).append(row)
    for (task, question), given in by_question.items():
        sample = given[0].question
        level = _LEVELS.get(type(sample))
        if level is None:
            continue
        try:
            found = agreement.alpha(_table(given), level)
        except SettingError:  # nobody saw the same trial as somebody else; there is no agreement to report
            continue
        rows.append((tasks.get(task).title, question, found.level, *bounds(found.alpha), found.units, found.raters))
    if not rows:
        return None
    head = ("task", "question", "level", "alpha", "from", "to", "trials", "people")
    said = "Krippendorff's α is 1 where people agree fully and 0 where they agree no more than chance."
    return Findings((said,), tables=(Table("Agreement", head, tuple(rows)),))


_LEVELS: dict[type, agreement.Level] = {Choice: "nominal", Rating: "ordinal", Slider: "interval"}


def _table(given: Sequence[Given]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Answers as people × trials; a trial is a stimulus with its conditions, whichever side they stood on."""
    people = {code: place for place, code in enumerate(dict.fromkeys(row.participant.code for row in given))}
    units = {unit: place for place, unit in enumerate(dict.fromkeys(_unit(row) for row in given))}
    codes: dict[str, int] = {}
    table = np.full((len(people), len(units)), np.nan)
    for row in given:
        answer = _meant(row)
        number = float(answer) if isinstance(answer, int | float) else float(codes.setdefault(str(answer), len(codes)))
        table[people[row.participant.code], units[_unit(row)]] = number
    return table


def _meant(row: Given) -> object:
    """What an answer stands for, whatever place it had on the screen: a condition, a class, or its value."""
    if len(row.chosen) == 1:
        return row.chosen[0]
    classes = row.step.facts.get("classes")
    if isinstance(row.question, Choice) and isinstance(classes, list) and row.value in row.question.values:
        return classes[row.question.values.index(str(row.value))]
    return row.value


def _unit(row: Given) -> tuple[object, ...]:
    return (row.step.facts.get("stimulus"), *sorted(row.conditions))


def _questionnaires(read: Material) -> Findings | None:
    tables: list[Table] = []
    sentences: list[str] = []
    for block, title, own in _by_block(read):
        for scale in scales(str(own[0].step.facts.get("scale", "")), block.items):
            sentences += _scores(scale, own)
        tables.append(_items(own, title))
    return Findings(tuple(sentences), tables=tuple(tables)) if tables else None


def _by_block(read: Material) -> list[tuple[Block, str, list[Given]]]:
    """The blocks that ask own questions, each with a title and its answers.

    A block that stood elsewhere in an earlier version of the study is the same one as long as it is as it was; one that
    the study has no more, or has in other words, stands for itself, after the others.
    """
    found: list[tuple[Block, str, list[Given]]] = []
    for earlier, study in [("", read.study), *((" of an earlier version", one) for one in read.earlier.values())]:
        for number, block in enumerate(study.blocks):
            if not blocks.get(block.kind).items or block.task is not None:
                continue
            own = [row for row in read.rows if row.step.block == number and read.study_of(row) is study]
            nth = study.blocks[:number].count(block)
            same = [rows for one, _, rows in found if one == block]
            if nth < len(same):
                same[nth].extend(own)
            else:
                found.append((block, f"Block {number + 1}{earlier}: {blocks.get(block.kind).title}", own))
    return [one for one in found if one[2]]


def _scores(scale: Scale, own: Sequence[Given]) -> list[str]:
    """The score of a scale, over those who answered all of it."""
    answers = {row.participant.code: row.answer.values for row in own}
    scores = [score for score in (scale.score(values) for values in answers.values()) if score is not None]
    if not scores:
        return []
    mean = t_interval(np.array(scores))
    ends = f", from {mean.low:.1f} to {mean.high:.1f}" if mean.known else ""
    return [f"{scale.title}: {mean.value:.1f} of 100{ends} ({several(len(scores), 'person', 'people')})."]


def _items(own: Sequence[Given], title: str) -> Table:
    """How often each answer was given to each question; means where answers are numbers."""
    rows: list[tuple[object, ...]] = []
    for question in {row.question.name: row.question for row in own}.values():
        values = [row.value for row in own if row.question.name == question.name and row.value is not None]
        if isinstance(question, Choice):
            labels = {option.value: option.label for option in question.options}
            flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
            counts = Counter(labels.get(str(one), str(one)) for one in flat)
            said = ", ".join(f"{label} {count}" for label, count in counts.most_common())
        elif all(isinstance(value, int | float) for value in values) and values:
            numbers = np.array(values, dtype=np.float64)
            said = f"mean {numbers.mean():.2f}, standard deviation {numbers.std(ddof=1) if len(numbers) > 1 else 0:.2f}"
        else:
            said = f"{several(len(values), 'text')}, in the table of answers"
        rows.append((question.prompt, len(values), said))
    return Table(title, ("question", "answers", "in short"), tuple(rows))


def _texts(read: Material) -> Findings | None:
    rows = tuple(
        (row.step.facts.get("stimulus"), read.title(row.conditions[0]) if row.conditions else "", str(row.value))
        for row in read.trials("text")
        if row.value
    )
    if not rows:
        return None
    return Findings(
        (f"{several(len(rows), 'description')}.",),
        tables=(Table("Descriptions", ("stimulus", "condition", "text"), rows),),
    )


def _answered(read: Material) -> bool:
    return any(row.step.task for row in read.rows)


PROGRESS = Section(
    "progress", "Progress", "Who came, how far, and how many answers each condition has.", _progress, lambda _read: True
)
EXCLUSIONS = Section(
    "exclusions", "Exclusions", "Rules fixed beforehand, as flags.", _exclusions,
    lambda read: bool(read.study.exclusions) or any(one.excluded for one in read.participants),
)  # fmt: skip
TIMES = Section(
    "times", "Response times", "How long people took, without the time they were elsewhere.", _times, _answered
)
AGREEMENT = Section(
    "agreement", "Agreement", "Whether people give the same answers to the same trials.", _agreement, _answered
)
QUESTIONNAIRES = Section(
    "questionnaires", "Questionnaires", "Scores and answers to own questions.", _questionnaires,
    lambda read: any(blocks.get(row.step.kind).items for row in read.rows),
)  # fmt: skip
TEXTS = Section("texts", "Free text", "What people wrote.", _texts, has("text"))
