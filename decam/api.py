"""The façade: explaining and measuring from Python."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.classifier import Classifier, probabilities, to_tensor
from decam.errors import MethodError, SettingError
from decam.experiments.evaluate import checked_maps, checked_truth, origin_of, question_of
from decam.experiments.execute import execute
from decam.experiments.explain import class_index, class_question, explain_classes, explain_view, seed_of
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors, randomisation
from decam.experiments.kinds.backdoors import Suspicion
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.questions import Mode, ModelSpec
from decam.experiments.variants import models_by
from decam.explanation import ClassExplanation, Explanation, Map, Progress, Truth, Unit, last, relayed
from decam.images.reading import to_picture
from decam.methods import get as get_method
from decam.methods import get_class_method
from decam.metrics import Case, FaithfulnessSettings, Metric, Request, evaluate
from decam.metrics import get as get_metric
from decam.settings import Settings

Source: TypeAlias = str | Path | Image.Image | NDArray[Any]


def explain_steps(
    classifier: Classifier,
    image: Source,
    method: str = "de-cam",
    *,
    target: int | str | None = None,
    seed: int = 0,
    **settings: int | float | str | bool,
) -> Generator[Progress, None, Explanation]:
    """Explain a picture step by step: yields Progress, returns the Explanation; closing it cancels.

    `image` is a path, a PIL image or an array (H×W or H×W×3; uint8, or float in [0, 1]); `target` a class index, a part
    of a class name, or None for the prediction; `settings` are the method's own by name. Raises ImageError,
    MethodError and SettingError with a sentence.
    """
    view = classifier.view(to_picture(image))
    chosen = get_method(method).settings.from_mapping(settings)
    return explain_view(classifier, view, method, chosen, class_index(classifier, target), seed)


def explain(
    classifier: Classifier,
    image: Source,
    method: str = "de-cam",
    *,
    target: int | str | None = None,
    seed: int = 0,
    **settings: int | float | str | bool,
) -> Explanation:
    """Explain a picture: `explain_steps` run to its end."""
    return last(explain_steps(classifier, image, method, target=target, seed=seed, **settings))


def explain_class_steps(
    classifier: Classifier,
    target: int | str | tuple[int | str, ...] | Unit,
    method: str = "input-agnostic",
    *,
    seed: int = 0,
    pictures: Sequence[Source] = (),
    **settings: int | float | str | bool,
) -> Generator[Progress, None, ClassExplanation]:
    """Find what a model takes a class to be, step by step: yields Progress, returns the ClassExplanation.

    No picture is asked about. `target` is a class index, a part of a class name, several of them in a tuple, which one
    map raises at once, or a Unit: a channel of a layer. `pictures` are samples of your own, for samples="pictures".
    `settings` are the method's own by name. Closing the generator cancels. Raises ImageError, MethodError and
    SettingError with a sentence.
    """
    chosen = get_class_method(method).settings_for(classifier, settings)
    views = [classifier.view(to_picture(picture)) for picture in pictures]
    question = class_question(classifier, target, seed, views)
    (explanation,) = yield from relayed(explain_classes([question], method, chosen), _progress)
    return explanation


def _progress(event: tuple[int, Progress | ClassExplanation]) -> Iterator[Progress]:
    if isinstance(event[1], Progress):
        yield event[1]


def explain_class(
    classifier: Classifier,
    target: int | str | tuple[int | str, ...] | Unit,
    method: str = "input-agnostic",
    *,
    seed: int = 0,
    pictures: Sequence[Source] = (),
    **settings: int | float | str | bool,
) -> ClassExplanation:
    """Find what a model takes a class to be: `explain_class_steps` run to its end."""
    return last(explain_class_steps(classifier, target, method, seed=seed, pictures=pictures, **settings))


def find_backdoor(
    classifier: Classifier, *, seeds: Sequence[int] = backdoors.SEEDS, methods: Sequence[MethodChoice] = ()
) -> tuple[Suspicion, ...]:
    """For each class how odd it is that so little leads to it, the oddest class first.

    Each entry has the class (`target`, `label`), its anomaly `score` in deviations, and `low` and `high`, the ends of
    the scores over the seeds. `decam.experiments.kinds.backdoors` has the threshold, and `verdict`, which puts a table
    into words. `methods` are the measures that are compared, unless those that suit the classifier. Raises
    MethodError, ModelError and SettingError with a sentence.
    """
    plan = backdoors.plan(classifier, str(classifier.device), seeds=[seed_of(seed) for seed in seeds], methods=methods)
    grid = last(execute(Grid.empty(plan, (), labels=classifier.labels), lambda _: classifier))
    found = backdoors.suspicions(grid)
    if not found:
        raise MethodError(next(cell.error for cell in grid.cells.values() if cell.error))
    return found


def measure(
    classifier: Classifier,
    image: Source,
    saliency: Map | Explanation,
    *,
    target: int | str | None = None,
    metrics: Iterable[str] = ("deletion", "insertion"),
    fill: str | None = None,
    steps: int | None = None,
    truth: Truth | None = None,
    method: str | Explanation | None = None,
    seed: int | None = None,
) -> dict[str, float]:
    """The values of metrics for one map, by their names: {"deletion": …, "insertion": …}; NaN where one says nothing.

    `saliency` is H×W at the model's input size, or an Explanation, whose method, settings, target and seed are then
    known; `target` as in `explain`. `fill` (blur, box-blur, mean, black, noise) and `steps` apply to the metrics that
    have them; where not given each takes its own: deletion and insertion the tutorial's, 196 steps from the picture to
    black and from its box blur, where the app draws 50 to the mean and from `blur`. `truth` is a boolean mask H×W of
    the object, for localisation. `method` says how the map was made, for metrics that make it again: a name, with
    default settings, or an Explanation. `seed` is where random numbers begin. Raises SettingError and MethodError with
    a sentence.
    """
    view = classifier.view(to_picture(image))
    requests = [Request(row, _settings(row, fill, steps)) for row in map(get_metric, metrics)]
    made = saliency if isinstance(saliency, Explanation) else method if isinstance(method, Explanation) else None
    target_index = class_index(classifier, target)
    if target_index is None and isinstance(saliency, Explanation):
        target_index = saliency.target
    if target_index is None:
        target_index = int(probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))[0].argmax())
    begin = seed_of(seed) if seed is not None else made.seed if made is not None else 0
    origin = None
    if isinstance(method, str):
        origin = origin_of(classifier, method, get_method(method).settings(), begin)
    elif made is not None:
        origin = origin_of(classifier, made.method, made.settings, begin)
    case = Case(
        question_of(classifier, view, target_index),
        checked_maps(classifier, [_as_map(saliency)]),
        None if truth is None else checked_truth(classifier, truth),
        (origin,),
        begin,
    )
    found = last(evaluate(case, requests))
    return {request.metric.name: one.value for request, (one,) in zip(requests, found, strict=True)}


def _as_map(saliency: Map | Explanation) -> Map:
    if isinstance(saliency, Explanation):
        return saliency.saliency
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which metrics take note of
        return np.asarray(saliency, np.float32)


def _settings(row: Metric, fill: str | None, steps: int | None) -> Settings:
    """A metric's own settings, with what was given where it has it; raises SettingError for what no metric takes."""
    options = {"fill": fill, "steps": steps}
    FaithfulnessSettings.from_mapping({name: it for name, it in options.items() if it is not None})
    names = {described.name for described in row.settings.parameters()}
    return row.settings.from_mapping({name: it for name, it in options.items() if it is not None and name in names})


def sanity_check(
    classifier: Classifier,
    image: Source,
    methods: Sequence[str | MethodChoice] = ("grad-cam", "guided-backprop"),
    *,
    mode: Mode = "cascading",
    target: int | str | None = None,
    seed: int = 0,
    shuffled: Classifier | None = None,
) -> Grid:
    """Make each method's map again while the model forgets, and say how much of the original map is left.

    `image` is a path, a PIL image or an array; methods by name have their default settings; `target` is a class index
    or a part of a class name. `mode` is "cascading" or "independent"; with `shuffled`, the same network trained on
    shuffled labels, the maps of that are compared instead. The grid's first question asks the original and the others
    its variants; `decam.experiments.kinds.randomisation_reading` puts it into words. Raises ImageError, MethodError
    and SettingError with a sentence.
    """
    seed = seed_of(seed)
    choices = [MethodChoice.default(method) if isinstance(method, str) else method for method in methods]
    view, target_index = classifier.view(to_picture(image)), class_index(classifier, target)
    if shuffled is not None and (shuffled.input_size, len(shuffled.labels)) != (
        classifier.input_size,
        len(classifier.labels),
    ):
        raise SettingError(
            f"{shuffled.name} does not see and name the same pictures as {classifier.name}; "
            "give the same network, trained on shuffled labels."
        )
    kind: Mode = mode if shuffled is None else "labels"
    plan = randomisation.plan(classifier, PictureChoice("picture"), choices, target=target_index, mode=kind, seed=seed)
    drawn = models_by(lambda _: classifier)

    def models(spec: ModelSpec) -> Classifier:
        return shuffled if shuffled is not None and spec.variant is not None else drawn(spec)

    return last(execute(Grid.empty(plan, [view], labels=classifier.labels), models))
