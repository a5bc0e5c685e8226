"""Neural Cleanse: its parts against plain versions, and a model whose smallest mask is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import TorchClassifier, wrap
from decam.explanation import ClassQuestion, last
from decam.methods.class_level.neural_cleanse import NeuralCleanseSettings, Schedule, laid, neural_cleanse

SIDE = 12


def test_a_mask_replaces_what_is_under_it_pixel_for_pixel() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures, pattern = torch.rand(2, 3, 4, 5, generator=generator), torch.rand(3, 4, 5, generator=generator)
    mask = torch.rand(4, 5, generator=generator)
    found = laid(pictures, mask, pattern)
    for picture in range(2):
        for colour in range(3):
            for row in range(4):
                for column in range(5):
                    share = float(mask[row, column])
                    plain = (1 - share) * float(pictures[picture, colour, row, column]) + share * float(
                        pattern[colour, row, column]
                    )
                    assert float(found[picture, colour, row, column]) == pytest.approx(plain, abs=1e-6)


def test_the_penalty_rises_after_patient_successes_and_falls_after_as_many_failures() -> None:
    schedule = Schedule(1.0, 2.0, 3)
    seen = []
    for success in (True, True, True, True, True, False, False, False, True):
        schedule.after(success)
        seen.append(schedule.value)
    assert seen == pytest.approx([1, 1, 2, 2, 2, 2, 2, 2 / 2**1.5, 2 / 2**1.5])


class Corner(nn.Module):
    """Class 1 where the first four rows and columns are light, whatever else there is."""

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×2."""
        light = 12 * (pictures[:, :, :4, :4].mean((1, 2, 3)) - 0.75)
        return torch.stack([-light, light], 1)


@pytest.mark.slow
def test_the_mask_comes_to_lie_on_the_corner_that_decides() -> None:
    model = wrap(Corner(), labels=["rest", "light"], input_size=SIDE, mean=0.0, std=1.0, answers="logits")
    assert isinstance(model, TorchClassifier)
    question = ClassQuestion(model, (1,))
    settings = NeuralCleanseSettings(samples="gaussian", iterations=150, penalty=0.01)
    found = last(neural_cleanse(question, settings))
    energy = np.square(found.pattern).sum(0)
    assert found.fidelity > 0.85 and found.baseline < 0.2
    assert energy[:4, :4].sum() > 0.8 * energy.sum()
    assert 4 < found.cost < 30  # sixteen pixels decide, of 144
    assert question.ledger.evaluations == 150 * 6 + 3 * 24


def test_a_mask_that_never_succeeds_is_given_with_a_note() -> None:
    model = wrap(Corner(), labels=["rest", "light"], input_size=SIDE, mean=0.0, std=1.0, answers="logits")
    question = ClassQuestion(model, (1,))
    found = last(neural_cleanse(question, NeuralCleanseSettings(samples="gaussian", iterations=1)))
    assert found.cost > 0
    assert any("No mask reached 0.90" in note for note in question.ledger.notes)
