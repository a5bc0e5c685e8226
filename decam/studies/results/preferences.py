"""Which maps people prefer: strengths from pairs and rankings, and preference beside faithfulness metrics."""

from __future__ import annotations

import numpy as np

from decam.figures.studies import preference_figure, values_figure, win_matrix_figure
from decam.metrics import METRICS
from decam.numerals import listed, several
from decam.studies.analysis.correlation import MetricValues, PreferenceTable, preference_and_metrics
from decam.studies.analysis.preference import (
    Comparisons,
    Strengths,
    bradley_terry,
    comparisons,
    plackett_luce,
    rankings,
)
from decam.studies.analysis.preference import win_matrix as wins_of
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
from decam.studies.tasks.forced_choice import NEITHER


def _pairs(read: Material) -> tuple[Comparisons, list[Given]] | None:
    """All pairs that were compared; “no difference” is a tie. None where nobody compared any."""
    places = {condition.key: place for place, condition in enumerate(read.conditions)}
    rows = [row for row in read.trials("preference", "preferred") if len(set(row.conditions)) == 2]
    if not rows:
        return None
    winners, losers, ties = [], [], []
    for row in rows:
        tie = row.value == NEITHER
        winner = row.conditions[0] if tie else row.chosen[0]
        winners.append(places[winner])
        losers.append(places[next(key for key in row.conditions if key != winner)])
        ties.append(tie)
    people = [row.participant.code for row in rows]
    return comparisons(read.titled(read.conditions), winners, losers, people, ties), rows


def _preference(read: Material) -> Findings | None:
    found = _pairs(read)
    if found is None:
        return None
    answers, _ = found
    strengths = bradley_terry(answers)
    wins = wins_of(answers)
    names = list(answers.items)
    figures = (
        _strengths_figure("bradley-terry", "Bradley–Terry strengths", strengths),
        Figure("win-matrix", "How often the row beat the column", chart(win_matrix_figure, names, wins)),
    )
    matrix = tuple((name, *(round(float(value), 1) for value in line)) for name, line in zip(names, wins, strict=True))
    tables = (_strengths_table(strengths), Table("Wins of the row over the column", ("condition", *names), matrix))
    return Findings(_sentences(strengths), figures, tables)


def _ranking(read: Material) -> Findings | None:
    rows = [row for row in read.trials("preference", "order") if row.chosen]
    if not rows:
        return None
    places = {condition.key: place for place, condition in enumerate(read.conditions)}
    orders = [[places[key] for key in row.chosen] for row in rows]
    made = rankings(read.titled(read.conditions), orders, [row.participant.code for row in rows])
    strengths = plackett_luce(made)
    figure = _strengths_figure("plackett-luce", "Plackett–Luce strengths", strengths)
    return Findings(_sentences(strengths), (figure,), (_strengths_table(strengths),))


def _sentences(strengths: Strengths) -> tuple[str, ...]:
    answers, people = several(strengths.answers, "answer"), several(strengths.participants, "person", "people")
    drawn = "Intervals draw people again, with all their answers."
    alone = "One person alone gives no intervals."
    said = (f"{answers} of {people}.", _preferred(strengths), drawn if strengths.participants > 1 else alone)
    return (*said, strengths.note) if strengths.note else said


def _preferred(strengths: Strengths) -> str:
    """Which conditions are the strongest; several that are level are all named."""
    best = strengths.best
    if len(best) == len(strengths.items):
        return "All conditions are level: none is preferred to another."
    top = max(one.value for one in strengths.values)
    strength = f"a log-strength of {top:+z.2f}, where 0 is the mean of all"
    if len(best) == 1:
        return f"{best[0]} is preferred most: {strength}."
    return f"{listed(best)} are preferred most and are level: {strength}."


def _strengths_figure(name: str, title: str, strengths: Strengths) -> Figure:
    order = sorted(range(len(strengths.items)), key=lambda place: -strengths.values[place].value)
    shown = named([strengths.values[place] for place in order], [strengths.items[place] for place in order])
    return Figure(name, title, chart(values_figure, "Log-strength", shown, reference=0.0))


def _strengths_table(strengths: Strengths) -> Table:
    rows = sorted(zip(strengths.items, strengths.values, strict=True), key=lambda row: -row[1].value)
    return Table(
        "Strengths", ("condition", "log-strength", "from", "to"), tuple((name, *bounds(value)) for name, value in rows)
    )


def _faithfulness(read: Material) -> Findings | None:
    """Preference beside the metrics of the very cells that people saw."""
    found = _pairs(read)
    if found is None:
        return None
    answers, rows = found
    stimuli = {stimulus.key: place for place, stimulus in enumerate(read.stimuli)}
    methods = [place for place, one in enumerate(read.conditions) if one.source == "method"]
    metrics = _metrics(read)
    if not metrics or len(methods) < 2:
        return None
    kept = np.isin(answers.winners, methods) & np.isin(answers.losers, methods)
    if not kept.any():
        return None
    new = {old: place for place, old in enumerate(methods)}
    among = comparisons(
        [answers.items[place] for place in methods],
        [new[int(place)] for place in answers.winners[kept]],
        [new[int(place)] for place in answers.losers[kept]],
        answers.participants[kept],
        answers.ties[kept],
    )
    pictures = [stimuli[str(row.step.facts["stimulus"])] for row, keep in zip(rows, kept, strict=True) if keep]
    table = preference_and_metrics(among, pictures, metrics)
    return _compared(table)


def _metrics(read: Material) -> list[MetricValues]:
    """The metrics that any cell of the study has, as pictures × methods."""
    conditions = [one.key for one in read.conditions if one.source == "method"]
    keys = dict.fromkeys(key for stimulus in read.stimuli for one in stimulus.maps for key in one.measurements)
    made: list[MetricValues] = []
    for key in keys:
        name, _, settings = key.partition(": ")
        if name not in METRICS:  # of another decam: nobody here can say which way is better
            continue
        metric = METRICS[name]
        values = np.full((len(read.stimuli), len(conditions)), np.nan)
        for row, stimulus in enumerate(read.stimuli):
            for column, condition in enumerate(conditions):
                one = stimulus.map_of(condition)
                if one is not None and key in one.measurements:
                    values[row, column] = one.measurements[key]
        title = f"{metric.title} · {settings}" if settings else metric.title
        made.append(MetricValues(f"{name}-{len(made) + 1}", title, metric.direction > 0, values))
    return made


def _compared(table: PreferenceTable) -> Findings:
    figures = []
    rows: list[tuple[object, ...]] = []
    for column in table.columns:
        for title, found in (("Spearman", column.spearman), ("Kendall", column.kendall)):
            if found is not None:
                rows.append((column.title, title, *bounds(found.value), rounded(found.p, 4)))
        axis = f"{column.title} ({'higher' if column.higher_is_better else 'lower'} is better)"
        metric = named(column.means, table.methods)
        strengths = named(table.strengths, table.methods)
        figures.append(
            Figure(
                f"preference-{column.name}",
                f"Preference and {column.title}",
                chart(preference_figure, axis, metric, strengths),
            )
        )
    head = ("metric", "correlation", "value", "from", "to", "p")
    means = tuple(
        (
            method,
            *bounds(table.strengths[place]),
            *(value for one in table.columns for value in bounds(one.means[place])),
        )
        for place, method in enumerate(table.methods)
    )
    head_of_means = ("method", *heads("log-strength"), *(name for one in table.columns for name in heads(one.title)))
    tables = (
        Table("Rank correlation of preference with faithfulness", head, tuple(rows)),
        Table("Preference and metrics of the same maps", head_of_means, means),
    )
    people, pictures = several(table.participants, "person", "people"), several(table.pictures, "image")
    said = f"{people}, {pictures}, {several(len(table.methods), 'method')}."
    return Findings(tuple(filter(None, (said, table.caution, table.note))), tuple(figures), tables)


PREFERENCE = Section(
    "preference",
    "Preference",
    "How strong each method's maps are in pairs.",
    _preference,
    has("preference", "preferred"),
    first=True,
)
RANKING = Section(
    "ranking", "Ranking", "How strong each method's maps are in rankings.", _ranking, has("preference", "order")
)
FAITHFULNESS = Section(
    "faithfulness",
    "Preference and faithfulness",
    "Do people prefer what metrics call faithful? From the same maps.",
    _faithfulness,
    lambda read: bool(read.trials("preference", "preferred")) and bool(_metrics(read)),
)
