"""The commands that list what there is: models, methods and metrics."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from decam.cli.codes import OK
from decam.methods import METHODS
from decam.methods.families import grouped
from decam.metrics import METRICS
from decam.metrics.families import grouped as metrics_grouped
from decam.models.catalogue import ENTRIES
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
    for family, rows in grouped(METHODS.values()):
        print(f"{family.title.upper()}: {family.summary}\n")
        for method in rows:
            _print_row(method.name, method.title, (method.summary, method.reference), method.settings)
    return OK


def metrics(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the metrics with their settings, by family."""
    for family, rows in metrics_grouped(METRICS.values()):
        print(f"{family.title.upper()}: {family.question} {family.summary}\n")
        for metric in rows:
            better = "higher is better" if metric.direction > 0 else "lower is better"
            title = f"{metric.title}, {better}"
            _print_row(metric.name, title, (metric.summary, metric.reference), metric.settings)
    return OK


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
    if parameter.low is not None and parameter.high is not None:
        return f"({parameter.low:g} to {parameter.high:g})"
    return ""
