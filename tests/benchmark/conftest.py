"""A model that tells colours apart and counts what it is asked, and small benchmarks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from decam.benchmark.datasets import Source, Subject
from decam.benchmark.local import LocalRun
from decam.benchmark.shards import grid_of, link_of, shards
from decam.classifier import FunctionClassifier, wrap
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Explained, Measured
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice, MetricChoice, Plan
from decam.experiments.status import Status
from decam.explanation import Explanation, Map
from decam.metrics.base import Measurement
from decam.runs.recorder import Recorder
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store

SIZE = (24, 24)
METRICS = (MetricChoice.default("deletion", steps=4), MetricChoice.default("sparsity"))


class Colours:
    """Three classes by share of light; `asked` counts images, and `fail` makes it raise."""

    def __init__(self) -> None:
        self.asked = 0
        self.fail = False
        self.classifier: FunctionClassifier = wrap(
            self, labels=["red", "green", "blue"], input_size=SIZE, name="colours"
        )

    def __call__(self, images: Tensor) -> Tensor:
        if self.fail:
            raise RuntimeError("the model is broken")
        self.asked += len(images)
        light = images.mean(dim=(2, 3)) + 1e-3
        return light / light.sum(dim=1, keepdim=True)


def source(number: int, name: str = "", *, truth: bool = False) -> Source:
    drawn = np.random.default_rng(number).integers(0, 100, (*SIZE, 3), dtype=np.uint8)
    drawn[:, :, number % 3] += 120
    mask = np.zeros(SIZE, dtype=bool)
    mask[4:10, 6:16] = True
    return Source(name or f"{number}.png", lambda: (Image.fromarray(drawn), mask if truth else None), seed=number)


def parts(
    colours: Colours,
    count: int = 2,
    methods: Sequence[str] = ("random", "centre"),
    metrics: Sequence[MetricChoice] = METRICS,
    seed: int | None = None,
) -> list[Grid]:
    subjects = [Subject.of(colours.classifier, source(number)) for number in range(count)]
    choices = [MethodChoice.default(name) for name in methods]
    return shards(grid_of(colours.classifier, subjects, choices, metrics, seed))


def local(store: Store, colours: Colours) -> LocalRun:
    return LocalRun(store, lambda _: colours.classifier)


def keep(store: Store, plan: Plan, values: Mapping[MetricChoice, Sequence[float]], maps: Sequence[Map] = ()) -> None:
    """A made-up run that is finished: values of each metric, one a method, and maps, or else a diagonal for all."""
    grid = Grid.empty(plan, [np.zeros((4, 4, 3), np.uint8)], [np.eye(4, dtype=bool)])
    link, recorder = link_of(plan), Recorder(store)
    store.add(RunSnapshot(link, datetime.now(UTC), Status.RUNNING, grid))

    def record(event: Event) -> None:
        nonlocal grid
        grid = grid.after(event)
        recorder.record(link, event, grid)

    for place, choice in enumerate(plan.methods):
        saliency = maps[place] if len(maps) else np.eye(4, dtype=np.float32)
        made = Explanation(choice.name, saliency, 1, "one", 0.9, choice.settings, plan.seed, 10 + place, 0.1)
        record(Explained(CellKey(0, place), made))
    for metric, each in values.items():
        found = {CellKey(0, place): Measurement(metric.name, value) for place, value in enumerate(each)}
        record(Measured(metric.key, found))
    store.save_status(link, Status.DONE)


@pytest.fixture
def colours() -> Colours:
    torch.manual_seed(0)
    return Colours()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "out")
    yield made
    made.close()
