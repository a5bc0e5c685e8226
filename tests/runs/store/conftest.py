"""Made-up runs for the store to keep."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from decam.classifier import Execution
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.history import Frame
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice
from decam.experiments.status import Status
from decam.explanation import Explanation
from decam.metrics import Measurement
from decam.metrics.base import Curve
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store

DELETION = MetricChoice.default("deletion", steps=4, fill="mean")
SPARSITY = MetricChoice.default("sparsity")


@pytest.fixture
def store(tmp_path: Path, url: str) -> Iterator[Store]:
    made = Store(tmp_path / "data", url)
    yield made
    made.close()


@pytest.fixture
def a_run() -> Callable[..., RunSnapshot]:
    """A queued run of two pictures and two methods; later ones are a minute younger."""
    count = 0

    def make(run_id: str = "run", owner: str = "ann") -> RunSnapshot:
        nonlocal count
        count += 1
        plan = comparison.plan(
            "colours",
            "cpu",
            (PictureChoice("Löwe.png"), PictureChoice("b.png")),
            (MethodChoice.default("random"), MethodChoice.default("centre")),
            targets=(None, 1),
            metrics=(DELETION, SPARSITY),
            seed=5,
        )
        drawn = np.random.default_rng(count).integers(0, 255, (2, 130, 120, 3), dtype=np.uint8)
        created = datetime(2026, 1, 2, 3, 4, tzinfo=UTC) + timedelta(minutes=count)
        return RunSnapshot(run_id, created, Status.QUEUED, Grid.empty(plan, drawn, (None, None)), owner=owner)

    return make


@pytest.fixture
def an_explanation() -> Callable[[RunSnapshot, CellKey], Explanation]:
    def make(run: RunSnapshot, key: CellKey) -> Explanation:
        choice = run.plan.methods[key.method]
        saliency = np.random.default_rng(key.question * 10 + key.method).normal(size=(130, 120)).astype(np.float32)
        return Explanation(
            choice.name,
            saliency,
            1,
            "grün",
            0.625,
            choice.settings,
            run.plan.seed,
            321,
            1.5,
            ("Note.", "Zwei."),
            silent=key.method == 0,
        )

    return make


@pytest.fixture
def frames() -> tuple[Frame, ...]:
    small = np.arange(12, dtype=np.uint8).reshape(3, 4)
    return (
        Frame(10, {"best": 0.25}, mask=small),
        Frame(20, {}, saliency=small + 1, low=-2.0, high=3.0),
        Frame(30, {"best": 0.5, "mean": -1.0}),
        Frame(40, {"mean": 1.0}, mask=small[:2], saliency=small * 2, low=0.0, high=0.5),
    )


@pytest.fixture
def curve() -> Curve:
    shares = np.linspace(0, 1, 5, dtype=np.float32)
    return Curve(shares, shares**2, np.arange(5), 1 - shares)


@pytest.fixture
def deletion(curve: Curve) -> Measurement:
    """What a metric with a curve, named parts and a note says."""
    parts = (("first", 0.5), ("none", float("nan")), ("most", float("inf")))
    return Measurement("deletion", 0.34375, curve=curve, note="Ça va.", parts=parts)


@pytest.fixture
def without_curve(deletion: Measurement) -> Measurement:
    return dataclasses.replace(deletion, curve=None)


@pytest.fixture
def fill(
    a_run: Callable[..., RunSnapshot],
    an_explanation: Callable[[RunSnapshot, CellKey], Explanation],
    frames: tuple[Frame, ...],
    deletion: Measurement,
) -> Callable[..., RunSnapshot]:
    """A run whose first cell is measured once, whose second is a map, whose third failed, whose fourth never came."""

    def make(store: Store, run_id: str = "run") -> RunSnapshot:
        run = a_run(run_id)
        store.add(run)
        store.begin(run.id, dataclasses.replace(run.plan, execution=Execution(batch_size=3)), ["rot", "grün"])
        store.save_predictions(run.id, 1, [(1, 0.75), (0, 0.25)])
        store.save_cell(run.id, CellKey(0, 0), Cell(explanation=an_explanation(run, CellKey(0, 0)), frames=frames))
        store.save_measurements(run.id, DELETION.key, {CellKey(0, 0): deletion})
        store.save_cell(run.id, CellKey(0, 1), Cell(explanation=an_explanation(run, CellKey(0, 1))))
        nothing = Measurement("deletion", math.nan, note="It is constant.", failed=True)
        store.save_measurements(run.id, DELETION.key, {CellKey(0, 1): nothing})
        store.save_failure(run.id, CellKey(1, 0), "It failed; so be it.")
        return run

    return make
