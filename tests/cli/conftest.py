"""What commands are given: a model and an image, and an export of two methods by a model of no catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from decam import export
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, fingerprint, usual_metrics
from decam.explanation import last
from decam.images.samples import SAMPLES
from decam.models.catalogue import ENTRIES


@pytest.fixture(scope="session")
def model() -> str:
    """A model whose weights are here."""
    for name in ("embedded", "squeezenet1_0"):
        if ENTRIES[name].present():
            return name
    pytest.skip("no model's weights are here")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "scène 1.png"
    SAMPLES[0].load().save(path)
    return path


@pytest.fixture(scope="module")
def made(rectangle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Grid, Path]:
    """A finished and measured grid, and the settings.json of its export."""
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice("one.png", fingerprint(rectangle.view))],
        [MethodChoice.default("centre"), MethodChoice.default("random")],
        targets=[rectangle.target],
        metrics=usual_metrics(steps=4),
        execution=rectangle.classifier.execution,
    )
    begun = Grid.empty(plan, [rectangle.view], labels=rectangle.classifier.labels)
    grid = last(execute(begun, lambda _: rectangle.classifier))
    folder = tmp_path_factory.mktemp("export")
    export.write(grid, folder)
    return grid, folder / "settings.json"


@pytest.fixture(scope="module")
def settings(made: tuple[Grid, Path]) -> Path:
    """The settings.json of the export."""
    return made[1]
