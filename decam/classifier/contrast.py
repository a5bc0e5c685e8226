"""Why this class and not that one: a classifier that is asked about the difference of two classes alone."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from decam.classifier.base import Classifier
from decam.classifier.torch_classifier import TorchClassifier


class ContrastedAnswers:
    """A classifier whose answers are those of `odds_of_probabilities`; everything else is the classifier's own."""

    def __init__(self, classifier: Classifier, target: int, against: int) -> None:
        self._classifier = classifier
        self.contrast = (target, against)

    def __getattr__(self, name: str) -> Any:
        """What the classifier itself has under this name."""
        return getattr(self._classifier, name)

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pictures to N×C: how likely the one class is if it is one of the two, and the other."""
        return odds_of_probabilities(self._classifier.answer(normalised), *self.contrast)


def contrasted(classifier: Classifier, target: int, against: int) -> Classifier:
    """The classifier asked why it is `target` rather than `against`, two of its classes.

    Its logit of `target` is the difference y_target − y_against, that of `against` the negative, and those of the
    others are 0. Its probability of `target` is the sigmoid of that difference, so that the difference is its log odds:
    for classes that exclude each other, p_target / (p_target + p_against), which no third class can change. The others
    have 0. All classes keep their places. What is computed, and the weights, are the classifier's own.

    Of a black box only probabilities are known, and the difference is that of their logarithms.
    """
    if isinstance(classifier, TorchClassifier):
        return classifier.contrasted(target, against)
    return cast(Classifier, ContrastedAnswers(classifier, target, against))


def odds_of_probabilities(probabilities: Tensor, target: int, against: int) -> Tensor:
    """N×C probabilities to those of two classes among themselves, 0 for the others; a half each where both are 0."""
    pair = probabilities[:, [target, against]].cpu().double().clamp_min(0)  # not every device has float64
    total = pair.sum(1, keepdim=True)
    shares = torch.where(total > 0, pair / total.clamp_min(torch.finfo(torch.float64).tiny), 0.5)
    found = torch.zeros_like(probabilities, dtype=torch.float32)
    found[:, [target, against]] = shares.float().to(found.device)
    return found


def contrast_label(target: str, against: str) -> str:
    """How a contrast of two classes is called."""
    return f"{target} rather than {against}"
