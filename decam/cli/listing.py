"""The commands that list what there is: models, methods and metrics."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from decam.cli.codes import OK
from decam.methods import CLASS_METHODS, METHODS
from decam.methods.taxonomy import grouped
from decam.metrics import METRICS
from decam.metrics.base import Metric
from decam.metrics.taxonomy import grouped as metrics_grouped
from decam.models.catalogue import ENTRIES
from decam.numerals import bounds, several
from decam.settings import Parameter, Settings


def models(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the models with their size and whether their weights are here."""
    print(f"{'name':20} {'parameters':>12} {'top-1':>8} {'download':>9}  weights")
    for entry in ENTRIES.values():
        top = "" if entry.top1 is None else f"{entry.top1:.1f} %"
        size = f"{entry.size / 1e6:.0f} MB" if entry.size else ""
        here = "here" if entry.present() else "not here yet"
        print(f"{entry.name:20} {entry.parameters:12,} {top:>8} {size:>9}  {here}")
    return OK


def methods(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the methods with their settings, by family."""
    for family, rows in grouped((*METHODS.values(), *CLASS_METHODS.values())):
        print(f"{family.title.upper()}: {family.summary}\n")
        for method in rows:
            needs = f"needs the model's {' and '.join(sorted(method.needs))}" if method.needs else "needs no model"
            title = f"{method.title}; {needs}{'; signed' if method.signed else ''}"
            lines = (method.summary, method.reference, f"Strength: {method.strengths}", f"Watch out: {method.misleads}")
            _print_row(method.name, title, lines, method.settings)
    return OK


def metrics(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the metrics with their settings, by family."""
    for family, rows in metrics_grouped(METRICS.values()):
        print(f"{family.title.upper()}: {family.question} {family.summary}\n")
        for metric in rows:
            title = f"{metric.title}; {metric.better}; {metric.range}; {_cost(metric)}"
            lines = (metric.summary, metric.reference, f"Weaknesses: {metric.weaknesses}")
            _print_row(metric.name, title, lines, metric.settings)
    return OK


def _cost(metric: Metric) -> str:
    """What a map of its own costs, at the usual settings."""
    settings = metric.settings()
    evaluations, remade = metric.evaluations(settings, 1), metric.remakes(settings)
    parts = [f"{several(evaluations, 'evaluation')} for a map"] if evaluations or not remade else []
    parts += [f"makes a map {several(remade, 'time')} more"] if remade else []
    return " and ".join(parts)


def _print_row(name: str, title: str, lines: Iterable[str], settings: type[Settings]) -> None:
    print(f"{name}  ({title})")
    for line in lines:
        print(f"    {line}")
    for parameter in settings.parameters():
        print(f"    --set {name}.{parameter.name}={parameter.default}  {_bounds(parameter)}".rstrip())
        print(f"        {parameter.help}")
    print()


def _bounds(parameter: Parameter) -> str:
    if parameter.choices:
        return f"({', '.join(parameter.choices)})"
    return "" if parameter.low is None and parameter.high is None else f"({bounds(parameter.low, parameter.high)})"
