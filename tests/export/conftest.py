"""A finished comparison, with awkward names, on a classifier whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, fingerprint, usual_metrics
from decam.explanation import last
from decam.methods import get
from tests.tools.classes import class_grid

NAMES = ("Füße/../katze \N{CAT FACE}.final.JPG", "CON", "katze.png", "katze.webp")


@pytest.fixture(scope="session")
def grid(rectangle) -> Grid:
    """Four pictures by three methods, the first of which is there twice, the last of which is signed."""
    views = [rectangle.view, 255 - rectangle.view, rectangle.view // 2, np.roll(rectangle.view, 9, axis=1)]
    few = get("rise").settings.from_mapping({"budget": 40})
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice(name, fingerprint(view)) for name, view in zip(NAMES, views, strict=True)],
        (MethodChoice.default("random"), MethodChoice("rise", few), MethodChoice.default("random")),
        targets=[rectangle.target] * 4,
        metrics=(*usual_metrics(steps=6), MetricChoice.default("sparsity")),
        seed=3,
        execution=rectangle.classifier.execution,
    )
    begun = Grid.empty(plan, views, (rectangle.mask, None, None, None), rectangle.classifier.labels)
    finished = last(execute(begun, lambda _: rectangle.classifier))
    assert finished.complete and not any(cell.error for cell in finished.cells.values())
    return finished


@pytest.fixture(scope="session")
def of_classes() -> Grid:
    """Made-up maps of classes and of a unit."""
    return class_grid()
