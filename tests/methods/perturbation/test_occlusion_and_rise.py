"""RISE against its definition, written out slowly."""

import numpy as np
import torch

from decam.classifier import wrap
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import fill
from decam.methods.perturbation.occlusion_and_rise import RiseSettings, rise_masks


def test_rise_masks_have_the_right_mean_range_and_smoothness() -> None:
    settings = RiseSettings(cells=5, visible=0.3)
    masks = rise_masks(600, settings, (50, 45), torch.Generator().manual_seed(0))
    assert masks.shape == (600, 1, 50, 45)
    assert float(masks.min()) >= 0
    assert float(masks.max()) <= 1 + 1e-6
    assert abs(float(masks.mean()) - 0.3) < 0.01
    assert float((masks[:, :, 1:] - masks[:, :, :-1]).abs().max()) <= 1 / 10 + 1e-6


def test_rise_is_the_weighted_mean_of_its_masks() -> None:
    def function(images: torch.Tensor) -> torch.Tensor:
        score = images[:, 0, 5:20, 5:20].mean((1, 2))
        return torch.stack([score, 1 - score], 1)

    classifier = wrap(function, labels=["a", "b"], input_size=(32, 32), batch_size=7)
    view = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    settings = RiseSettings(budget=64, cells=4, visible=0.4, fill="black")
    got = last(explain_view(classifier, view, "rise", settings, 0, seed=3)).saliency
    masks = rise_masks(64, settings, (32, 32), torch.Generator().manual_seed(3))
    image = torch.from_numpy(view.copy()).permute(2, 0, 1).float() / 255
    black = fill("black", image, (0.0, 0.0, 0.0))
    expected = torch.zeros(32, 32)
    for mask in masks:
        expected += function((mask * image + (1 - mask) * black).unsqueeze(0))[0, 0] * mask[0]
    np.testing.assert_allclose(got, (expected / (64 * 0.4)).numpy(), atol=1e-5)
