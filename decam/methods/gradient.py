"""Methods that follow the class score's gradient back to the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from decam.classifier import Classifier, TorchClassifier
from decam.errors import MethodError, ModelError
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS, fill, is_memory
from decam.methods.base import Method
from decam.methods.bridge import Beat, watched
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class IntegratedGradientsSettings(Settings):
    """The path that is integrated along."""

    steps: int = parameter(
        32, "Points on the straight path from baseline to picture, one evaluation each.", low=4, high=500
    )
    baseline: str = parameter("mean", "Where the path begins: the picture that stands for nothing.", choices=FILLS)
    absolute: bool = parameter(
        False, "Sum the channels' magnitudes: what mattered, whether it spoke for or against the class."
    )


def integrated_gradients(question: Question, settings: IntegratedGradientsSettings, seed: int) -> Steps:
    """Captum's IntegratedGradients on the target's logit, summed over the channels: signed, or of magnitudes.

    Sundararajan, Taly and Yan (2017), eq. 1, by Gauss–Legendre quadrature.
    """
    classifier = question.classifier
    if not isinstance(classifier, TorchClassifier):
        raise MethodError(f"Integrated Gradients needs a PyTorch model, and {classifier.name} is none.")
    baseline = fill(settings.baseline, question.image, classifier.mean, seed)
    # A backward pass costs about twice a forward pass, and memory for all activations.
    batch = max(1, classifier.speed.batch_size // 3)
    while True:
        try:
            attributed = yield from watched(
                partial(_attribute, classifier, question, baseline, settings.steps, batch),
                question.ledger,
                settings.steps,
            )
            break
        except (RuntimeError, MemoryError) as error:
            if not is_memory(error):
                raise
            if batch == 1:
                raise ModelError(
                    f"There is not enough memory for a gradient of {classifier.name}; choose a smaller model."
                ) from error
            batch //= 2
            question.ledger.note(f"Memory ran short, so the batch was halved to {batch} and tried again.")
    channels = attributed.abs() if settings.absolute else attributed
    saliency: Map = channels[0].sum(0).detach().cpu().numpy().astype(np.float32)
    return saliency


def _attribute(
    classifier: TorchClassifier, question: Question, baseline: Tensor, steps: int, batch: int, beat: Beat
) -> Tensor:
    def logits(images: Tensor) -> Tensor:
        with classifier.lock.shared():
            answers = classifier.logits(classifier.normalise(images))
        question.ledger.evaluations += len(images)
        beat()
        return answers

    with torch.enable_grad():
        attributed: Tensor = IntegratedGradients(logits).attribute(
            question.image.unsqueeze(0),
            baselines=baseline.unsqueeze(0),
            target=question.target,
            n_steps=steps,
            internal_batch_size=batch,
        )
    return attributed


def _cost(settings: IntegratedGradientsSettings, classifier: Classifier) -> int:
    del classifier
    return settings.steps


INTEGRATED_GRADIENTS = Method(
    name="integrated-gradients",
    title="Integrated Gradients",
    family="gradient",
    summary="Adds up the gradient on the way from an empty picture to this one; pixels for and against the class.",
    reference="Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (2017)",
    url="https://arxiv.org/abs/1703.01365",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=IntegratedGradientsSettings,
    run=integrated_gradients,
    cost=_cost,
    default=True,
)
