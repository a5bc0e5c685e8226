"""Asking and measuring from Python: one picture, one classifier, one method."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.checks import flaws, remarks
from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.errors import MethodError, SettingError
from decam.explanation import Explanation, Map, Progress, Question
from decam.images.reading import to_picture
from decam.methods import get as get_method
from decam.methods.controls import FAMILY as CONTROLS
from decam.metrics import FaithfulnessSettings, Measurement
from decam.metrics import get as get_metric
from decam.settings import Settings

Source: TypeAlias = str | Path | Image.Image | NDArray[Any]
T = TypeVar("T")


def last(steps: Generator[Progress, None, T]) -> T:
    """What a generator of progress returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


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
    if not 0 <= seed < 2**63:
        raise SettingError(f"The seed is {seed}, but must lie between 0 and 2^63 − 1.")
    image = to_tensor(classifier, view)
    answers = probabilities(classifier, image.unsqueeze(0))[0]
    asked = int(answers.argmax()) if target is None else _checked(target, classifier)
    question = Question(classifier, image, asked)
    began = time.perf_counter()
    saliency = yield from row.run(question, settings, seed)
    seconds = time.perf_counter() - began
    for sentence in flaws(saliency) if row.family == CONTROLS else remarks(saliency, image):
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
    )


def _checked(target: int, classifier: Classifier) -> int:
    if not 0 <= target < len(classifier.labels):
        raise SettingError(
            f"Class {target} does not exist: {classifier.name} knows classes 0 to {len(classifier.labels) - 1}."
        )
    return target


def class_index(classifier: Classifier, target: int | str | None) -> int | None:
    """A class given by index, by name or by a part of its name that fits one class alone; None stays None.

    Raises SettingError where nothing fits or several do.
    """
    if target is None:
        return None
    if not isinstance(target, str):
        return _checked(int(target), classifier)
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
    for saliency in saliencies:
        if saliency.shape != classifier.input_size:
            raise SettingError(
                f"The map has shape {saliency.shape}, but {classifier.name} sees pictures of {classifier.input_size}; "
                "a map must have the size of the model's input."
            )
    question = Question(classifier, to_tensor(classifier, view), _checked(target, classifier))
    finite = [np.nan_to_num(saliency, nan=-np.inf) for saliency in saliencies]
    return (yield from get_metric(metric).run(question, finite, settings))


def measure(
    classifier: Classifier,
    image: Source,
    saliency: Map,
    *,
    target: int | str | None = None,
    metrics: Iterable[str] = ("deletion", "insertion"),
    fill: str | None = None,
    steps: int | None = None,
) -> dict[str, float]:
    """The values of metrics for one map: {"deletion": …, "insertion": …}, each in [0, 1].

    `saliency` is H×W at the model's input size; `target` as in `explain`; `fill` is one of blur, mean, black, noise
    (each metric's own where not given: deletion by mean, insertion from blur), `steps` the number of equal shares
    (50). Raises SettingError and MethodError with a sentence.
    """
    view = classifier.view(to_picture(image))
    asked = class_index(classifier, target)
    if asked is None:
        asked = int(probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))[0].argmax())
    values = {}
    for name in metrics:
        row = get_metric(name)
        given = {"fill": fill or row.fill} | ({} if steps is None else {"steps": steps})
        settings = FaithfulnessSettings.from_mapping(given)
        (measurement,) = last(curves_view(classifier, view, [np.asarray(saliency, np.float32)], asked, name, settings))
        values[name] = measurement.value
    return values
