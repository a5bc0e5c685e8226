"""DE-CAM on functions whose right map is known, where one smooth prior of the expected drop missed it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from decam import explain
from decam.benchmark.known_answers.case import Case


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ground", "edges", "seed"), [("photograph", "disagree", 0), ("smooth", "agree", 1), ("photograph", "agree", 4)]
)
def test_speckles_of_a_colour_are_found_and_not_what_lies_between_them(ground: str, edges: str, seed: int) -> None:
    case = Case("colour", ground, edges, seed)
    saliency = explain(
        case.classifier(), Image.fromarray(case.drawn.image), "de-cam", target=case.target, budget=1000, seed=seed
    ).saliency
    assert case.truth[saliency == saliency.max()].all()
    highest = np.argsort(-saliency, axis=None)[: case.truth.sum()]
    assert case.truth.ravel()[highest].mean() > 0.7
