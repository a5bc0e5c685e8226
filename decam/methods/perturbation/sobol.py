"""Sobol attribution: how much of the variance of the answer each cell has a part in, with a signed variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries, sampled
from decam.methods.support.cell_grids import cell_map, cell_masks, sobol_points
from decam.settings import Settings, parameter

LEAST_VARIANCE = 1e-12
FEWEST = 2  # points, of which a variance can be taken: the bounds of budget and cells always pay for them


@dataclass(frozen=True)
class SobolSettings(Settings):
    """What the indices may cost, and how fine the grid is that they are for."""

    budget: int = parameter(
        1000,
        "Evaluations: one for a point of the Sobol sequence and one for each cell changed in it, whole points only.",
        low=250,
        high=50_000,
    )
    cells: int = parameter(7, "Cells a side of the grid; more need a larger budget.", low=2, high=11)
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


def sobol_design(points: int, cells: int, seed: int) -> Tensor:
    """Visible shares, points·(d + 1)×d for d = cells²: each point of A, followed by its d neighbours C_1 to C_d.

    A and B are the two halves of a scrambled Sobol sequence in 2d dimensions; C_i is A with coordinate i of B.
    """
    count = cells**2
    drawn = sobol_points(points, 2 * count, seed)
    rows = drawn[:, :count].unsqueeze(1).repeat(1, count + 1, 1)
    each = torch.arange(count)
    rows[:, 1 + each, each] = drawn[:, count:]
    return rows.flatten(0, 1)


def total_indices(rows: Tensor, answers: Tensor, *, signed: bool) -> Tensor:
    """Jansen's estimate of the total Sobol index of each coordinate (d), from a `sobol_design` and its answers.

    S_i = Σ_j (a_j − c_ij)² / (2 N Var a); Fel, Cadène, Chalvidal, Cord, Vigouroux and Serre (2021). Signed, it takes
    the sign of the covariance of visibility and answer, which Σ_j (a_j − c_ij)(A_ji − B_ji) estimates twice over.
    Zeros where the answers are to fewer than two whole points.
    """
    count = rows.shape[1]
    points = len(answers) // (count + 1)
    if points < FEWEST:
        return torch.zeros(count, dtype=torch.float64)
    found = answers[: points * (count + 1)].double().view(points, count + 1)
    drawn = rows[: points * (count + 1)].double().view(points, count + 1, count)
    changes = found[:, :1] - found[:, 1:]
    variance = found[:, 0].var(correction=1).clamp_min(LEAST_VARIANCE)
    indices = changes.square().sum(0) / (2 * points * variance)
    if not signed:
        return indices
    shifts = drawn[:, 0] - drawn[:, 1:].diagonal(dim1=1, dim2=2)
    return indices * (changes * shifts).sum(0).sign()


def sobol(signed: bool, question: Question, settings: SobolSettings, seed: int) -> Steps:
    """Total Sobol indices of the cells of a grid, enlarged to a map."""
    total = _cost(settings, question.classifier)
    queries = BudgetedQueries(question, settings.fill, seed, total)
    design = sobol_design(total // (settings.cells**2 + 1), settings.cells, seed)

    def read(rows: Tensor, answers: Tensor) -> Map:
        return cell_map(total_indices(rows, answers, signed=signed), queries.size, signed=signed)

    return (yield from sampled(queries, design, partial(cell_masks, size=queries.size), read))


def _cost(settings: SobolSettings, classifier: Classifier) -> int:
    """As many whole points as the budget pays for."""
    del classifier
    each = settings.cells**2 + 1
    return settings.budget // each * each


def _row(name: str, title: str, summary: str, formula: str, misleads: str, *, signed: bool) -> Method:
    run: Callable[[Question, SobolSettings, int], Steps] = partial(sobol, signed)
    return Method(
        name=name,
        title=title,
        family="perturbation",
        summary=summary,
        formula=formula,
        reference="Fel et al., Look at the Variance! Efficient Black-box Explanations with Sobol-based Sensitivity "
        "Analysis (2021)",
        url="https://arxiv.org/abs/2111.04138",
        strengths="Counts what a cell does together with others, at all degrees of visibility.",
        misleads=misleads,
        needs=frozenset({"output"}),
        hides=True,
        signed=signed,
        settings=SobolSettings,
        run=run,
        example=SHORT,
        cost=_cost,
    )


_INDEX = r"\frac{1}{2 n \, \operatorname{Var} p^c(A)} \sum_{j=1}^n \big(p^c(A_j) - p^c(C_{u,j})\big)^2"

SOBOL = _row(
    "sobol",
    "Sobol",
    "Estimates, for each cell of a grid, the share of the answer's variance that the cell accounts for.",
    r"M_c(u) = " + _INDEX,
    "A cell that speaks against the class counts as much as one that speaks for it.",
    signed=False,
)

SOBOL_SIGNED = _row(
    "sobol-signed",
    "Sobol, signed",
    "Sobol's index of each cell, with the sign of how its visibility and the answer go together.",
    r"M_c(u) = \operatorname{sgn} \operatorname{Cov}\big(m(u), p^c\big) \, " + _INDEX,
    "The sign is no part of the published method, and is chance where a cell's effect changes with the others.",
    signed=True,
)
