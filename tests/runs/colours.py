"""Small runs to test with: a model that tells colours apart, pictures for it, and a method that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from decam.classifier import Classifier, wrap
from decam.experiments.events import Cell
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.explanation import Progress
from decam.runs.service import Runs, RunSnapshot

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
SIZE = (24, 24)


def brightness(images: Tensor) -> Tensor:
    light = images.mean(dim=(2, 3)) + 1e-3
    return light / light.sum(dim=1, keepdim=True)


def colours(_model: str = "colours", _device: str = "cpu") -> Classifier:
    return wrap(brightness, labels=["red", "green", "blue"], input_size=SIZE)


def views(count: int) -> list[np.ndarray]:
    drawn = np.random.default_rng(1).integers(0, 100, (count, *SIZE, 3), dtype=np.uint8)
    for number, view in enumerate(drawn):
        view[:, :, number % 3] += 120
    return list(drawn)


def a_plan(count: int, *methods: str) -> Plan:
    chosen = tuple(MethodChoice.default(name) for name in methods)
    return Plan("colours", "cpu", tuple(PictureChoice(f"{n}.png") for n in range(count)), chosen, steps=4)


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


def running(cell: Cell) -> Callable[[RunSnapshot], bool]:
    return lambda run: run.cells[cell].state == "running"
