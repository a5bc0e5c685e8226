"""Scenes with ground truth: DE-CAM's brightest pixel lies on the object, and on the one that was asked for."""

import numpy as np
import pytest

from decam.classifier import TorchClassifier
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.images.scenes.scene import scene
from decam.methods.de_cam.settings import DeCamSettings

SCENES = 30  # `benchmarks.faithfulness --scenes 100` counts the whole hundred of each kind
FIRST_SEED = 5_000_000  # far from the seeds that the embedded model was trained and tested on


def brightest_on(classifier: TorchClassifier, view: np.ndarray, target: int, mask: np.ndarray) -> bool:
    saliency = last(explain_view(classifier, view, "de-cam", DeCamSettings(budget=500), target, seed=0)).saliency
    return bool(mask[np.unravel_index(saliency.argmax(), saliency.shape)])


@pytest.mark.slow
def test_the_brightest_pixel_lies_on_the_object_in_all_but_one_of_30_scenes(embedded: TorchClassifier) -> None:
    drawn = [scene(FIRST_SEED + i) for i in range(SCENES)]
    hits = sum(brightest_on(embedded, each.image, each.label, each.mask) for each in drawn)
    assert hits >= SCENES - 1


@pytest.mark.slow
def test_the_brightest_pixel_lies_on_the_object_asked_for_in_all_but_two_of_30_scenes_with_two(
    embedded: TorchClassifier,
) -> None:
    drawn = [scene(FIRST_SEED + 1000 + i, objects=2) for i in range(SCENES)]
    hits = sum(
        brightest_on(embedded, each.image, each.labels[i % 2], each.masks[i % 2]) for i, each in enumerate(drawn)
    )
    assert hits >= SCENES - 2
