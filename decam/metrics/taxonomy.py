"""The families that metrics are told apart by: what each kind takes a good map to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from decam.metrics.base import Metric


@dataclass(frozen=True)
class Family:
    """A kind of metric; `question` is what it asks of a map, `summary` one sentence on how it finds out.

    `beats_controls` says that a good map has better values than one that knows nothing of the model. Where it is not
    set, a control may be the best: a map that never changes is the steadiest of all.
    """

    name: str
    title: str
    question: str
    summary: str
    beats_controls: bool = False


_ALL = (
    Family(
        "faithfulness",
        "Faithfulness",
        "Does the map show what the model uses?",
        "Hides or shows what the map marks, and watches the model's answer.",
        beats_controls=True,
    ),
    Family(
        "localisation",
        "Localisation",
        "Does the map lie on the object?",
        "Compares the map with the ground truth and never asks the model.",
        beats_controls=True,
    ),
    Family(
        "robustness",
        "Robustness",
        "Does the map stay when nothing that matters has changed?",
        "Makes the map again, of a slightly changed image or with another seed.",
    ),
    Family(
        "complexity",
        "Complexity",
        "Is the map short enough to read?",
        "Looks at the map alone: how few pixels carry it.",
    ),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}


def grouped(metrics: Iterable[Metric]) -> tuple[tuple[Family, tuple[Metric, ...]], ...]:
    """The metrics by family, both in the order of their tables; a family without any of them is left out.

    Raises KeyError for a metric whose family is not in the table.
    """
    members: dict[str, list[Metric]] = {name: [] for name in FAMILIES}
    for metric in metrics:
        members[metric.family].append(metric)
    return tuple((FAMILIES[name], tuple(rows)) for name, rows in members.items() if rows)
