"""A control that any method can be put to: the same method asks a model that has forgotten all it learnt."""

from __future__ import annotations

from dataclasses import dataclass

from decam.classifier import Classifier, probabilities
from decam.explanation import Question, Steps
from decam.methods.base import Method
from decam.methods.controls import FAMILY
from decam.methods.whitebox import white_box
from decam.models.randomise import layers, randomised
from decam.settings import Settings, parameter

METHODS_OFFERED = (
    *("grad-cam", "layer-cam", "score-cam", "gradient", "integrated-gradients", "smoothgrad"),
    *("de-cam", "rise", "occlusion", "lime", "kernel-shap"),
)


@dataclass(frozen=True)
class UntrainedSettings(Settings):
    """Which method asks."""

    method: str = parameter(
        "grad-cam",
        "The method that explains the model with random weights, at its own defaults.",
        choices=METHODS_OFFERED,
    )


def untrained(question: Question, settings: UntrainedSettings, seed: int) -> Steps:
    """The method's map of the same picture from the same network with all weights drawn anew.

    Asked about the class that this network answers: its classes mean nothing, and a class that it holds for impossible
    has an empty map in many methods.
    """
    classifier = white_box(question)
    forgetful = classifier.around(randomised(classifier.module, layers(classifier.module), seed))
    answer = int(probabilities(forgetful, question.image.unsqueeze(0))[0].argmax())
    question.ledger.evaluations += 1
    asked = _method(settings)
    inner = Question(forgetful, question.image, answer, question.ledger)
    return (yield from asked.run(inner, asked.settings(), seed))


def _method(settings: UntrainedSettings) -> Method:
    from decam.methods import METHODS  # the table that this method is a row of

    return METHODS[settings.method]


def _cost(settings: UntrainedSettings, classifier: Classifier) -> int:
    asked = _method(settings)
    return asked.cost(asked.settings(), classifier) + 1


UNTRAINED = Method(
    name="untrained",
    title="Random weights",
    family=FAMILY,
    summary="A method's map from the same network with random weights: what does not change was never the model's.",
    formula=r"M_{c'}(x; \theta'), \quad \theta' \sim \mathcal{N}(0, \overline{\theta^2}), "
    r"\quad c' = \arg\max_c y^c(x; \theta')",
    reference="Adebayo et al., Sanity Checks for Saliency Maps (2018)",
    url="https://arxiv.org/abs/1810.03292",
    strengths="Shows how much of a map is the picture and the architecture alone.",
    misleads="A map that differs may still be wrong: the check can only fail a method.",
    needs=frozenset({"gradients", "activations"}),
    signed=False,
    settings=UntrainedSettings,
    run=untrained,
    cost=_cost,
)
