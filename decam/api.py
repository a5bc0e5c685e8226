"""Asking and measuring from Python: one picture, one classifier, one method."""

from __future__ import annotations

import operator
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.errors import MethodError, SettingError
from decam.experiments.diagnostics import flaws, remarks, silences
from decam.explanation import Explanation, Map, Progress, Question, Truth, last
from decam.images.reading import to_picture
from decam.methods import get as get_method
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.metrics import Case, FaithfulnessSettings, Measurement, Metric, Origin, Request, judge
from decam.metrics import get as get_metric
from decam.settings import Settings

Source: TypeAlias = str | Path | Image.Image | NDArray[Any]


def explain_view(
    classifier: Classifier, view: Pixels, method: str, settings: Settings, target: int | None, seed: int
) -> Generator[Progress, None, Explanation]:
    """Explain a picture that is at the classifier's input size already (H×W×3 uint8).

    Yields Progress at least once a batch and returns the Explanation; closing the generator cancels. `target` is a
    class index, None for the predicted one. Raises MethodError where the method cannot explain this classifier,
    SettingError for a target or seed out of bounds.
    """
    row = get_method(method)
    if obstacle := row.obstacle(classifier):
        raise MethodError(obstacle)
    if not isinstance(settings, row.settings):
        raise SettingError(f"{row.title} takes {row.settings.__name__}, not {type(settings).__name__}.")
    seed = seed_of(seed)
    image = to_tensor(classifier, view)
    answers = probabilities(classifier, image.unsqueeze(0))[0]
    if obstacle := row.obstacle(classifier):  # the first answer may have shown one
        raise MethodError(obstacle)
    asked = int(answers.argmax()) if target is None else _checked(target, classifier)
    question = Question(classifier, image, asked)
    began = time.perf_counter()
    for sentence in getattr(classifier, "notes", ()):
        question.ledger.note(sentence)
    saliency = yield from row.run(question, settings, seed)
    seconds = time.perf_counter() - began
    silent = () if row.family == CONTROLS else silences(question.ledger, classifier.speed.precision, image)
    sound = row.family != CONTROLS and not silent  # what else would be said of chance is chance too
    for sentence in (remarks(saliency, image) if sound else flaws(saliency)) or silent:
        question.ledger.note(sentence)
    return Explanation(
        method=method,
        saliency=saliency,
        target=asked,
        label=classifier.labels[asked],
        probability=float(answers[asked]),
        settings=settings,
        seed=seed,
        evaluations=question.ledger.evaluations,
        seconds=seconds,
        notes=tuple(question.ledger.notes),
        silent=bool(silent),
    )


def seed_of(seed: object) -> int:
    """A seed as an int; raises SettingError for what is no whole number from 0 to 2^63 − 1."""
    found = _whole(seed)
    if found is None:
        raise SettingError(f"The seed is {seed!r}, but must be a whole number.")
    if not 0 <= found < 2**63:
        raise SettingError(f"The seed is {seed}, but must lie between 0 and 2^63 − 1.")
    return found


def _whole(value: object) -> int | None:
    """An int from any library's whole number; None for all else, booleans and fractions among it."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # what it refuses is caught
    except (TypeError, ValueError):
        return None


def _checked(given: object, classifier: Classifier) -> int:
    target = _whole(given)
    if target is None:
        raise SettingError(
            f"The target is {given!r}, but must be one class: its index (a whole number), its name, or None for the "
            "prediction."
        )
    if not 0 <= target < len(classifier.labels):
        raise SettingError(
            f"Class {target} does not exist: {classifier.name} knows classes 0 to {len(classifier.labels) - 1}."
        )
    return target


def class_index(classifier: Classifier, target: int | str | None) -> int | None:
    """A class given by index, by name or by a part of its name that fits one class alone; None stays None.

    An index may be any library's whole number. Text is always a name: "1" looks for a class called so. Raises
    SettingError where nothing fits, where several do, or for a target that is neither.
    """
    if target is None:
        return None
    if not isinstance(target, str):
        return _checked(target, classifier)
    folded = [label.casefold() for label in classifier.labels]
    wanted = target.strip().casefold()
    found = [i for i, label in enumerate(folded) if label == wanted]
    found = found or [i for i, label in enumerate(folded) if wanted and wanted in label]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SettingError(f"{classifier.name} knows no class whose name contains {target!r}.")
    some = ", ".join(f"{classifier.labels[i]} ({i})" for i in found[:6])
    raise SettingError(
        f"{len(found)} classes of {classifier.name} fit {target!r}: {some}; give the index or more of the name."
    )


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


def curves_view(
    classifier: Classifier,
    view: Pixels,
    saliencies: Sequence[Map],
    target: int,
    metric: str,
    settings: FaithfulnessSettings,
) -> Generator[Progress, None, tuple[Measurement, ...]]:
    """Measure maps (H×W each) of one view (H×W×3 uint8) for one class; returns one Measurement a map."""
    case = Case(_question(classifier, view, target), _maps(classifier, saliencies))
    return (yield from get_metric(metric).run(case, settings))


def judge_view(
    classifier: Classifier,
    view: Pixels,
    explanations: Sequence[Explanation],
    metrics: Sequence[str | tuple[str, Settings]],
    truth: Truth | None = None,
    seed: int = 0,
) -> Generator[Progress, None, tuple[tuple[Measurement, ...], ...]]:
    """Judge explanations of one view (H×W×3 uint8) and class by many metrics, evaluations shared between these.

    `metrics` are names, or names with settings; `truth` (H×W) is True where the object lies; `seed` is where a metric's
    own random numbers begin. Returns, in the order of `metrics`, one Measurement an explanation. Raises MethodError for
    an unknown metric, and SettingError for a map or truth that does not fit, explanations of several classes, or a
    metric that lacks the truth.
    """
    wanted = [(name, None) if isinstance(name, str) else name for name in metrics]
    requests = [_request(get_metric(name), settings) for name, settings in wanted]
    return (yield from judge(case_of(classifier, view, explanations, truth, seed), requests))


def case_of(
    classifier: Classifier,
    view: Pixels,
    explanations: Sequence[Explanation],
    truth: Truth | None = None,
    seed: int = 0,
) -> Case:
    """Explanations of one view (H×W×3 uint8) and class, ready to be judged; arguments and errors as `judge_view`'s."""
    targets = sorted({explanation.target for explanation in explanations})
    if len(targets) != 1:
        raise SettingError(f"Explanations of one class are judged together, but these are of {targets or 'none'}.")
    return Case(
        _question(classifier, view, targets[0]),
        _maps(classifier, [explanation.saliency for explanation in explanations]),
        None if truth is None else _truth(classifier, truth),
        tuple(_origin(classifier, one.method, one.settings, one.seed) for one in explanations),
        seed_of(seed),
    )


def _question(classifier: Classifier, view: Pixels, target: int) -> Question:
    return Question(classifier, to_tensor(classifier, view), _checked(target, classifier))


def _request(row: Metric, settings: Settings | None) -> Request:
    if settings is not None and not isinstance(settings, row.settings):
        raise SettingError(f"{row.title} takes {row.settings.__name__}, not {type(settings).__name__}.")
    return Request(row, settings or row.settings())


def _maps(classifier: Classifier, saliencies: Sequence[Map]) -> tuple[Map, ...]:
    for saliency in saliencies:
        if saliency.shape != classifier.input_size:
            raise SettingError(
                f"The map has shape {saliency.shape}, but {classifier.name} sees pictures of {classifier.input_size}; "
                "a map must have the size of the model's input."
            )
    return tuple(saliencies)


def _truth(classifier: Classifier, truth: Truth) -> Truth:
    given = np.asarray(truth)
    if given.shape != classifier.input_size:
        raise SettingError(
            f"The truth has shape {given.shape}, but {classifier.name} sees pictures of {classifier.input_size}; "
            "it must be a mask of the size of the model's input."
        )
    if given.dtype != np.bool_:
        raise SettingError(f"The truth must be a mask of booleans, not of {given.dtype}; give truth=mask > 0, say.")
    return given


def _origin(classifier: Classifier, method: str, settings: Settings, seed: int) -> Origin:
    """How an explanation's map came about; raises MethodError where the method cannot explain this classifier."""
    row = get_method(method)
    if obstacle := row.obstacle(classifier):
        raise MethodError(obstacle)
    return Origin(lambda question, again: row.run(question, settings, again), seed, row.cost(settings, classifier))


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
    asked = class_index(classifier, target)
    if asked is None and isinstance(saliency, Explanation):
        asked = saliency.target
    if asked is None:
        asked = int(probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))[0].argmax())
    begin = seed_of(seed) if seed is not None else made.seed if made is not None else 0
    origin = None
    if isinstance(method, str):
        origin = _origin(classifier, method, get_method(method).settings(), begin)
    elif made is not None:
        origin = _origin(classifier, made.method, made.settings, begin)
    case = Case(
        _question(classifier, view, asked),
        _maps(classifier, [_as_map(saliency)]),
        None if truth is None else _truth(classifier, truth),
        (origin,),
        begin,
    )
    found = last(judge(case, requests))
    return {request.metric.name: one.value for request, (one,) in zip(requests, found, strict=True)}


def _as_map(saliency: Map | Explanation) -> Map:
    if isinstance(saliency, Explanation):
        return saliency.saliency
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which metrics take note of
        return np.asarray(saliency, np.float32)


def _settings(row: Metric, fill: str | None, steps: int | None) -> Settings:
    """A metric's own settings, with what was given where it has it; raises SettingError for what no metric takes."""
    given = {"fill": fill, "steps": steps}
    FaithfulnessSettings.from_mapping({name: it for name, it in given.items() if it is not None})
    known = {described.name for described in row.settings.parameters()}
    return row.settings.from_mapping({name: it for name, it in given.items() if it is not None and name in known})
