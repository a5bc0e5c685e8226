"""A control that any method can be put to: the same method asks a model that has forgotten all it learned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from decam.classifier import Classifier, probabilities
from decam.errors import MethodError
from decam.explanation import Question, Steps
from decam.methods.base import Method
from decam.methods.controls.maps import FAMILY
from decam.methods.support.white_box import white_box
from decam.models.randomise import layers, randomised
from decam.settings import Parameter, Settings, parameter


@dataclass(frozen=True)
class UntrainedSettings(Settings):
    """Which method asks."""

    of: str = parameter(
        "grad-cam",
        "The method that explains the model with random weights, at its own defaults.",
        title="method",
        earlier="method",
    )

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The methods to choose from are those of the table that are no controls."""
        (of,) = super().parameters()
        return (replace(of, choices=tuple(_offered())),)


def untrained(question: Question, settings: UntrainedSettings, seed: int) -> Steps:
    """The method's map of the same picture (H×W) from the same network with all weights drawn anew.

    Signed methods give absolute values. The target is the randomised network's own prediction, because many methods
    give an empty map for a class with probability near 0. Raises MethodError if the method cannot explain this network.
    """
    classifier = white_box(question)
    forgetful = classifier.with_module(randomised(classifier.module, layers(classifier.module), seed))
    answer = int(probabilities(forgetful, question.image.unsqueeze(0))[0].argmax())
    question.ledger.evaluations += 1
    method = _offered()[settings.of]
    if obstacle := method.obstacle(forgetful):
        raise MethodError(obstacle)
    inner = Question(forgetful, question.image, answer, question.ledger)
    saliency = yield from method.run(inner, method.settings(), seed)
    return np.abs(saliency) if method.signed else saliency


def _offered() -> dict[str, Method]:
    from decam.methods import METHODS  # the table that this method is a row of

    return {name: method for name, method in METHODS.items() if method.family != FAMILY}


def _cost(settings: UntrainedSettings, classifier: Classifier) -> int:
    method = _offered()[settings.of]
    return method.cost(method.settings(), classifier) + 1


UNTRAINED = Method(
    name="untrained",
    title="Random weights",
    family=FAMILY,
    summary=(
        "The method's map from the same network with random weights. What stays the same does not come from the model."
    ),
    formula=r"|M_{c'}(x; \theta')|, \quad \theta' \sim \mathcal{N}(0, \overline{\theta^2}), "
    r"\quad c' = \arg\max_c y^c(x; \theta')",
    reference="Adebayo et al., Sanity Checks for Saliency Maps (2018)",
    url="https://arxiv.org/abs/1810.03292",
    strengths="Shows how much of a map is the image and the architecture alone.",
    misleads="A map that differs may still be wrong: the check can only fail a method. Biases and factors keep their "
    "mean and deviation, and batch normalisation its running averages.",
    needs=frozenset({"gradients", "activations"}),
    signed=False,
    settings=UntrainedSettings,
    run=untrained,
    cost=_cost,
)
