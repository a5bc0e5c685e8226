"""HSIC attribution: how much the answer depends on whether each cell is visible, with a signed variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from decam.explanation import Map, Question, Steps
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries, sampled, whole_budget
from decam.methods.support.cell_grids import cell_map, cell_masks, sobol_points
from decam.settings import Settings, parameter

WIDTHS = ("distance", "answer")
LEAST_WIDTH = 1e-12
ROWS = 1024  # of the Gram matrix at a time


@dataclass(frozen=True)
class HsicSettings(Settings):
    """What the estimate may cost, how fine the grid is, and what counts as a different answer."""

    budget: int = parameter(1000, "Random masks, one evaluation each.", low=16, high=20_000)
    cells: int = parameter(7, "Cells a side of the grid; more need a larger budget.", low=2, high=16)
    width: str = parameter(
        "distance",
        "Width of the kernel on answers: the median distance of two answers that differ, or the median answer as in "
        "the paper, which makes all small answers alike.",
        choices=WIDTHS,
    )
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


def hsic_design(count: int, cells: int, seed: int) -> Tensor:
    """Binary masks of cells, count×cells²: a scrambled Sobol sequence, rounded."""
    return (sobol_points(count, cells**2, seed) < 0.5).float()


def kernel_width(answers: Tensor, width: str) -> float:
    """The width of the Gaussian kernel on answers (N): the median of them, or of their distances above 0."""
    if width == "answer":
        return max(float(answers.median()), LEAST_WIDTH)
    some = answers[:: -(-len(answers) // ROWS)]  # a median needs no more pairs than these
    distances = torch.pdist(some.unsqueeze(1))
    positive = distances[distances > 0]
    return max(float(positive.median()), LEAST_WIDTH) if len(positive) else 1.0


def dependence(rows: Tensor, answers: Tensor, width: str, *, signed: bool) -> Tensor:
    """HSIC of each cell's visibility (N×d, zeros and ones) and the answers (N): d values from 0 on.

    HSIC_i = (2/N) z̃_iᵀ L z̃_i with z̃ = z − mean z and L_ab = exp(−(y_a − y_b)² / 2σ²); Novello, Fel and Vigouroux
    (2022). Signed, it takes the sign of the covariance of visibility and answer.
    """
    seen, found = rows.double(), answers.double()
    centred = seen - seen.mean(0)
    spread = 2 * kernel_width(found, width) ** 2
    values = torch.zeros(rows.shape[1], dtype=torch.float64)
    for start in range(0, len(found), ROWS):
        part = slice(start, start + ROWS)
        kernel = (found[part].unsqueeze(1) - found).square_().div_(-spread).exp_()
        values += (centred[part] * (kernel @ centred)).sum(0)
    values = values.clamp_min(0) * (2 / len(found))
    return values * (centred.T @ found).sign() if signed else values


def hsic(signed: bool, question: Question, settings: HsicSettings, seed: int) -> Steps:
    """HSIC of the cells of a grid and the answer, enlarged to a map."""
    queries = BudgetedQueries(question, settings.fill, seed, settings.budget)
    design = hsic_design(settings.budget, settings.cells, seed)

    def read(rows: Tensor, answers: Tensor) -> Map:
        return cell_map(dependence(rows, answers, settings.width, signed=signed), queries.size, signed=signed)

    return (yield from sampled(queries, design, partial(cell_masks, size=queries.size), read))


def _row(name: str, title: str, summary: str, formula: str, misleads: str, *, signed: bool) -> Method:
    run: Callable[[Question, HsicSettings, int], Steps] = partial(hsic, signed)
    return Method(
        name=name,
        title=title,
        family="perturbation",
        summary=summary,
        formula=formula,
        reference="Novello, Fel & Vigouroux, Making Sense of Dependence: Efficient Black-box Explanations Using "
        "Dependence Measure (2022)",
        url="https://arxiv.org/abs/2206.06219",
        strengths="Finds any kind of dependence, with fewer evaluations than Sobol's indices.",
        misleads=misleads,
        needs=frozenset({"output"}),
        hides=True,
        signed=signed,
        settings=HsicSettings,
        run=run,
        example=SHORT,
        cost=whole_budget,
    )


_VALUE = r"\frac{2}{n} \, \tilde z_u^\top L \, \tilde z_u, \quad L_{ab} = e^{-(p^c_a - p^c_b)^2 / 2 \sigma^2}"

HSIC = _row(
    "hsic",
    "HSIC",
    "Measures for each cell of a grid how much the answer depends on whether it is visible.",
    r"M_c(u) = " + _VALUE,
    "A cell that speaks against the class counts as much as one that speaks for it.",
    signed=False,
)

HSIC_SIGNED = _row(
    "hsic-signed",
    "HSIC, signed",
    "HSIC of each cell, with the sign of how its visibility and the answer go together.",
    r"M_c(u) = \operatorname{sgn} \operatorname{Cov}\big(z_u, p^c\big) \, " + _VALUE,
    "The sign is no part of the published method, and is chance where a cell's effect changes with the others.",
    signed=True,
)
