"""The command class-map: what a model takes classes or units to be, written into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from decam.classifier import TorchClassifier
from decam.cli import DEFAULT_CLASS_METHODS
from decam.cli.choices import choices
from decam.cli.computing import computed
from decam.cli.loading import classifier_of, default_model
from decam.cli.terminal import columns, padded, visible
from decam.errors import SettingError
from decam.experiments.explain import checked_unit, class_index
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.explanation import ClassExplanation, Target, Unit


def class_map(given: argparse.Namespace) -> int:
    """Make the maps of some classes or units of one model and write the export."""
    classifier = classifier_of(given.model or default_model(), given.device)
    methods, _ = choices(given.method or DEFAULT_CLASS_METHODS, (), given.set, classifier)
    plan = class_maps.plan(
        [classifier.name],
        str(classifier.device),
        _targets(given, classifier),
        methods,
        seeds=given.seed or (0,),
        execution=classifier.execution,
    )
    grid = Grid.empty(plan, (), labels=classifier.labels)
    return computed(grid, lambda _: classifier, Path(given.out), _print_table)


def _targets(given: argparse.Namespace, classifier: TorchClassifier) -> tuple[int | Target, ...]:
    """The classes and units that are named; raises SettingError where one does not exist or none is named."""
    if given.all and (given.target or given.unit):
        raise SettingError("--all names every class already; leave --target and --unit out, or leave --all out.")
    if given.all:
        return tuple(range(len(classifier.labels)))
    classes = [_class(text, classifier) for text in given.target]
    units = [checked_unit(_unit(text), classifier) for text in given.unit]
    if not classes and not units:
        raise SettingError("No class was named; give --target with an index or a name, --unit LAYER:CHANNEL, or --all.")
    return (*classes, *units)


def _class(text: str, classifier: TorchClassifier) -> int:
    index = class_index(classifier, int(text) if text.strip().isdecimal() else text)
    assert index is not None  # text is never None
    return index


def _unit(text: str) -> Unit:
    layer, colon, channel = text.rpartition(":")
    if not colon or not channel.isdecimal():
        raise SettingError(f"--unit takes LAYER:CHANNEL, such as features.3:12, not {text!r}.")
    return Unit(layer, int(channel))


def _print_table(grid: Grid) -> None:
    """One line a map: how far it brings the model, and a random map of the same norm."""
    subjects = [visible(grid.subject_of(question)) for question in range(len(grid.plan.questions))]
    width = max(map(columns, ("class", *subjects)))
    heads = ("fidelity", "without", "control", "norm", "evaluations")
    print(f"{padded('class', width)}  {'method':24}  {'seed':>6}{''.join(f'  {head:>11}' for head in heads)}")
    for key, cell in sorted(grid.cells.items()):
        found = cell.explanation
        if not isinstance(found, ClassExplanation):
            continue
        numbers = (found.fidelity, found.baseline, found.control, found.norm)
        values = "".join(f"  {number:11.3f}" for number in numbers)
        name = padded(subjects[key.question], width)
        print(f"{name}  {found.method:24}  {found.seed:6}{values}  {found.evaluations:11,}")
