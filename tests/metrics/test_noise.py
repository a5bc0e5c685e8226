"""The fill of noise is drawn from the case's seed, by every metric that hides pixels and in the pictures shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from decam.classifier import probabilities, to_tensor
from decam.experiments.cells import CellKey
from decam.masking import FILLS
from decam.metrics import METRICS, Case
from decam.metrics.single_step import shown
from decam.ui.compare import metric_curves
from tests.tools.cases import SIZE, bent, case, saliency, values, view

NAMES = ("deletion", "insertion", "deletion-correlation", "average-drop-in-deletion", "infidelity")


def noise(seed: int) -> torch.Tensor:
    return torch.rand((3, *SIZE), generator=torch.Generator().manual_seed(seed))


def judged(seed: int) -> Case:
    return case(bent(), view(), [saliency()], seed=seed)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_is_another_noise(name: str) -> None:
    assert values(judged(1), name, fill="noise") == values(judged(1), name, fill="noise")
    assert values(judged(1), name, fill="noise") != values(judged(2), name, fill="noise")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "infidelity"])
@pytest.mark.parametrize("fill", [fill for fill in FILLS if fill != "noise"])
def test_other_fills_know_no_seed(name: str, fill: str) -> None:
    assert values(judged(1), name, fill=fill) == values(judged(2), name, fill=fill)


@pytest.mark.parametrize("seed", [0, 7])
def test_insertion_begins_at_the_noise_of_the_seed(seed: int) -> None:
    row, found = METRICS["insertion"], judged(seed)
    steps = row.run(found, row.settings.from_mapping({"fill": "noise"}))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            (measurement,) = end.value
            break
    expected = probabilities(found.question.classifier, noise(seed)[None])[0, 0]
    assert float(measurement.curve.values[0]) == pytest.approx(float(expected), abs=1e-6)


def test_what_is_shown_of_a_single_step_has_the_same_noise() -> None:
    found = judged(5)
    lowest = np.unravel_index(found.scaled[0].argmin(), SIZE)
    pixel = shown(found, 0, "noise")[:, *lowest]
    torch.testing.assert_close(pixel, noise(5)[:, *lowest])


def test_the_picture_of_a_step_on_a_page_has_the_noise_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = bent()
    monkeypatch.setattr(metric_curves.run_pages, "model_of", lambda _: classifier)
    settings = METRICS["deletion"].settings.from_mapping({"fill": "noise"})
    key = CellKey(1, 0)
    snapshot = SimpleNamespace(
        cells={key: SimpleNamespace(explanation=SimpleNamespace(saliency=saliency()))},
        grid=SimpleNamespace(view_of=lambda question: view(question)),
        plan=SimpleNamespace(questions=(SimpleNamespace(seed=3), SimpleNamespace(seed=9))),
    )
    choice = SimpleNamespace(name="deletion", settings=settings)
    seen = metric_curves._seen(cast(Any, snapshot), key, cast(Any, choice), 1.0)
    np.testing.assert_allclose(to_tensor(classifier, seen), noise(9), atol=1 / 255)
