"""The command explain: maps, curves and metrics of pictures, written into a folder."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from decam.classifier import TorchClassifier
from decam.classifier.certainty import decimal
from decam.cli import DEFAULT_METHODS
from decam.cli.choices import choices
from decam.cli.computing import computed
from decam.cli.loading import classifier_of, default_model
from decam.cli.terminal import columns, padded, say, visible
from decam.errors import SettingError
from decam.experiments.cells import Cell
from decam.experiments.explain import class_index
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, fingerprint, usual_metrics
from decam.explanation import Truth
from decam.export.tables import metric_names
from decam.images import ground_truth
from decam.images.framing import Framing, framed, mask_of
from decam.images.reading import Picture, read
from decam.metrics import get as get_metric
from decam.numerals import score

NO_MASK = "-"


def explain(given: argparse.Namespace) -> int:
    """Explain pictures with one model and several methods, measure the maps and write the export."""
    methods, metrics = choices(given.method or DEFAULT_METHODS, given.metric, given.set)
    _check_truths(given, metrics)
    pictures = _pictures(given.pictures)
    classifier = classifier_of(given.model or default_model(), given.device)
    grid = _asked(given, classifier, methods, metrics, pictures)
    return computed(grid, lambda _: classifier, Path(given.out), _print_table)


def _check_truths(given: argparse.Namespace, metrics: Sequence[MetricChoice]) -> None:
    """Raise SettingError where there are not as many masks as pictures, or none for a metric that needs one."""
    if given.truth and len(given.truth) != len(given.pictures):
        raise SettingError(
            f"Masks given with --truth: {len(given.truth)}; images: {len(given.pictures)}. Give one for each "
            f"image, in their order, and '{NO_MASK}' where there is none."
        )
    lacking = [choice.name for choice in metrics if "truth" in get_metric(choice.name).needs]
    if lacking and all(mask == NO_MASK for mask in given.truth):
        raise SettingError(f"--metric {lacking[0]} compares with the ground truth; give a mask with --truth.")


def _pictures(paths: Sequence[str]) -> tuple[Picture, ...]:
    """The pictures, all readable; what was special about a file is said."""
    pictures = []
    for path in map(Path, paths):
        # A name that is no valid text could not be written into CSV and JSON.
        picture = read(path, path.name.encode("utf-8", "replace").decode("utf-8"))
        for note in picture.notes:
            say(f"Note: {picture.name}: {note}")
        pictures.append(picture)
    return tuple(pictures)


def _asked(
    given: argparse.Namespace,
    classifier: TorchClassifier,
    methods: tuple[MethodChoice, ...],
    metrics: tuple[MetricChoice, ...],
    pictures: tuple[Picture, ...],
) -> Grid:
    """The plan that the arguments ask for, with views, and nothing done yet."""
    target, against = (_class(classifier, text) for text in (given.target, given.against))
    views = tuple(framed(classifier, picture.image, given.framing) for picture in pictures)
    truths = tuple(
        _truth(mask, picture, classifier, given.framing) for mask, picture in zip(given.truth, pictures, strict=False)
    )
    marks = ["" if mask is None else fingerprint(mask) for mask in truths] or [""] * len(pictures)
    fills = given.fills or (("mean", "blur"), ("blur", "mean"))
    plan = comparison.plan(
        classifier.name,
        str(classifier.device),
        [
            PictureChoice(picture.name, fingerprint(view), mark, given.framing)
            for picture, view, mark in zip(pictures, views, marks, strict=True)
        ],
        methods,
        targets=[target] * len(pictures),
        against=[against] * len(pictures),
        metrics=tuple(dict.fromkeys((*usual_metrics(fills, given.steps), *metrics))),
        seed=given.seed,
        execution=classifier.execution,
    )
    return Grid.empty(plan, views, truths, classifier.labels)


def _class(classifier: TorchClassifier, text: str | None) -> int | None:
    return class_index(classifier, int(text) if text and text.strip().isdecimal() else text)


def _truth(mask: str, picture: Picture, classifier: TorchClassifier, framing: Framing) -> Truth | None:
    """What a mask's file marks, as the model sees it."""
    if mask == NO_MASK:
        return None
    path = Path(mask)
    whole = ground_truth.from_file(path, path.name, (picture.image.height, picture.image.width))
    return mask_of(classifier, whole, framing)


def _print_table(grid: Grid) -> None:
    """One line a map, with what the metrics say."""
    names = [visible(choice.name) for choice in grid.plan.pictures]
    metrics = metric_names(grid.plan)
    width = max(7, *map(columns, names))
    heads = "".join(f"  {name:>{max(9, len(name))}}" for name in metrics.values())
    print(f"{padded('image', width)}  {'method':20}{heads}  {'evaluations':>11}  class")
    for key, cell in sorted(grid.cells.items()):
        explanation = cell.explanation
        if explanation is None:
            continue
        values = "".join(_column(name, cell, choice) for choice, name in metrics.items())
        class_text = visible(f"{explanation.label} ({decimal(explanation.probability)})")
        picture = padded(names[grid.plan.place_of(key.question)], width)
        print(f"{picture}  {explanation.method:20}{values}  {explanation.evaluations:11,}  {class_text}")


def _column(name: str, cell: Cell, choice: str) -> str:
    measurement = cell.measurements.get(choice)
    value = math.nan if measurement is None else measurement.value
    return f"  {'' if math.isnan(value) else score(value):>{max(9, len(name))}}"
