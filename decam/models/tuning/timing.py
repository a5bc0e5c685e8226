"""How long a model takes to answer, how much it computes, and the pictures it is asked about meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from PIL import Image
from torch import Tensor, nn

from decam.classifier import EAGER, TorchClassifier, to_tensor
from decam.errors import ModelError
from decam.hardware import device
from decam.hardware.parallel_batches import side_by_side
from decam.images.scenes import scene
from decam.models.tuning.choices import Round


def timed(classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1) -> tuple[float, Tensor]:
    """Seconds for some batches, and the last one's answers; raises ModelError where another engine would give them."""
    if classifier.execution.engine != EAGER:
        classifier.answer(batches[0])  # recorded or converted before the clock starts
        if classifier.engine_note:
            raise ModelError(classifier.engine_note)
    device.synchronise(classifier.device)
    start = time.perf_counter()
    answers = list(side_by_side(classifier.answer, batches, parallel_batches))
    device.synchronise(classifier.device)
    return time.perf_counter() - start, answers[-1]


def together(classifier: TorchClassifier, pictures: Tensor, candidate: Round, rounds: int = 2) -> float:
    """Seconds that a round takes, from so many in a row."""
    classifier.configure(replace(classifier.execution, batch_size=candidate.size))
    batch = pictures.repeat(-(-candidate.size // len(pictures)), 1, 1, 1)[: candidate.size]
    return timed(classifier, [batch] * (rounds * candidate.parallel_batches), candidate.parallel_batches)[0] / rounds


def cores(classifier: TorchClassifier) -> int:
    """How many batches may be asked side by side: one a core, where the model runs on cores."""
    return torch.get_num_threads() if classifier.device.type == "cpu" else 1


def operations(classifier: TorchClassifier, one: Tensor) -> float:
    """Multiply-adds of the convolutions and linear layers for one image."""
    counts = [1.0]

    def count(part: nn.Module, _: object, output: Tensor) -> None:
        weight = part.get_parameter("weight")
        counts.append(output.numel() * weight.numel() / weight.shape[0])

    parts = [part for part in classifier.module.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [part.register_forward_hook(count) for part in parts]
    try:
        classifier.answer(one)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def probe(classifier: TorchClassifier) -> Tensor:
    """Eight scenes as the model takes them."""
    views = [classifier.view(Image.fromarray(scene.scene(seed).image)) for seed in range(8)]
    return classifier.normalise(torch.stack([to_tensor(classifier, view) for view in views]))
