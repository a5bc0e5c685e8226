"""Made-up runs for the store to keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from decam.experiments.events import Cell
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.explanation import Explanation
from decam.metrics import Curve
from decam.runs.snapshots import Curves, Frame, RunSnapshot
from decam.runs.state import empty_grid
from decam.runs.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def a_run() -> Callable[..., RunSnapshot]:
    """A queued run of two pictures and two methods; later ones are a minute younger."""
    count = 0

    def make(run_id: str = "run", owner: str = "ann") -> RunSnapshot:
        nonlocal count
        count += 1
        plan = Plan(
            "colours",
            "cpu",
            (PictureChoice("Löwe.png"), PictureChoice("b.png", target=1)),
            (MethodChoice.default("random"), MethodChoice.default("centre")),
            seed=5,
        )
        drawn = np.random.default_rng(count).integers(0, 255, (2, 130, 120, 3), dtype=np.uint8)
        return RunSnapshot(
            id=run_id,
            created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC) + timedelta(minutes=count),
            status="queued",
            plan=plan,
            views=tuple(drawn),
            predictions=(None, None),
            cells=empty_grid(plan),
            owner=owner,
        )

    return make


@pytest.fixture
def an_explanation() -> Callable[[RunSnapshot, Cell], Explanation]:
    def make(run: RunSnapshot, cell: Cell) -> Explanation:
        choice = run.plan.methods[cell.method]
        saliency = np.random.default_rng(cell.picture * 10 + cell.method).normal(size=(130, 120)).astype(np.float32)
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
            silent=cell.method == 0,
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
def curves() -> Curves:
    def curve(metric: str, fill: str) -> Curve:
        shares = np.linspace(0, 1, 5, dtype=np.float32)
        return Curve(metric, fill, shares, shares**2, np.arange(5), 1 - shares, 0.34375)

    return Curves(("mean", "blur"), curve("deletion", "mean"), dataclasses.replace(curve("insertion", "blur"), auc=0.1))
