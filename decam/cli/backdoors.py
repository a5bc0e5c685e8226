"""The command find-backdoor: for which class of a model an attacker may have a trigger."""

from __future__ import annotations

import argparse
from pathlib import Path

from decam.cli.computing import computed
from decam.cli.loading import classifier_of, default_model
from decam.cli.terminal import columns, padded, visible
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors


def find_backdoor(given: argparse.Namespace) -> int:
    """Look for the cheapest pattern of each class of a model and print how odd each class is, and what that says."""
    classifier = classifier_of(given.model or default_model(), given.device)
    plan = backdoors.plan(
        classifier, str(classifier.device), seeds=given.seed or backdoors.SEEDS, execution=classifier.execution
    )
    grid = Grid.empty(plan, (), labels=classifier.labels)
    return computed(grid, lambda _: classifier, None if given.out is None else Path(given.out), _print_table)


def _print_table(grid: Grid) -> None:
    """One line a class, the oddest first."""
    found = backdoors.suspicions(grid)
    labels = [visible(one.label) for one in found]
    width = max(map(columns, ("class", *labels)))
    print(f"{padded('class', width)}  {'score':>7}  {'lowest':>7}  {'highest':>7}  measure")
    for label, one in zip(labels, found, strict=True):
        print(f"{padded(label, width)}  {one.score:7.1f}  {one.low:7.1f}  {one.high:7.1f}  {one.measure}")
