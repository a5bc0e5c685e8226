"""One classifier, one method, and one picture or some classes: the maps, and how a class is named."""

from __future__ import annotations

import operator
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray

from decam.classifier import Classifier, Pixels, TorchClassifier, probabilities, to_tensor
from decam.classifier.base import called
from decam.classifier.contrast import contrast_label, contrasted
from decam.errors import MethodError, SettingError
from decam.experiments.diagnostics import flaws, remarks
from decam.explanation import (
    ClassExplanation,
    ClassMap,
    ClassQuestion,
    Explanation,
    Ledger,
    Progress,
    Question,
    Target,
    Unit,
    magnitude,
)
from decam.methods import get as get_method
from decam.methods import get_class_method
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.methods.support.layers import layer_of
from decam.methods.support.silence import silences
from decam.settings import Settings


def explain_view(
    classifier: Classifier,
    view: Pixels,
    method: str,
    settings: Settings,
    target: int | None,
    seed: int,
    clean: NDArray[np.float32] | None = None,
    against: int | None = None,
    ledger: Ledger | None = None,
) -> Generator[Progress, None, Explanation]:
    """Explain a picture that is at the classifier's input size already (H×W×3 uint8).

    Yields Progress at least once a batch and returns the Explanation; closing the generator cancels. `target` is a
    class index, None for the predicted one. `against` is the class that the target is told from; see
    `decam.classifier.contrast`. `clean` has the probabilities (C) of the unmasked picture where they have been asked
    for already; with `against` they are those of the contrast, and `target` must be given. `ledger` counts what the
    method asks: whoever gives one has the count even where the method fails. Raises MethodError where the method cannot
    explain this classifier or contrast, SettingError for a target or seed out of bounds.
    """
    row = get_method(method)
    if obstacle := row.obstacle(classifier):
        raise MethodError(obstacle)
    if not isinstance(settings, row.settings):
        raise SettingError(f"{row.title} takes {row.settings.__name__}, not {type(settings).__name__}.")
    seed = seed_of(seed)
    image = to_tensor(classifier, view)
    answers = clean_answers(classifier, view) if clean is None else clean
    if obstacle := row.obstacle(classifier):  # the first answer may have shown one
        raise MethodError(obstacle)
    target_index = int(answers.argmax()) if target is None else checked_target(target, classifier)
    label = classifier.labels[target_index]
    if against is not None:
        label = contrast_label(label, classifier.labels[checked_target(against, classifier)])
        classifier = checked_contrast(classifier, target_index, against)
        if obstacle := row.obstacle(classifier):
            raise MethodError(obstacle)
        answers = clean_answers(classifier, view) if clean is None else clean
    question = Question(classifier, image, target_index, Ledger() if ledger is None else ledger)
    began = time.perf_counter()
    for sentence in getattr(classifier, "notes", ()):
        question.ledger.note(sentence)
    saliency = yield from row.run(question, settings, seed)
    seconds = time.perf_counter() - began
    silent = () if row.family == CONTROLS else silences(question.ledger, classifier.execution.precision, image)
    sound = row.family != CONTROLS and not silent  # what else would be said of chance is chance too
    for sentence in (remarks(saliency, image) if sound else flaws(saliency)) or silent:
        question.ledger.note(sentence)
    return Explanation(
        method=method,
        saliency=saliency,
        target=target_index,
        label=label,
        probability=float(answers[target_index]),
        settings=settings,
        seed=seed,
        evaluations=question.ledger.evaluations,
        seconds=seconds,
        notes=tuple(question.ledger.notes),
        silent=bool(silent),
        rank_errors=question.ledger.rank_errors,
        fitness=question.ledger.fitness,
        against=against,
    )


def class_question(
    classifier: Classifier,
    target: Target | int | str | tuple[int | str, ...],
    seed: int = 0,
    views: Sequence[Pixels] = (),
) -> ClassQuestion:
    """A question about a class (an index or a part of its name), several at once, or a unit of a layer.

    `views` (H×W×3 uint8 each) are samples of the user's own. Raises SettingError for a class, a layer or a channel that
    does not exist, for a class that is named twice, and for a seed out of bounds.
    """
    pictures = torch.stack([to_tensor(classifier, view) for view in views]) if views else None
    if isinstance(target, Unit):
        return ClassQuestion(classifier, checked_unit(target, classifier), seed_of(seed), pictures)
    classes = target if isinstance(target, tuple) else (target,)
    indices = [class_index(classifier, one) for one in classes]
    known = tuple(index for index in indices if index is not None)
    if not known or len(known) != len(indices):
        raise SettingError("No class was given; a map of a class needs its index or its name.")
    if len(set(known)) != len(known):
        raise SettingError(f"A class is named twice in {target!r}; name each once.")
    return ClassQuestion(classifier, known, seed_of(seed), pictures)


def explain_classes(
    questions: Sequence[ClassQuestion], method: str, settings: Settings
) -> Generator[tuple[int, Progress | ClassExplanation], None, tuple[ClassExplanation, ...]]:
    """Answer questions about classes of one classifier together; returns the explanations in their order.

    Yields each question's place with its Progress and, as soon as it is there, with its explanation; closing the
    generator cancels. The seconds of the maps add up to those of the call (`_Seconds`). Raises MethodError where the
    method cannot explain this classifier, and SettingError for settings of another method.
    """
    row = get_class_method(method)
    classifier = questions[0].classifier
    if obstacle := row.obstacle(classifier):
        offered = get_class_method(row.instead) if row.instead else None
        hint = f" Choose {offered.title}, which asks for answers only." if offered else ""
        raise MethodError(f"{obstacle}{hint}")
    if not isinstance(settings, row.settings):
        raise SettingError(f"{row.title} takes {row.settings.__name__}, not {type(settings).__name__}.")
    for sentence in getattr(classifier, "notes", ()):
        for question in questions:
            question.ledger.note(sentence)
    seconds = _Seconds()
    made: dict[int, ClassExplanation] = {}
    with closing(row.run(questions, settings)) as steps:
        for place, event in steps:
            if isinstance(event, Progress):
                seconds.progressed(place)
                yield place, event
                continue
            made[place] = _class_explanation(questions[place], event, row.name, settings, seconds.of(place))
            yield place, made[place]
    return tuple(made[place] for place in range(len(questions)))


class _Seconds:
    """Shares out the seconds of a call among its maps, by their places.

    A map has the time since the map before it came. Questions that were worked on side by side meanwhile, as their
    progress tells, share it evenly; what came after the last progress is the map's own.
    """

    def __init__(self) -> None:
        self._before = self._latest = time.perf_counter()
        self._working: set[int] = set()
        self._shares: dict[int, float] = defaultdict(float)

    def progressed(self, place: int) -> None:
        """A question was worked on."""
        self._latest = time.perf_counter()
        self._working.add(place)

    def of(self, place: int) -> float:
        """The seconds of a map that has just come."""
        for one in self._working:
            self._shares[one] += (self._latest - self._before) / len(self._working)
        now = time.perf_counter()
        self._shares[place] += now - self._latest
        self._before = self._latest = now
        self._working = set()
        return self._shares[place]


def _class_explanation(
    question: ClassQuestion, found: ClassMap, method: str, settings: Settings, seconds: float
) -> ClassExplanation:
    saliency = magnitude(found.pattern)
    for sentence in flaws(saliency):
        question.ledger.note(sentence)
    target, classifier = question.target, question.classifier
    return ClassExplanation(
        method=method,
        saliency=saliency,
        target=target.channel if isinstance(target, Unit) else target[0],
        label=str(target) if isinstance(target, Unit) else " + ".join(classifier.labels[one] for one in target),
        probability=found.fidelity,
        settings=settings,
        seed=question.seed,
        evaluations=question.ledger.evaluations,
        seconds=seconds,
        notes=tuple(question.ledger.notes),
        map=found.pattern,
        baseline=found.baseline,
        control=found.control,
        norm=found.norm,
        cost=found.cost,
    )


def clean_answers(classifier: Classifier, view: Pixels) -> NDArray[np.float32]:
    """The probabilities (C) of a view as it is: one evaluation."""
    image = to_tensor(classifier, view)
    return probabilities(classifier, image.unsqueeze(0))[0].cpu().numpy().astype(np.float32)


def checked_target(given: object, classifier: Classifier) -> int:
    target = _whole(given)
    if target is None:
        raise SettingError(
            f"The target is {given!r}, but must be one class: its index (a whole number), its name, or None for the "
            "prediction."
        )
    if not 0 <= target < len(classifier.labels):
        raise SettingError(
            f"Class {target} does not exist: {called(classifier)} knows classes 0 to {len(classifier.labels) - 1}."
        )
    return target


def checked_contrast(classifier: Classifier, target: int, against: int) -> Classifier:
    """The classifier asked about `target` rather than `against`; raises SettingError for no class, or for one twice."""
    if checked_target(against, classifier) == target:
        raise SettingError(
            f"{classifier.labels[target]} is what is asked about, and cannot be told from itself; name another class."
        )
    return contrasted(classifier, target, against)


def checked_unit(unit: Unit, classifier: Classifier) -> Unit:
    """The unit, where the classifier has its layer; raises SettingError where there is none of that name.

    How many channels the layer has is found when the model is asked.
    """
    if not isinstance(classifier, TorchClassifier):
        raise SettingError(f"{called(classifier)} is a function, so it has no layer {unit.layer!r}; ask about a class.")
    if unit.channel < 0:
        raise SettingError(f"The channel is {unit.channel}, but channels are counted from 0.")
    return Unit(layer_of(classifier, unit.layer), unit.channel)


def class_index(classifier: Classifier, target: int | str | None) -> int | None:
    """A class given by index, by name or by a part of its name that fits one class alone; None stays None.

    An index may be any library's whole number. Text is always a name: "1" looks for a class called so. Raises
    SettingError where nothing fits, where several do, or for a target that is neither.
    """
    if target is None:
        return None
    if not isinstance(target, str):
        return checked_target(target, classifier)
    folded = [label.casefold() for label in classifier.labels]
    wanted = target.strip().casefold()
    found = [i for i, label in enumerate(folded) if label == wanted]
    found = found or [i for i, label in enumerate(folded) if wanted and wanted in label]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SettingError(f"{called(classifier)} knows no class whose name contains {target!r}.")
    some = ", ".join(f"{classifier.labels[i]} ({i})" for i in found[:6])
    raise SettingError(
        f"{len(found)} classes of {called(classifier)} fit {target!r}: {some}; give the index or more of the name."
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
