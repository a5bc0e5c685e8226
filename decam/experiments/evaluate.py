"""Maps of one question, made ready to be measured, and measured."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from decam.classifier import Classifier, Pixels, to_tensor
from decam.classifier.base import called
from decam.errors import MethodError, SettingError
from decam.experiments.explain import checked_contrast, checked_target, seed_of
from decam.explanation import Explanation, Map, Progress, Question, Truth
from decam.methods import get as get_method
from decam.metrics import Case, FaithfulnessSettings, Measurement, Origin
from decam.metrics import get as get_metric
from decam.settings import Settings


def curves_view(
    classifier: Classifier,
    view: Pixels,
    saliencies: Sequence[Map],
    target: int,
    metric: str,
    settings: FaithfulnessSettings,
) -> Generator[Progress, None, tuple[Measurement, ...]]:
    """Measure maps (H×W each) of one view (H×W×3 uint8) for one class; returns one Measurement a map."""
    case = Case(question_of(classifier, view, target), checked_maps(classifier, saliencies))
    return (yield from get_metric(metric).measured(case, settings))


def case_of(
    classifier: Classifier,
    view: Pixels,
    explanations: Sequence[Explanation],
    truth: Truth | None = None,
    seed: int = 0,
) -> Case:
    """Explanations of one view (H×W×3 uint8) and class, ready to be measured together.

    `truth` (H×W) is True where the object lies; `seed` is where a metric's own random numbers begin. Raises
    SettingError for a map or truth that does not fit and for explanations of several classes, MethodError where a
    method cannot explain this classifier.
    """
    asked = {(explanation.target, explanation.against) for explanation in explanations}
    if len(asked) != 1:
        told = sorted({explanation.label for explanation in explanations})
        raise SettingError(f"Explanations of one class are measured together, but these are of {told or 'none'}.")
    return Case(
        question_of(classifier, view, *asked.pop()),
        checked_maps(classifier, [explanation.saliency for explanation in explanations]),
        None if truth is None else checked_truth(classifier, truth),
        tuple(origin_of(classifier, one.method, one.settings, one.seed) for one in explanations),
        seed_of(seed),
    )


def question_of(classifier: Classifier, view: Pixels, target: int, against: int | None = None) -> Question:
    """The question about a class, or about one rather than another (`against`)."""
    index = checked_target(target, classifier)
    asked = classifier if against is None else checked_contrast(classifier, index, against)
    return Question(asked, to_tensor(classifier, view), index)


def checked_maps(classifier: Classifier, saliencies: Sequence[Map]) -> tuple[Map, ...]:
    for saliency in saliencies:
        if saliency.shape != classifier.input_size:
            raise SettingError(
                f"The map has shape {saliency.shape}, but {called(classifier)} sees images of "
                f"{classifier.input_size}; a map must have the size of the model's input."
            )
    return tuple(saliencies)


def checked_truth(classifier: Classifier, truth: Truth) -> Truth:
    mask = np.asarray(truth)
    if mask.shape != classifier.input_size:
        raise SettingError(
            f"The truth has shape {mask.shape}, but {called(classifier)} sees images of {classifier.input_size}; "
            "it must be a mask of the size of the model's input."
        )
    if mask.dtype != np.bool_:
        raise SettingError(f"The truth must be a mask of booleans, not of {mask.dtype}; give truth=mask > 0, say.")
    return mask


def origin_of(classifier: Classifier, method: str, settings: Settings, seed: int) -> Origin:
    """How an explanation's map came about; raises MethodError where the method cannot explain this classifier."""
    row = get_method(method)
    if obstacle := row.obstacle(classifier):
        raise MethodError(obstacle)
    return Origin(lambda question, again: row.run(question, settings, again), seed, row.cost(settings, classifier))
