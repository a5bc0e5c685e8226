"""How maps are rated, and how well people predict the model: means, tests, accuracy, signal detection, utility."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from decam.errors import SettingError
from decam.figures.studies import Curve, detection_figure, ratings_figure, utility_figure, values_figure
from decam.numerals import several
from decam.shares import percent
from decam.studies.analysis import accuracy, cumulative_link, detection, rank_tests, ratings, utility
from decam.studies.elements import Choice, Rating
from decam.studies.export.answers import Given
from decam.studies.results.base import (
    Figure,
    Findings,
    Material,
    Section,
    Table,
    bounds,
    chart,
    has,
    heads,
    named,
    rounded,
)
from decam.studies.steps import Step
from decam.studies.tasks.base import NO_MAP


def _ratings(read: Material) -> Findings | None:
    rows = [row for row in read.trials("ratings") if row.conditions and isinstance(row.value, int)]
    if not rows:
        return None
    by_statement: dict[tuple[str, int], list[Given]] = {}
    for row in rows:
        by_statement.setdefault(_asked(row), []).append(row)
    texts = [text for text, _ in by_statement]
    parts = [
        _statement(read, own, f"{text.rstrip('.')}{f' ({points} points)' if texts.count(text) > 1 else ''}", number)
        for number, ((text, points), own) in enumerate(by_statement.items(), start=1)
    ]
    return _joined(parts)


def _asked(row: Given) -> tuple[str, int]:
    """The statement as it was written, with its class not filled in, and the points of its scale."""
    question, written = row.question, row.step.facts.get("statements")
    assert isinstance(question, Rating)
    text = written.get(question.name, question.prompt) if isinstance(written, dict) else question.prompt
    return str(text), question.points


def _statement(read: Material, rows: list[Given], title: str, number: int) -> Findings:
    """One statement: how each condition was rated, a rank test, and a model of the whole scale."""
    question = rows[0].question
    assert isinstance(question, Rating)
    values = [int(str(row.value)) for row in rows]
    conditions, people = [row.conditions[0] for row in rows], [row.participant.code for row in rows]
    order = [one.key for one in read.conditions if one.key in conditions]
    found = ratings.by_condition(values, conditions, people, question.points, order=order)
    titles = [read.title(one.condition) for one in found]
    counts = np.array([one.counts for one in found], dtype=np.int64)
    heading = f"{title}: "
    figures = (
        Figure(
            f"statement{number}-means",
            f"{heading}mean rating",
            chart(
                values_figure, f"Mean rating, 1 to {question.points}", named([one.bootstrap for one in found], titles)
            ),
        ),
        Figure(f"statement{number}-answers", f"{heading}all answers", chart(ratings_figure, titles, counts)),
    )
    head = ("condition", "answers", "people", "mean", "from", "to", "standard deviation")
    means = tuple(
        (title, one.answers, one.participants, *bounds(one.bootstrap), rounded(one.deviation))
        for title, one in zip(titles, found, strict=True)
    )
    sentences, tables = _tests(read, values, conditions, people, question.points, order)
    own = tuple(Table(f"{heading}{table.title}", table.head, table.rows) for table in tables)
    return Findings(
        tuple(f"{heading}{sentence}" for sentence in sentences), figures, (Table(f"{heading}means", head, means), *own)
    )


def _tests(
    read: Material, values: list[int], conditions: list[str], people: list[str], points: int, order: list[str]
) -> tuple[list[str], list[Table]]:
    """A rank test, within or between people as the study deals, and the proportional-odds model."""
    within = read.study.assignment.subjects == "within"
    sentences: list[str] = []
    tables: list[Table] = []
    try:
        test = (rank_tests.within if within else rank_tests.between)(values, conditions, people, order=order)
        effect = "Kendall's W" if within else "ε²"
        counted = several(test.participants, "person", "people")
        sentences.append(f"{test.name}: p = {test.p:.3g}, {effect} = {test.effect:z.2f} ({counted}).")
        sentences += [test.note] if test.note else []
        pairs = tuple(
            (
                read.title(one.first),
                read.title(one.second),
                rounded(one.effect),
                rounded(one.p, 5),
                rounded(one.p_holm, 5),
            )
            for one in test.pairs
        )
        tables.append(Table("pairs of conditions", ("first", "second", "rank-biserial", "p", "p after Holm"), pairs))
    except SettingError as error:
        sentences.append(f"No rank test: {error}")
    try:
        model = cumulative_link.fit(values, conditions, points, participants=people, order=order)
        odds = tuple((read.title(one.condition), *bounds(one.odds_ratio), rounded(one.p, 5)) for one in model.odds)
        title = f"odds of a higher rating, against {read.title(model.reference)}"
        tables.append(Table(title, ("condition", "odds ratio", "from", "to", "p"), odds))
        sentences += list(filter(None, (model.note(read.title),)))
    except SettingError as error:
        sentences.append(f"No model of the scale: {error}")
    return sentences, tables


def _answered(read: Material, name: str) -> list[Given]:
    """Answers to a question that has a right answer; `name` is the question's."""
    return [row for row in read.trials("accuracy", name) if name in row.step.correct and row.conditions]


def _count(step: Step, name: str) -> int:
    """How many answers there were to choose from."""
    question = next(one for one in step.questions if one.name == name)
    return len(question.options) if isinstance(question, Choice) else 2


def _simulation(read: Material) -> Findings | None:
    return _accuracy(read, "answer", "Predicting the model's answer")


def _distinction(read: Material) -> Findings | None:
    parts = [
        _accuracy(read, "answered", "Which class did the model answer?"),
        _accuracy(read, "right", "Which class is right?"),
    ]
    known = [part for part in parts if part is not None]
    if not known:
        return None
    found = _joined(known)
    return Findings(found.sentences, found.figures, (*found.tables, *_calibration(read)))


def _joined(parts: Sequence[Findings]) -> Findings:
    return Findings(
        tuple(sentence for part in parts for sentence in part.sentences),
        tuple(figure for part in parts for figure in part.figures),
        tuple(table for part in parts for table in part.tables),
    )


def _apart(rows: list[Given], name: str) -> list[tuple[str, str, list[Given]]]:
    """Answers to a question, apart by how many there were to choose from, for chance differs.

    Each part has the ends of its figures' names and of its titles, empty where there is one part.
    """
    by_count: dict[int, list[Given]] = {}
    for row in rows:
        by_count.setdefault(_count(row.step, name), []).append(row)
    if len(by_count) < 2:
        return [("", "", rows)] if rows else []
    return [(f"-of-{count}", f" ({count} to choose from)", own) for count, own in sorted(by_count.items())]


def _accuracy(read: Material, name: str, title: str) -> Findings | None:
    """The share of right answers; apart for trials with more and fewer answers to choose from."""
    parts = [
        _of_count(read, rows, f"{name}{part}", f"{title}{of}", 1 / _count(rows[0].step, name))
        for part, of, rows in _apart(_answered(read, name), name)
    ]
    return _joined(parts) if parts else None


def _of_count(read: Material, rows: list[Given], name: str, title: str, chance: float) -> Findings:
    """The share of right answers of each condition, and apart for the model's right and wrong answers."""
    lines: list[tuple[object, ...]] = []
    figures: list[Figure] = []
    for kind, chosen in (("all", None), ("model right", True), ("model wrong", False)):
        some = [row for row in rows if chosen is None or row.step.facts.get("model_right") is chosen]
        if not some:
            continue
        conditions = [row.conditions[0] for row in some]
        order = [one.key for one in read.conditions if one.key in conditions]
        people = [row.participant.code for row in some]
        found = accuracy.by_condition([row.right is True for row in some], conditions, people, chance, order=order)
        titles = [read.title(one.condition) for one in found]
        lines += [
            (label, kind, one.answers, *bounds(one.bootstrap), rounded(one.p, 5))
            for label, one in zip(titles, found, strict=True)
        ]
        shown = named([one.bootstrap for one in found], titles)
        figures.append(
            Figure(
                f"accuracy-{name}-{kind.replace(' ', '-')}",
                f"{title} ({kind})",
                chart(values_figure, "Share of right answers", shown, reference=chance, limits=(0, 1)),
            )
        )
    head = ("condition", "images", "answers", "accuracy", "from", "to", "p against chance")
    sentences = [f"{title}{'' if title.endswith('?') else '.'} Chance is {percent(chance, 0)}."]
    control = next((one for one in read.conditions if one.source == NO_MAP), None)
    tables = [Table(title, head, tuple(lines))]
    if control is not None and any(row.conditions[0] == control.key for row in rows):
        tables.append(_differences(read, rows, control.key))
    return Findings(tuple(sentences), tuple(figures), tuple(tables))


def _differences(read: Material, rows: list[Given], control: str) -> Table:
    found = accuracy.differences(
        [row.right is True for row in rows],
        [row.conditions[0] for row in rows],
        [row.participant.code for row in rows],
        control,
    )
    lines = tuple((read.title(one.first), *bounds(one.difference)) for one in found)
    return Table(f"Accuracy above {read.title(control)}", ("condition", "difference", "from", "to"), lines)


def _calibration(read: Material) -> list[Table]:
    """Accuracy by stated confidence, for each question that asks for one."""
    tables = []
    for name, asked in (("answered", "what the model answered"), ("right", "what is right")):
        stated = f"{name}-confidence"
        confident = [row for row in _answered(read, name) if isinstance(row.answer.values.get(stated), int)]
        for _, of, rows in _apart(confident, name):
            points = [int(str(row.answer.values[stated])) for row in rows]
            people = [row.participant.code for row in rows]
            found = accuracy.calibration([row.right is True for row in rows], points, people)
            lines = tuple((one.confidence, one.answers, *bounds(one.accuracy)) for one in found.levels)
            head = ("confidence", "answers", "accuracy", "from", "to")
            tables.append(Table(f"Accuracy by confidence: {asked}{of}", head, lines))
    return tables


def _detection(read: Material) -> Findings | None:
    """Can people tell the model's right answers from its wrong ones? Yes: they name the model's class as right."""
    told = [
        row
        for row in _answered(read, "right")
        if isinstance(row.step.facts.get("model_right"), bool) and row.answer.values.get("answered") is not None
    ]
    parts = [_trust(rows, part, of) for part, of, rows in _apart(told, "right")]
    known = [part for part in parts if part is not None]
    if not known:
        return None
    said = "A person trusts the model where both questions got the same answer; the signal is a right model."
    return _joined([Findings((said,)), *known])


def _trust(rows: list[Given], part: str, of: str) -> Findings | None:
    """Signal detection in trials with one number of answers; None where the model was always right, or never."""
    signal = [bool(row.step.facts["model_right"]) for row in rows]
    if len(set(signal)) < 2:
        return None
    said = [str(row.value) == str(row.answer.values["answered"]) for row in rows]
    found = detection.detection(said, signal, [row.participant.code for row in rows])
    counts = (found.hits, found.misses, found.false_alarms, found.rejections)
    figure = Figure(
        f"signal-detection{part}",
        f"Who trusts the model when it is right, and when it is wrong?{of}",
        chart(detection_figure, *counts, ("trusts it", "does not")),
    )
    lines = (("d′", *bounds(found.sensitivity)), ("criterion c", *bounds(found.criterion)))
    return Findings((), (figure,), (Table(f"Signal detection{of}", ("measure", "value", "from", "to"), lines),))


def _utility(read: Material) -> Findings | None:
    """Colin's utility: accuracy at test, after training, over that of the control without maps."""
    control = next((one for one in read.conditions if one.source == NO_MAP), None)
    if control is None or not any(block.kind == "training" for block in read.study.blocks):
        return None
    rows = _answered(read, "answer")
    parts = [_worth(read, own, control.key, part, of) for part, of, own in _apart(rows, "answer")]
    if not parts:
        return None
    said = f"Utility is accuracy over that of {read.title(control.key)}; 1 is no help (Colin et al. 2022)."
    return _joined([Findings((said,)) if any(part.figures for part in parts) else Findings(), *parts])


def _after(read: Material, rows: list[Given]) -> list[int]:
    """For each answer, how many trials of training its participant had answered in the blocks before."""
    trained: dict[tuple[str, int], set[str]] = {}
    for row in read.rows:
        if row.step.kind == "training" and row.step.task:
            trained.setdefault((row.participant.code, row.step.block), set()).add(row.step.id)
    return [
        sum(
            len(steps)
            for (code, block), steps in trained.items()
            if code == row.participant.code and block < row.step.block
        )
        for row in rows
    ]


def _worth(read: Material, rows: list[Given], control: str, part: str, of: str) -> Findings:
    """Utility in trials with one number of answers to choose from."""
    conditions = [row.conditions[0] for row in rows]
    order = [one.key for one in read.conditions if one.key in conditions]
    people = [row.participant.code for row in rows]
    right = [row.right is True for row in rows]
    try:
        found = utility.utilities(right, conditions, _after(read, rows), people, control, order=order)
    except SettingError as error:
        return Findings((f"No utility{of}: {error}",))
    titles = [read.title(one.condition) for one in found]
    curves = [
        Curve(title, tuple(map(float, one.trainings)), tuple(named(one.utility_k, [title] * len(one.trainings))))
        for title, one in zip(titles, found, strict=True)
    ]
    figures = (
        Figure(
            f"utility{part}",
            f"Utility{of}",
            chart(values_figure, "Utility", named([one.utility for one in found], titles), reference=1.0),
        ),
        Figure(
            f"utility-k{part}",
            f"Utility after training trials{of}",
            chart(utility_figure, "Utility-K", curves, reference=1.0),
        ),
    )
    lines = tuple(
        (title, one.participants, *bounds(one.utility), *bounds(one.gain))
        for title, one in zip(titles, found, strict=True)
    )
    head = ("condition", "people", *heads("utility"), *heads("gain in accuracy"))
    return Findings((), figures, (Table(f"Utility{of}", head, lines),))


def _trains(read: Material) -> bool:
    control = any(one.source == NO_MAP for one in read.conditions)
    trained = any(block.kind == "training" for block in read.study.blocks)
    return control and trained and bool(read.trials("accuracy", "answer"))


RATINGS = Section(
    "ratings", "Ratings", "How far people agree with statements about each method's maps.", _ratings, has("ratings")
)
SIMULATION = Section(
    "simulation", "Forward simulation", "How often people predict the model's answer.", _simulation,
    has("accuracy", "answer"),
)  # fmt: skip
UTILITY = Section("utility", "Utility", "What seeing maps in training is worth at test.", _utility, _trains)
DISTINCTION = Section(
    "distinction", "Distinction", "Do maps tell which class the model answers, and which is right?", _distinction,
    has("accuracy", "answered"),
)  # fmt: skip
DETECTION = Section(
    "detection", "Signal detection", "Can people tell when the model is wrong?", _detection, has("accuracy", "right")
)
