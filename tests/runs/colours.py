"""Small runs to test with: a model that tells colours apart, pictures for it, and a method that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from decam.classifier import Classifier, TorchClassifier, wrap
from decam.experiments.cells import CellKey
from decam.experiments.kinds import comparison, randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, usual_metrics
from decam.explanation import Progress
from decam.runs.service import Runs, RunSnapshot
from tests.tools.colours import LABELS, SIZE, brightness

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
ANOTHER = MetricChoice.default("deletion", steps=4, fill="noise")
"""A metric that `a_plan` does not ask for."""


def colours(_model: str = "colours", _device: str = "cpu") -> Classifier:
    return wrap(brightness, labels=LABELS, input_size=SIZE)


class Layered(nn.Module):
    """Tells colours apart by two layers of weights, which a randomisation check can draw anew."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.stem(images).relu().mean(dim=(2, 3)))


def layered(_model: str = "layered", _device: str = "cpu") -> TorchClassifier:
    """A network of two stages, the same one each time."""
    network = Layered()
    for place, parameter in enumerate(network.parameters()):
        drawn = np.random.default_rng(place).normal(size=tuple(parameter.shape)).astype(np.float32)
        parameter.data = parameter.data.new_tensor(drawn)
    return TorchClassifier("layered", network.eval(), list(LABELS), input_size=SIZE)


def a_plan(count: int, *methods: str, **changes: Any) -> Plan:
    """A comparison by methods at their defaults, with two pairs of fills."""
    chosen = [MethodChoice.default(name) for name in methods]
    pictures = [PictureChoice(f"{n}.png") for n in range(count)]
    return comparison.plan("colours", "cpu", pictures, chosen, **{"metrics": usual_metrics(steps=4)} | changes)


def a_check(*methods: str, **changes: Any) -> Plan:
    """A randomisation check of `layered` on one picture: the original and two variants."""
    chosen = [MethodChoice.default(name) for name in methods]
    return randomisation.plan(layered(), PictureChoice("0.png"), chosen, **changes)


def wait_for(
    runs: Runs, run_id: str, condition: Callable[[RunSnapshot], bool] = lambda run: not run.active
) -> RunSnapshot:
    deadline = time.monotonic() + PATIENCE
    while not condition(run := runs.snapshot(run_id)):
        assert time.monotonic() < deadline, f"waited too long: {run}"
        time.sleep(0.005)
    return run


class Gate:
    """A method that pauses after every event until it is let through; endless until then."""

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.closed = 0

    def run(self, *_: object) -> Iterator[Progress]:
        try:
            for number in range(6):
                yield Progress(number, 6, number, saliency=np.full((4, 4), number, np.float32))
                assert self.steps.acquire(timeout=PATIENCE)
        finally:
            self.closed += 1
        return np.random.default_rng(3).random(SIZE, dtype=np.float32)

    def open(self) -> None:
        self.steps.release(10_000)


def running(cell: CellKey) -> Callable[[RunSnapshot], bool]:
    return lambda run: run.cells[cell].state == "running"
