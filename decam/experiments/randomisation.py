"""Sanity checks of methods: does a map change when the model forgets what it learnt? (Adebayo et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from torch import Tensor

from decam.classifier import Classifier, Pixels, TorchClassifier, probabilities, to_tensor
from decam.errors import MethodError, SettingError
from decam.experiments.explain import class_index, explain_view
from decam.experiments.failures import sentence_for
from decam.experiments.plan import MethodChoice
from decam.experiments.randomisation_result import (
    Begun,
    Compared,
    Event,
    Failed,
    Floor,
    Likeness,
    Original,
    Sanity,
    Variant,
    Working,
)
from decam.explanation import Map, Progress, Question, last, relayed
from decam.methods import get as get_method
from decam.methods.controls.maps import CENTRE, EDGES, RANDOM
from decam.metrics.similarity import SIMILARITIES, matrix_of
from decam.models.randomise import Stage, randomised, stages

DRAWS = 5


Events: TypeAlias = Generator[Event, None, Sanity]
# What is set against the original: each variant with a function that makes its model.
Makers: TypeAlias = Sequence[tuple[Variant, Callable[[], TorchClassifier]]]


def sanity(
    classifier: Classifier,
    view: Pixels,
    methods: Sequence[MethodChoice],
    target: int | None = None,
    seed: int = 0,
    mode: str = "cascading",
) -> Events:
    """Make each method's map again while the model's weights are drawn anew, and compare with the original map.

    `view` is H×W×3 uint8, `target` None for the predicted class, which is asked about throughout; `seed` is for the
    methods and for the weights. `mode` "cascading" forgets stage after stage from the output to the input,
    "independent" one stage at a time with the others as they were (Adebayo et al. 2018, section 3.1). Yields events
    and returns what they add up to; closing the generator cancels. The classifier is left as it was. Raises
    MethodError where it is no PyTorch model, SettingError for an unknown mode.
    """
    if mode not in MODES:
        raise SettingError(f"There is no sanity check {mode!r}; there are: {', '.join(MODES)}.")
    if not isinstance(classifier, TorchClassifier):
        raise MethodError(f"Weights can only be drawn anew in a PyTorch model, and {classifier.name} is none.")
    if classifier.closed:
        raise MethodError(f"The weights of {classifier.name} cannot be drawn anew: {classifier.closed}.")
    module = classifier.module
    with classifier.lock.shared():
        pieces = stages(module, classifier.input_size, classifier.inspection.channels)
    total = sum(piece.weights for piece in pieces)
    makers = []
    for name, group in MODES[mode](pieces):
        chosen = frozenset(layer for piece in group for layer in piece.layers)
        variant = Variant(name, sum(piece.weights for piece in group) / total)
        makers.append((variant, _maker(classifier, chosen, seed)))
    return (yield from _against(classifier, makers, view, methods, target, seed))


def random_labels(
    classifier: Classifier,
    other: TorchClassifier,
    view: Pixels,
    methods: Sequence[MethodChoice],
    target: int | None = None,
    seed: int = 0,
) -> Events:
    """Compare each method's map with its map from `other`, the same network trained on shuffled labels.

    Everything else as in `sanity` (Adebayo et al. 2018, section 3.2). Raises SettingError where the two models do not
    see pictures of one size or do not know as many classes.
    """
    if (other.input_size, len(other.labels)) != (classifier.input_size, len(classifier.labels)):
        raise SettingError(
            f"{other.name} does not see and name the same pictures as {classifier.name}; "
            "give the same network, trained on shuffled labels."
        )
    makers: Makers = [(Variant("shuffled labels", 1.0), lambda: other)]
    return (yield from _against(classifier, makers, view, methods, target, seed))


def _cascading(pieces: Sequence[Stage]) -> Iterator[tuple[str, Sequence[Stage]]]:
    for count, piece in enumerate(pieces, start=1):
        yield piece.name, pieces[:count]


def _independent(pieces: Sequence[Stage]) -> Iterator[tuple[str, Sequence[Stage]]]:
    for piece in pieces:
        yield piece.name, [piece]


# From a network's stages, the output's first, to names and the stages that are drawn anew together.
MODES: dict[str, Callable[[Sequence[Stage]], Iterator[tuple[str, Sequence[Stage]]]]] = {
    "cascading": _cascading,
    "independent": _independent,
}


def _maker(classifier: TorchClassifier, chosen: frozenset[str], seed: int) -> Callable[[], TorchClassifier]:
    return lambda: classifier.around(randomised(classifier.module, chosen, seed))


def _against(
    classifier: Classifier,
    makers: Makers,
    view: Pixels,
    methods: Sequence[MethodChoice],
    target: int | None,
    seed: int,
) -> Events:
    """Each method's map from the original, then variant by variant, so that one more model at a time is held."""
    if not methods:
        raise SettingError("A sanity check needs at least one method.")
    class_index(classifier, target)  # a class that does not exist is refused before anything is made
    image = to_tensor(classifier, view)
    asked = int(probabilities(classifier, image.unsqueeze(0))[0].argmax()) if target is None else target
    titles = tuple(get_method(choice.name).title for choice in methods)
    begun = Begun(titles, tuple(variant for variant, _ in makers), asked, classifier.labels[asked])
    yield begun
    found = Sanity().after(begun)
    controls = _controls(classifier, image, asked)
    for method, choice in enumerate(methods):
        try:
            steps = explain_view(classifier, view, choice.name, choice.settings, asked, seed)
            explanation = yield from relayed(steps, _reporter(method, None, found))
            event: Event = Original(method, explanation, _floors(explanation.saliency, controls))
        except Exception as error:  # noqa: BLE001 - whatever a method raises ends this method only
            event = Failed(method, None, sentence_for(error, titles[method]))
        yield event
        found = found.after(event)
    for variant, (_, make) in enumerate(makers):
        model: TorchClassifier | None = None
        for original in found.originals:
            method, choice = original.method, methods[original.method]
            try:
                model = model or make()
                steps = explain_view(model, view, choice.name, choice.settings, asked, seed)
                explanation = yield from relayed(steps, _reporter(method, variant, found))
                (likeness,) = _likenesses(original.explanation.saliency, [explanation.saliency])
                event = Compared(method, variant, explanation, likeness)
            except Exception as error:  # noqa: BLE001 - whatever a method raises on this variant ends this map only
                event = Failed(method, variant, sentence_for(error, titles[method]))
            yield event
            found = found.after(event)
    return found


def _reporter(method: int, variant: int | None, found: Sanity) -> Callable[[Progress], Sequence[Event]]:
    """Turn a method's progress into that of the whole check; a method that failed at first is done with."""
    each = 1 + len(found.variants)
    lost = sum(failure.variant is None for failure in found.failures) * (each - 1)
    done, total = len(found.originals) + len(found.compared) + len(found.failures) + lost, each * len(found.methods)
    return lambda progress: [Working(method, variant, done, total, progress)]


def _controls(classifier: Classifier, image: Tensor, target: int) -> Sequence[tuple[str, Sequence[Map]]]:
    """The controls' titles and maps, at their own settings."""
    question = Question(classifier, image, target)
    return [
        (control.title, [last(control.run(question, control.settings(), seed)) for seed in range(draws)])
        for control, draws in ((RANDOM, DRAWS), (CENTRE, 1), (EDGES, 1))
    ]


def _floors(saliency: Map, controls: Sequence[tuple[str, Sequence[Map]]]) -> tuple[Floor, ...]:
    every = iter(_likenesses(saliency, [drawn for _, maps in controls for drawn in maps]))
    return tuple(Floor(title, _mean([next(every) for _ in maps])) for title, maps in controls)


def _mean(many: Sequence[Likeness]) -> Likeness:
    def over(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {name: float(np.mean([values[name] for values in each])) for name in each[0]}

    return Likeness(over([one.plain for one in many]), over([one.absolute for one in many]))


def _likenesses(saliency: Map, others: Sequence[Map]) -> list[Likeness]:
    """One map against each of others, by every measure."""
    maps = [saliency, *others]
    plain = {name: matrix_of(measure, maps)[0, 1:] for name, measure in SIMILARITIES.items()}
    signed = any(one.size and np.nanmin(one) < 0 for one in maps)
    absolute = (
        {name: matrix_of(measure, maps, absolute=True)[0, 1:] for name, measure in SIMILARITIES.items()}
        if signed
        else plain
    )
    return [
        Likeness(
            {name: float(values[number]) for name, values in plain.items()},
            {name: float(values[number]) for name, values in absolute.items()},
        )
        for number in range(len(others))
    ]
