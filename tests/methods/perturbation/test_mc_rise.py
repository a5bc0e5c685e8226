"""MC-RISE against its definition, written out slowly, and against colours whose effect is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from decam.classifier import FunctionClassifier, wrap
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods.perturbation.mc_rise import COLOURS, McRiseSettings, coloured_shares

SIZE = (24, 24)
PLACE = (slice(3, 11), slice(12, 20))


def asking(answer) -> FunctionClassifier:
    def probabilities(images: Tensor) -> Tensor:
        scores = answer(images)
        return torch.stack([1 - scores, scores], 1)

    return wrap(probabilities, labels=["a", "b"], input_size=SIZE, mean=(0.0, 0.0, 0.0), batch_size=7)


def red_here(images: Tensor) -> Tensor:
    """How red a place is, and neither green nor blue."""
    place = images[:, :, *PLACE].mean((2, 3))
    return (place[:, 0] - 0.5 * place[:, 1] - 0.5 * place[:, 2]).clamp_min(0)


def grey() -> np.ndarray:
    return np.full((*SIZE, 3), 128, dtype=np.uint8)


def test_shares_add_up_and_are_as_often_visible_and_coloured_as_the_settings_say() -> None:
    shares = coloured_shares(400, McRiseSettings(visible=0.3, cells=4), SIZE, torch.Generator().manual_seed(0))
    assert shares.shape == (400, 6, *SIZE)
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(shares.mean((0, 2, 3)), [0.3, *[0.14] * 5], atol=0.02)


@pytest.mark.parametrize("colour", ["all", *COLOURS])
def test_the_map_is_the_mean_over_masks_written_out(colour: str) -> None:
    settings = McRiseSettings(budget=70, cells=4, visible=0.4, colour=colour)
    view = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    got = last(explain_view(asking(red_here), view, "mc-rise", settings, 1, seed=3)).saliency
    generator = torch.Generator().manual_seed(3)
    shares = torch.cat([coloured_shares(count, settings, SIZE, generator) for count in (64, 6)])
    image = torch.from_numpy(view).permute(2, 0, 1) / 255
    names = list(COLOURS)
    expected = torch.zeros(SIZE)
    for mask in shares:
        picture = mask[0] * image
        for k, name in enumerate(names):
            picture = picture + mask[1 + k] * torch.tensor(COLOURS[name]).view(3, 1, 1)
        answer = red_here(picture.unsqueeze(0))[0]
        for k in range(5) if colour == "all" else [names.index(colour)]:
            part = answer * (mask[0] / 0.4 - 5 * mask[1 + k] / 0.6)
            expected += part / (5 if colour == "all" else 1) / 70
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.slow
def test_a_colour_that_makes_the_class_counts_against_the_picture_and_others_count_for_it() -> None:
    def place(colour: str) -> float:
        settings = McRiseSettings(budget=800, cells=4, colour=colour)
        found = last(explain_view(asking(red_here), reddish(), "mc-rise", settings, 1, seed=1)).saliency
        return float(found[PLACE].mean())

    assert place("red") < 0 < place("blue")
    assert place("black") > 0


def reddish() -> np.ndarray:
    """A picture that is a little red."""
    view = grey()
    view[..., 1:] = 60
    return view
