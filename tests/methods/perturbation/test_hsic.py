"""HSIC against its definition with whole Gram matrices, and the map against a plain version."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.methods.perturbation import hsic
from decam.methods.perturbation.hsic import dependence, hsic_design, kernel_width
from tests.tools.visible import explained, weighing


def plain(rows: np.ndarray, answers: np.ndarray, sigma: float) -> list[float]:
    """tr(K H L H) / N of each cell: K says which masks agree on the cell, L how alike the answers are."""
    count = len(answers)
    centring = np.eye(count) - 1 / count
    alike = np.exp(-((answers[:, None] - answers[None]) ** 2) / (2 * sigma**2))
    agreeing = [(cell[:, None] == cell[None]).astype(float) for cell in rows.T]
    return [float(np.trace(agree @ centring @ alike @ centring)) / count for agree in agreeing]


@settings(deadline=None, max_examples=20)
@given(st.integers(4, 40), st.integers(0, 2**16), st.sampled_from(["answer", "distance"]))
def test_dependence_is_the_trace_of_centred_gram_matrices(count: int, seed: int, width: str) -> None:
    random = np.random.default_rng(seed)
    rows, answers = random.integers(0, 2, (count, 4)).astype(float), random.random(count)
    found = dependence(torch.from_numpy(rows), torch.from_numpy(answers), width, signed=False)
    sigma = kernel_width(torch.from_numpy(answers), width)
    np.testing.assert_allclose(found, plain(rows, answers, sigma), atol=1e-9)


def test_a_gram_matrix_in_parts_gives_what_the_whole_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = hsic_design(50, 3, seed=0)
    answers = torch.rand(50, generator=torch.Generator().manual_seed(0))
    whole = dependence(rows, answers, "answer", signed=True)
    monkeypatch.setattr(hsic, "ROWS", 7)
    np.testing.assert_allclose(dependence(rows, answers, "answer", signed=True), whole, rtol=1e-9)


def test_the_kernels_width_is_a_median_of_answers_or_of_distances_between_answers_that_differ() -> None:
    answers = torch.tensor([0.1, 0.1, 0.1, 0.4, 0.9], dtype=torch.float64)
    assert kernel_width(answers, "answer") == pytest.approx(0.1)
    # 0.3 three times, 0.8 three times, and 0.5; the lower of two middle ones would be taken
    assert kernel_width(answers, "distance") == pytest.approx(0.5)


def test_answers_that_never_change_depend_on_nothing() -> None:
    rows = hsic_design(32, 2, seed=0)
    assert float(dependence(rows, torch.full((32,), 0.2), "distance", signed=True).abs().max()) < 1e-12


def test_each_cell_is_visible_in_half_of_the_masks() -> None:
    assert float((hsic_design(256, 5, seed=0).mean(0) - 0.5).abs().max()) < 0.02


def test_signed_values_tell_what_speaks_for_and_against() -> None:
    weights = torch.tensor([1.0, -2.0, 0.0, 1.5])
    rows = hsic_design(256, 2, seed=0)
    found = dependence(rows, rows @ weights, "distance", signed=True)
    assert found[0] > 0 > found[1]
    assert found[3] > found[0]
    assert abs(found[2]) < 0.1 * found[0]


@pytest.mark.parametrize(("method", "signed"), [("hsic", False), ("hsic-signed", True)])
def test_the_map_is_the_definition_on_hidden_squares(method: str, signed: bool) -> None:
    weights = torch.randn(12, 15, generator=torch.Generator().manual_seed(4)) / 200

    def answer(visible: torch.Tensor) -> torch.Tensor:
        return 0.5 + weighing(weights)(visible)

    found, events = explained(answer, (12, 15), method, budget=100, cells=3, width="answer")
    rows = hsic_design(100, 3, seed=3)
    shares = torch.stack([torch.kron(row.view(3, 3), torch.ones(4, 5)) for row in rows])
    answers = answer(shares).double().numpy()
    values = np.array(plain(rows.numpy(), answers, float(np.sort(answers)[49])))
    if signed:
        values *= [np.sign(np.cov(cell, answers)[0, 1]) for cell in rows.numpy().T]
    expected = F.interpolate(torch.from_numpy(values).view(1, 1, 3, 3), (12, 15), mode="bicubic")[0, 0].numpy()
    np.testing.assert_allclose(found.saliency, expected if signed else expected.clip(0), rtol=1e-3, atol=1e-5)
    assert found.evaluations == 100
    assert sum(event.saliency is not None for event in events) > 1
