"""Metrics and curves as CSV: one line a map, one line a point of a curve."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import Plan
from decam.explanation import CLASS_VALUES, ClassExplanation
from decam.export.names import method_names
from decam.figures.legend import Scale
from decam.metrics import get as get_metric
from decam.metrics.base import Curve

Row: TypeAlias = Sequence[object]

_ASKED = ("number", "picture", "model", "method", "target", "label", "probability")
_SPENT = ("evaluations", "metric evaluations", "seconds", "notes")
# Japanese and Chinese spreadsheets take the wide forms of the signs for the signs.
REUSED = "The map was made in an earlier run, at this cost; this run spent nothing on it."
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)", re.ASCII)
CURVES_HEAD = (
    *("number", "picture", "model", "method", "metric", "share", "value"),
    *("top class", "top label", "top probability"),
)

LEGEND_HEAD = ("file", "method", "label", "colours", "low", "high", "scale", "meaning")


@dataclass(frozen=True)
class Legend:
    """What an overlay's colours stand for: its file, whose map it is, the class, colour table, scale and words."""

    file: str
    method: str
    label: str
    table: str
    scale: Scale
    meaning: str


def metrics_csv(grid: Grid) -> bytes:
    """One line for each map that is finished or failed, one column for each metric of the plan."""
    names = metric_names(grid.plan)
    worth = CLASS_VALUES if grid.plan.about_classes else ()
    return csv_bytes((*_ASKED, *worth, *names.values(), *_SPENT), _metrics(grid, list(names)))


def curves_csv(grid: Grid) -> bytes:
    """One line for each point of each curve of each metric."""
    return csv_bytes(CURVES_HEAD, _curves(grid))


def legend_csv(legends: Iterable[Legend]) -> bytes:
    """One line for each overlay: what its colours stand for."""
    return csv_bytes(LEGEND_HEAD, (_legend(one) for one in legends))


def _legend(one: Legend) -> Row:
    low, high = one.scale.limits
    return (one.file, one.method, one.label, one.table, number(low), number(high), one.scale.text, one.meaning)


def metric_names(plan: Plan) -> dict[str, str]:
    """The metrics' names by their keys; one that is asked with several settings also says those that differ."""
    names: dict[str, str] = {}
    for choice in plan.metrics:
        values = choice.settings.to_mapping()
        same = [other.settings.to_mapping() for other in plan.metrics if other.name == choice.name]
        differing = [f"{name}={value}" for name, value in values.items() if any(other[name] != value for other in same)]
        names[choice.key] = f"{choice.name} ({', '.join(differing)})" if differing else choice.name
    return names


def model_name(plan: Plan, question: int) -> str:
    """The model that a question asks, with the variant where it is one."""
    spec = plan.questions[question].model
    return spec.name if spec.variant is None else f"{spec.name}, {spec.variant.mode}: {spec.variant.stage}"


def _begin(grid: Grid, key: CellKey) -> Row:
    plan = grid.plan
    picture = plan.questions[key.question].picture
    number, name = ("", "") if picture is None else (picture + 1, plan.picture_of(key.question).name)
    return (number, name, model_name(plan, key.question), method_names(plan)[key.method])


def _metrics(grid: Grid, keys: Sequence[str]) -> Iterator[Row]:
    for key, cell in sorted(grid.cells.items()):
        begin, explanation = _begin(grid, key), cell.explanation
        if explanation is None:
            if cell.error:
                of_class = len(CLASS_VALUES) if grid.plan.about_classes else 0
                whole = len(_ASKED) + of_class + len(keys) + len(_SPENT)
                yield (*begin, *[""] * (whole - len(begin) - 1), cell.error)
            continue
        answer: Row = (explanation.target, explanation.label, number(explanation.probability))
        if isinstance(explanation, ClassExplanation):
            answer = (*answer, *(number(getattr(explanation, name)) for name in CLASS_VALUES))
        values = ["" if one not in cell.measurements else number(cell.measurements[one].value) for one in keys]
        ends = [*([REUSED] if cell.reused else []), *([cell.error] if cell.error else [])]
        notes = " ".join([*explanation.notes, *_remarks(cell, keys), *ends])
        measuring = sum(one.evaluations for one in cell.measurements.values())
        yield (*begin, *answer, *values, explanation.evaluations, measuring, f"{explanation.seconds:.3f}", notes)


def _remarks(cell: Cell, keys: Sequence[str]) -> Iterator[str]:
    """What the metrics remark; what several remark alike is said once."""
    titles_by_note: dict[str, list[str]] = {}
    for key in keys:
        measurement = cell.measurements.get(key)
        if measurement is not None and measurement.note:
            title = get_metric(measurement.metric).title
            titles = titles_by_note.setdefault(measurement.note.removeprefix(f"{title} "), [])
            if title not in titles:
                titles.append(title)
    for note, titles in titles_by_note.items():
        yield f"{', '.join(titles)}: {note}"


def _curves(grid: Grid) -> Iterator[Row]:
    names = metric_names(grid.plan)
    for key, cell in sorted(grid.cells.items()):
        begin = _begin(grid, key)
        for choice, name in names.items():
            measurement = cell.measurements.get(choice)
            if measurement is not None and measurement.curve is not None:
                for point in _points(measurement.curve, grid.labels):
                    yield (*begin, name, *point)


def _points(curve: Curve, labels: Sequence[str]) -> Iterator[Row]:
    for place, (share, value) in enumerate(zip(curve.shares, curve.values, strict=True)):
        if curve.top is None or curve.top_values is None:
            yield (number(share), number(value), "", "", "")
            continue
        top = int(curve.top[place])
        label = labels[top] if top < len(labels) else ""
        yield (number(share), number(value), top, label, number(curve.top_values[place]))


def csv_bytes(head: Row, rows: Iterable[Row]) -> bytes:
    """CSV in UTF-8 of which a spreadsheet takes no text for a formula; see `cell`."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([cell(value) for value in head])
    writer.writerows([cell(value) for value in row] for row in rows)
    return "".join(lines.written).encode()


class _Lines:
    """Lines that end with a line feed alone, from a writer that quotes texts with either kind of line break."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line.removesuffix("\r\n") + "\n")


def cell(value: object) -> object:
    """A value as a cell: text that a spreadsheet would run as a formula gets an apostrophe before it.

    These are texts that begin with =, +, -, @, a tab or a line break (CWE-1236). Numbers stay numbers. A text that
    begins so after apostrophes gets one more, so that taking one away always gives the text back.
    """
    runs = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if runs else value


def number(value: float | np.floating[Any]) -> str:
    """The fewest digits from which a float32 is read back, nine of any other number; empty for what is no number."""
    if math.isnan(value):
        return ""
    single = _single(float(value))
    if single is None:
        return f"{float(value):.9g}"
    plain = single == 0 or 1e-5 <= abs(single) < 1e9
    return np.format_float_positional(single, trim="-") if plain else np.format_float_scientific(single, trim="-")


def _single(value: float) -> np.float32 | None:
    """The value as a float32 where it is exactly that, as most values of arrays are; None for all others."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    return single if float(single) == value else None
