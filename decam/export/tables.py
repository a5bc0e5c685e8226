"""Metrics and curves as CSV: one line a map and pair of fills, one line a point of a curve."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from decam.experiments.events import Judgement
from decam.export.result import Result, method_names
from decam.metrics import METRICS
from decam.metrics.base import Curve

Row: TypeAlias = Sequence[object]

_ASKED = ("number", "picture", "method", "target", "label", "probability")
_CURVES = ("deletion fill", "insertion fill", "deletion", "insertion")
_SPENT = ("evaluations", "seconds", "notes")
# Japanese and Chinese spreadsheets take the wide forms of the signs for the signs.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)", re.ASCII)
CURVES_HEAD = (
    *("number", "picture", "method", "metric", "fill", "share", "probability"),
    *("top class", "top label", "top probability"),
)


def metrics_csv(result: Result) -> bytes:
    """One line for each map and pair of fills; a map without curves, or that failed, has one line saying so.

    Each metric of the plan has a column, in which all lines of a map say the same.
    """
    names = [choice.name for choice in result.plan.metrics]
    return csv_bytes((*_ASKED, *_CURVES, *names, *_SPENT), _metrics(result, names))


def curves_csv(result: Result) -> bytes:
    """One line for each point of each deletion and insertion curve."""
    return csv_bytes(CURVES_HEAD, _curves(result))


def _metrics(result: Result, names: Sequence[str]) -> Iterator[Row]:
    methods = method_names(result.plan)
    for cell in sorted({*result.explanations, *result.failures}):
        begin = (cell.picture + 1, result.plan.pictures[cell.picture].name, methods[cell.method])
        explanation = result.explanations.get(cell)
        failure = result.failures.get(cell, "")
        if explanation is None:
            yield (*begin, *[""] * (9 + len(names)), failure)
            continue
        said = result.judgements.get(cell, {})
        values = [
            "" if name not in said or math.isnan(said[name].value) else number(said[name].value) for name in names
        ]
        asked = (explanation.target, explanation.label, number(explanation.probability))
        notes = " ".join([*explanation.notes, *_judged(said, names), *([failure] if failure else [])])
        end = (explanation.evaluations, f"{explanation.seconds:.3f}", notes)
        for fills, deletion, insertion in result.curves.get(cell, ()):
            yield (*begin, *asked, *fills, number(deletion.auc), number(insertion.auc), *values, *end)
        if not result.curves.get(cell):
            yield (*begin, *asked, "", "", "", "", *values, *end)


def _judged(said: Mapping[str, Judgement], names: Sequence[str]) -> Iterator[str]:
    """What the metrics remark, what several have to say alike said once."""
    alike: dict[str, list[str]] = {}
    for name in names:
        if name in said and said[name].note:
            title = METRICS[name].title
            alike.setdefault(said[name].note.removeprefix(f"{title} "), []).append(title)
    for note, titles in alike.items():
        yield f"{', '.join(titles)}: {note}"


def _curves(result: Result) -> Iterator[Row]:
    methods = method_names(result.plan)
    for cell, measured in sorted(result.curves.items()):
        begin = (cell.picture + 1, result.plan.pictures[cell.picture].name, methods[cell.method])
        for _, deletion, insertion in measured:
            for curve in (deletion, insertion):
                for point in _points(curve, result.labels):
                    yield (*begin, curve.metric, curve.fill, *point)


def _points(curve: Curve, labels: Sequence[str]) -> Iterator[Row]:
    for share, probability, top, top_probability in zip(
        curve.shares, curve.probabilities, curve.top, curve.top_probabilities, strict=True
    ):
        label = labels[int(top)] if int(top) < len(labels) else ""
        yield (number(share), number(probability), int(top), label, number(top_probability))


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
    """Nine digits, from which every float32 can be read back."""
    return f"{float(value):.9g}"
