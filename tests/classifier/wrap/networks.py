"""A small network whose answers are turned into anything, and the door it goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import decam
from decam.classifier import TorchClassifier
from decam.methods import METHODS

SIZE = (32, 32)
PLAIN = {"mean": (0, 0, 0), "std": (1, 1, 1)}
QUICK: dict[str, dict[str, int | float | str | bool]] = {
    "de-cam": {"budget": 200},
    "integrated-gradients": {"steps": 4},
    "rise": {"budget": 32},
    "lime": {"budget": 50},
    "kernel-shap": {"budget": 50},
}
ANY = [name for name, row in METHODS.items() if "attention" not in row.needs]


class Net(nn.Module):
    """A small network whose answers `then` turns into anything."""

    def __init__(self, out: int = 3, channels: int = 3, then: Callable[[Tensor], Any] = lambda y: y) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, 6, 3, stride=2), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, stride=2), nn.ReLU())
        self.unused = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(8, out)
        self.then = then

    def scores(self, images: Tensor) -> Tensor:
        return 20 * self.head(self.second(self.first(images)).mean((2, 3)))

    def forward(self, images: Tensor) -> Any:
        return self.then(self.scores(images))


def net(out: int = 3, channels: int = 3, then: Callable[[Tensor], Any] = lambda y: y) -> Net:
    torch.manual_seed(0)
    return Net(out, channels, then).eval()


def wrapped(module: nn.Module, labels: Any = ("a", "b", "c"), **more: Any) -> TorchClassifier:
    found = decam.wrap(module, labels=labels, **({"input_size": SIZE} | PLAIN | more))
    assert isinstance(found, TorchClassifier)
    return found
