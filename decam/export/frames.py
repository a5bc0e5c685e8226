"""Results as tables of pandas: one line for each picture, method and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from decam.experiments.grid import Grid
from decam.explanation import CLASS_VALUES, ClassExplanation
from decam.export.names import method_names
from decam.export.tables import metric_names, model_name

if TYPE_CHECKING:
    from pandas import DataFrame

ABOUT = ("number", "picture", "model", "method", "target", "label", "probability", "seed")
METRIC = ("metric", "value", "metric evaluations")
SPENT = ("evaluations", "seconds", "notes")


def measured_frame(grid: Grid) -> DataFrame:
    """One line for each map and each of the plan's metrics, one a map where the plan has none.

    A map that is not there has the reason among its `notes`, and no values. `number` counts pictures from 1, as in
    metrics.csv. What is not known or not measured is missing.
    """
    return _frame(_rows(grid, with_metrics=True), (*ABOUT, *_class_values(grid), *METRIC, *SPENT))


def map_frame(grid: Grid) -> DataFrame:
    """One line for each map, without metrics."""
    return _frame(_rows(grid, with_metrics=False), (*ABOUT, *_class_values(grid), *SPENT))


def _frame(rows: Iterator[Mapping[str, object]], columns: tuple[str, ...]) -> DataFrame:
    from pandas import DataFrame  # takes half a second to import

    return DataFrame(list(rows), columns=list(columns))


def _class_values(grid: Grid) -> tuple[str, ...]:
    return CLASS_VALUES if grid.plan.about_classes else ()


def _rows(grid: Grid, *, with_metrics: bool) -> Iterator[Mapping[str, object]]:
    plan, metrics = grid.plan, metric_names(grid.plan)
    for key, cell in sorted(grid.cells.items()):
        question, made = plan.questions[key.question], cell.explanation
        picture = question.picture
        about: dict[str, object] = {
            "number": None if picture is None else picture + 1,
            "picture": None if picture is None else plan.pictures[picture].name,
            "model": model_name(plan, key.question),
            "method": method_names(plan)[key.method],
            "seed": question.seed,
            "notes": cell.error,
        }
        if made is not None:
            about |= {"target": made.target, "label": made.label, "probability": float(made.probability)}
            about |= {"evaluations": made.evaluations, "seconds": made.seconds, "seed": made.seed}
            about["notes"] = " ".join([*made.notes, *([cell.error] if cell.error else [])])
        if isinstance(made, ClassExplanation):
            about |= {name: float(getattr(made, name)) for name in CLASS_VALUES}
        if not with_metrics or not metrics:
            yield about
            continue
        for metric, name in metrics.items():
            measured = cell.measurements.get(metric)
            remark = measured.note if measured is not None else ""
            notes = " ".join(one for one in (str(about["notes"]), remark) if one)
            found: dict[str, object] = {"metric": name, "notes": notes}
            if measured is not None:
                found |= {"value": measured.value, "metric evaluations": measured.evaluations}
            yield about | found
