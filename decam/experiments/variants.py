"""Models that differ from the one that was trained: weights drawn anew, or learned from shuffled labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from decam.classifier import Classifier, TorchClassifier
from decam.classifier.base import called
from decam.errors import MethodError, ModelError, SettingError, unknown
from decam.experiments.execute import Models
from decam.experiments.plan import Plan
from decam.experiments.questions import MODES, Mode, ModelSpec, Variant
from decam.models.catalogue import digest, find, label_shuffled_version
from decam.models.randomise import Stage, randomised, stages

LABELS = "shuffled labels"


def _cascading(pieces: Sequence[Stage]) -> Iterator[tuple[str, Sequence[Stage]]]:
    for count, piece in enumerate(pieces, start=1):
        yield piece.name, pieces[:count]


def _independent(pieces: Sequence[Stage]) -> Iterator[tuple[str, Sequence[Stage]]]:
    for piece in pieces:
        yield piece.name, [piece]


_DRAWN: dict[str, Callable[[Sequence[Stage]], Iterator[tuple[str, Sequence[Stage]]]]] = {
    "cascading": _cascading,
    "independent": _independent,
}
"""From a network's stages, the output's first, to names and the stages that are drawn anew together."""


def variants(classifier: Classifier, mode: Mode, seed: int = 0) -> tuple[Variant, ...]:
    """The variants that a model is set against, in their order.

    "cascading" draws the weights of stage after stage anew from the output to the input, "independent" one stage at a
    time with the others as they were, "labels" takes the same network trained on shuffled labels (Adebayo et al. 2018,
    sections 3.1 and 3.2). Raises SettingError for an unknown mode and MethodError where the model is no PyTorch model.
    """
    if mode not in MODES:
        raise SettingError(unknown("randomisation", mode, MODES))
    if mode == "labels":
        return (Variant(mode, LABELS, 1.0, seed),)
    pieces = _stages(classifier)
    total = sum(piece.weights for piece in pieces)
    return tuple(
        Variant(mode, name, sum(piece.weights for piece in group) / total, seed) for name, group in _DRAWN[mode](pieces)
    )


def mode_of(plan: Plan) -> Mode:
    """How the variants of a plan differ from the original."""
    return next(variant.mode for variant in variants_of(plan))


def variants_of(plan: Plan) -> tuple[Variant, ...]:
    """The variants of a plan, in the order of its questions."""
    return tuple(question.model.variant for question in plan.questions if question.model.variant is not None)


def _stages(classifier: Classifier) -> tuple[Stage, ...]:
    if not isinstance(classifier, TorchClassifier):
        raise MethodError(f"Weights can only be drawn anew in a PyTorch model, and {called(classifier)} is none.")
    if classifier.closed:
        raise MethodError(f"The weights of {called(classifier)} cannot be drawn anew: {classifier.closed}.")
    with classifier.lock.shared():
        return stages(classifier.module, classifier.input_size, classifier.inspection.channels)


def models_by(load: Callable[[str], Classifier]) -> Models:
    """A function from specs to models, given one that loads models by name; variants are made anew each time.

    It raises what `load` raises, ModelError where the weights are not those of the spec, MethodError where weights
    cannot be drawn anew, and SettingError for a stage that the model does not have.
    """

    def model(spec: ModelSpec) -> Classifier:
        variant = spec.variant
        _check_weights(spec)
        if variant is None:
            return load(spec.name)
        if variant.mode == "labels":
            shuffled = label_shuffled_version(spec.name)
            if shuffled is None:
                raise SettingError(f"There is no {spec.name} trained on shuffled labels here.")
            return load(shuffled)
        return _drawn_anew(load(spec.name), variant)

    return model


def _check_weights(spec: ModelSpec) -> None:
    """Raise ModelError where other weights are here than those of the spec; what is missing is told by who loads it."""
    entry = find(spec.name) if spec.sha256 else None
    if entry is None:
        return
    found = digest(spec.name)
    published = not found and bool(entry.url) and entry.present()  # whose name says which it is
    if published or (found and found != spec.sha256):
        begins = f"begins with {found[:12]}" if found else "is the one that its name says,"
        raise ModelError(
            f"{spec.name} is not the file of weights that was explained: its SHA-256 {begins} instead of "
            f"{spec.sha256[:12]}; put back the file of that time."
        )


def _drawn_anew(classifier: Classifier, variant: Variant) -> Classifier:
    groups = dict(_DRAWN[variant.mode](_stages(classifier)))
    if variant.stage not in groups:
        raise SettingError(
            f"{called(classifier)} has no stage {variant.stage!r}; it has: {', '.join(groups)}. Make the check again."
        )
    chosen = frozenset(layer for piece in groups[variant.stage] for layer in piece.layers)
    if not isinstance(classifier, TorchClassifier):
        raise MethodError(f"Weights can only be drawn anew in a PyTorch model, and {called(classifier)} is none.")
    return classifier.with_module(randomised(classifier.module, chosen, variant.seed))
