"""The command explain: maps, curves and metrics of pictures, written into a folder."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from decam import export
from decam.classifier import TorchClassifier
from decam.cli import DEFAULT_METHODS
from decam.cli.choices import choices
from decam.cli.codes import BAD_INPUT, INTERRUPTED, NOT_ALL, OK
from decam.cli.loading import classifier_of, default_model
from decam.cli.terminal import Line, columns, padded, say, share, stopping, visible
from decam.durations import duration
from decam.errors import SettingError
from decam.experiments.events import Event, Explained, Explaining, Failed, Judged, Measuring, Predicted
from decam.experiments.execute import compare
from decam.experiments.explain import class_index
from decam.experiments.plan import DEFAULT_FILLS, MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint
from decam.explanation import Truth
from decam.export import Result
from decam.images import ground_truth
from decam.images.reading import Picture, read
from decam.metrics import get as get_metric

NO_MASK = "-"


def explain(given: argparse.Namespace) -> int:
    """Explain pictures with one model and several methods, measure the maps and write the export."""
    methods, metrics = choices(given.method or DEFAULT_METHODS, given.metric, given.set)
    _check_truths(given, metrics)
    pictures = _pictures(given.pictures)
    classifier = classifier_of(given.model or default_model(), given.device)
    result = _asked(given, classifier, methods, metrics, pictures)
    folder = Path(given.out)
    if export.check_folder(folder):
        say(f"Note: the export in {folder} will be replaced.")
    with Line(sys.stderr) as line, stopping() as stop:
        with closing(compare(classifier, result.views, result.plan, truths=result.truths)) as events:
            for event in events:
                result = result.after(event)
                _tell(event, result, line)
                if stop.asked:
                    break
        return _written(result, folder, line, interrupted=stop.asked)


def _check_truths(given: argparse.Namespace, metrics: Sequence[MetricChoice]) -> None:
    """Raise SettingError where there are not as many masks as pictures, or none for a metric that needs one."""
    if given.truth and len(given.truth) != len(given.pictures):
        raise SettingError(
            f"Masks given with --truth: {len(given.truth)}; pictures: {len(given.pictures)}. Give one for each "
            f"picture, in their order, and '{NO_MASK}' where there is none."
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
) -> Result:
    """The plan that the arguments ask for, with views, and nothing done yet."""
    text = given.target
    target = class_index(classifier, int(text) if text and text.strip().isdecimal() else text)
    views = tuple(classifier.view(picture.image) for picture in pictures)
    truths = tuple(_truth(mask, picture, classifier) for mask, picture in zip(given.truth, pictures, strict=False))
    marks = ["" if mask is None else fingerprint(mask) for mask in truths] or [""] * len(pictures)
    plan = Plan(
        model=classifier.name,
        device=str(classifier.device),
        pictures=tuple(
            PictureChoice(picture.name, target, fingerprint(view), mark)
            for picture, view, mark in zip(pictures, views, marks, strict=True)
        ),
        methods=methods,
        metrics=metrics,
        seed=given.seed,
        steps=given.steps,
        fills=tuple((deletion, insertion) for deletion, insertion in given.fills) or DEFAULT_FILLS,
        speed=classifier.speed,
    )
    return Result(plan, tuple(classifier.labels), views, truths=truths)


def _truth(mask: str, picture: Picture, classifier: TorchClassifier) -> Truth | None:
    """What a mask's file marks, as the model sees it."""
    if mask == NO_MASK:
        return None
    path = Path(mask)
    whole = ground_truth.from_file(path, path.name, (picture.image.height, picture.image.width))
    return ground_truth.seen(whole, classifier)


def _tell(event: Event, result: Result, line: Line) -> None:
    """Progress in words."""
    plan = result.plan
    if isinstance(event, Judged):
        line.show(f"{event.metric} measured")
        return
    if isinstance(event, Predicted):
        top = int(event.probabilities.argmax())
        picture = plan.pictures[event.picture].name
        line.note(f"{picture}: {result.labels[top]} ({event.probabilities[top]:.2f})")
        return
    title = plan.titles()[event.cell.method]
    name = f"{plan.pictures[event.cell.picture].name} · {title}"
    made = f"{len(result.explanations)} of {len(plan.pictures) * len(plan.methods)} maps"
    if isinstance(event, Explaining):
        progress = event.progress
        line.show(f"{made} · {name} {share(progress.step, progress.total)} · {progress.evaluations} evaluations")
    elif isinstance(event, Explained):
        done = event.explanation
        line.note(f"{name}: {done.evaluations} evaluations in {duration(done.seconds)}")
        for note in done.notes:
            line.note(f"Note: {name}: {note}")
    elif isinstance(event, Measuring):
        picture = plan.pictures[event.cell.picture].name
        line.show(f"{made} · {picture} · curves {share(event.progress.step, event.progress.total)}")
    elif isinstance(event, Failed):
        line.note(f"{name}: {event.sentence}")


def _written(result: Result, folder: Path, line: Line, *, interrupted: bool) -> int:
    """Write what is finished, say what that is, and return the exit code."""
    made, wanted = len(result.explanations), len(result.plan.pictures) * len(result.plan.methods)
    if not made:
        line.note(
            "Interrupted before any map was finished; nothing was written." if interrupted else "No map was made."
        )
        return INTERRUPTED if interrupted else BAD_INPUT
    line.show(f"Writing to {folder}")
    export.write(result, folder)
    line.clear()
    if interrupted:
        line.note(f"Interrupted: the {made} of {wanted} maps that were finished are in {folder}.")
        return INTERRUPTED
    _print_table(result)
    print(visible(f"Written to {folder}."))
    return NOT_ALL if result.failures else OK


def _print_table(result: Result) -> None:
    """One line a map, with the areas of the first pair of fills and what the metrics say."""
    names = [visible(choice.name) for choice in result.plan.pictures]
    metrics = [choice.name for choice in result.plan.metrics]
    width = max(7, *map(columns, names))
    heads = "".join(f"  {name:>{max(9, len(name))}}" for name in ("deletion", "insertion", *metrics))
    print(f"{padded('picture', width)}  {'method':20}{heads}  {'evaluations':>11}  class")
    for cell, explanation in sorted(result.explanations.items()):
        measured = result.curves.get(cell, ())
        judged = result.judgements.get(cell, {})
        areas = [measured[0].deletion.auc, measured[0].insertion.auc] if measured else [math.nan, math.nan]
        values = [*areas, *(judged[name].value if name in judged else math.nan for name in metrics)]
        told = "".join(
            f"  {'' if math.isnan(value) else f'{value:.3f}':>{max(9, len(name))}}"
            for name, value in zip(("", "", *metrics), values, strict=True)
        )
        asked = visible(f"{explanation.label} ({explanation.probability:.2f})")
        name = padded(names[cell.picture], width)
        print(f"{name}  {explanation.method:20}{told}  {explanation.evaluations:11,}  {asked}")
