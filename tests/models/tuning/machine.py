"""A small network, and a clock that stands for a machine on which ways of asking take known times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier

PLAIN, LAST = Execution(), Execution(channels_last=True)
HALF, HALF_LAST = Execution("bfloat16"), Execution("bfloat16", channels_last=True)
OPENVINO = Execution("bfloat16", channels_last=True, engine="openvino")


def tiny(name: str = "tiny") -> TorchClassifier:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4),
        nn.ReLU(),
        nn.Conv2d(8, 8, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    return TorchClassifier(name, module, ["a", "b", "c", "d"], input_size=(32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)


class Clock:
    """Stands for a machine: seconds of a batch by the way of asking, beside a real answer.

    `faster` are factors by which engines are faster than PyTorch.
    """

    def __init__(
        self, each: dict[tuple[str, bool], float], start: float, faster: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        self.each, self.start, self.faster = each, start, faster
        self.asked: list[int] = []

    def __call__(
        self, classifier: TorchClassifier, batches: Sequence[Tensor], _parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        self.asked += [len(batch) for batch in batches]
        way = (classifier.execution.precision, classifier.execution.channels_last)
        images = sum(len(batch) for batch in batches)
        each = self.each[way] / self.faster.get(classifier.execution.engine, 1.0)
        return self.start + each * images, classifier.answer(batches[-1])


ALL_WAYS = {("float32", False): 0.010, ("float32", True): 0.008, ("bfloat16", False): 0.005, ("bfloat16", True): 0.003}
