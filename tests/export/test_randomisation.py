"""What is taken away of a randomisation check: every similarity and every map, under names that say what they are."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import torch
from torch import nn

from decam.api import sanity_check
from decam.classifier import TorchClassifier
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.variants import variants_of
from decam.export.randomisation import maps_npz, similarities_csv
from decam.metrics.similarity import SIMILARITIES


@pytest.fixture(scope="module")
def grid() -> Grid:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    classifier = TorchClassifier("small", module, list("abc"), input_size=(24, 20))
    view = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    return sanity_check(classifier, view, ["edges", "gradient"], target=1)


def test_every_similarity_of_every_map_is_a_line(grid: Grid) -> None:
    rows = list(csv.DictReader(io.StringIO(similarities_csv(grid).decode())))
    stages = [variant.stage for variant in variants_of(grid.plan)]
    assert stages == ["4", "0"]
    expected = {
        (title, stage, measure, values)
        for title in grid.plan.titles()
        for stage in ("Random map", "Centre Gaussian", "Edge detector", *stages)
        for measure in SIMILARITIES
        for values in ("absolute", "signed")
    }
    assert {(row["method"], row["stage"], row["measure"], row["values"]) for row in rows} == expected
    assert len(rows) == len(expected)
    whole = {(row["method"], row["stage"], row["measure"], row["values"]): row for row in rows}
    maps = {key: cell.explanation.saliency for key, cell in grid.cells.items()}
    for place, variant in enumerate(variants_of(grid.plan), start=1):
        row = whole["Gradient", variant.stage, "spearman", "signed"]
        value = SIMILARITIES["spearman"].between(maps[CellKey(0, 1)], maps[CellKey(place, 1)], absolute=False)
        assert float(row["similarity"]) == pytest.approx(value, rel=1e-6)
        assert float(row["share"]) == pytest.approx(variant.share)
        assert float(row["probability"]) == pytest.approx(grid.cells[CellKey(place, 1)].explanation.probability)
    # A method that asks the model nothing stays as it was.
    assert float(whole["Edge detector", "0", "ssim", "signed"]["similarity"]) == pytest.approx(1)


def test_every_map_is_there_under_its_method_and_stage(grid: Grid) -> None:
    with np.load(io.BytesIO(maps_npz(grid)), allow_pickle=False) as content:
        stages = ("original", "1 4", "2 0")
        assert content.files == ["view", *(f"{name}/{stage}" for name in ("edges", "gradient") for stage in stages)]
        assert np.array_equal(content["view"], grid.views[0])
        for key, cell in grid.cells.items():
            name = f"{('edges', 'gradient')[key.method]}/{stages[key.question]}"
            assert content[name].tobytes() == cell.explanation.saliency.tobytes()
