"""Controls of DE-CAM's search: Shapley values and a ridge on its cells, with its guided filter, but nothing evolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from decam.explanation import Map, Question, Steps
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.de_cam.encoding import Encoding
from decam.methods.de_cam.seeding import SmoothRidge
from decam.methods.support.budgeted import BudgetedQueries, sampled, whole_budget
from decam.methods.support.seeded_globals import generator_of
from decam.methods.surrogate.regression import WeightedRegression
from decam.methods.surrogate.superpixels import shapley_design, shapley_weights
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class EdgeCellsSettings(Settings):
    """What the regression may cost, and DE-CAM's reading of cells."""

    budget: int = parameter(1000, "Random sets of cells, one evaluation each.", low=16, high=50_000)
    cells: int = parameter(10, "Cells a side of the grid; more need a larger budget.", low=2, high=16)
    follow_edges: bool = parameter(
        True, "Fit masks and map to the image's edges (guided filter); off, the grid is interpolated."
    )
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


def even_design(count: int, features: int, generator: torch.Generator) -> Tensor:
    """Sets of cells (count×features) in which each is with probability ½."""
    return torch.rand(count, features, generator=generator) < 0.5


def shapley_values(rows: Tensor, answers: Tensor) -> Tensor:
    """The coefficients (d) of Lundberg and Lee's weighted least squares (2017, theorem 2), from a `shapley_design`."""
    regression = WeightedRegression()
    regression.fit([(rows, answers, shapley_weights(rows))])
    return regression.representation()[0]


def ridge_weights(rows: Tensor, answers: Tensor) -> Tensor:
    """The coefficients (d) of an ordinary ridge, its strength by generalised cross-validation."""
    ridge = SmoothRidge(round(rows.shape[1] ** 0.5), smooth=False)
    ridge.add(rows.float(), answers)
    return ridge.fit().mean


def edge_cells(
    design: Callable[[int, int, torch.Generator], Tensor],
    weights: Callable[[Tensor, Tensor], Tensor],
    question: Question,
    settings: EdgeCellsSettings,
    seed: int,
) -> Steps:
    """The weights of the cells in a linear model of the answers, read as a map the way DE-CAM reads its vectors.

    The same reading, cut to [0, 1], makes masks of sets of cells.
    """
    queries = BudgetedQueries(question, settings.fill, seed, settings.budget)
    encoding = Encoding(settings.cells, question.image, settings.follow_edges)

    def masks(rows: Tensor) -> Tensor:
        return encoding.maps(rows.float()).clamp_(0, 1).unsqueeze(1)

    def read(rows: Tensor, answers: Tensor) -> Map:
        found: Map = encoding.maps(weights(rows, answers).unsqueeze(0))[0].cpu().numpy()
        return found

    rows = design(settings.budget, settings.cells**2, generator_of(seed))
    return (yield from sampled(queries, rows, masks, read))


CELL_KERNEL_SHAP = Method(
    name="cell-kernel-shap",
    title="KernelSHAP on cells",
    family="surrogate",
    summary="Estimates the Shapley value of each cell of DE-CAM's grid, with masks and map fitted to the image's "
    "edges.",
    formula=r"M_c = G\Big[\arg\min_\phi \sum_z \pi(z) \big(p^c(x \odot G[z]) - \phi \cdot z - b\big)^2\Big]",
    reference="Lundberg & Lee, A Unified Approach to Interpreting Model Predictions (2017), on DE-CAM's cells",
    url="https://arxiv.org/abs/1705.07874",
    strengths="Tells whether DE-CAM's maps are better for the search or for cells and filter alone.",
    misleads="Cells overlap once they follow edges, so that their values add up only about to the difference.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=EdgeCellsSettings,
    run=partial(edge_cells, shapley_design, shapley_values),
    example=SHORT,
    cost=whole_budget,
)

CELL_RIDGE = Method(
    name="cell-ridge",
    title="Ridge on cells",
    family="surrogate",
    summary="Fits a linear model to the answers for random sets of the cells of DE-CAM's grid, with masks and map "
    "fitted to the image's edges.",
    formula=r"M_c = G\Big[\arg\min_w \sum_z \big(p^c(x \odot G[z]) - w \cdot z - b\big)^2 + \lambda \lVert w "
    r"\rVert^2\Big]",
    reference="Golub, Heath & Wahba, Generalized Cross-Validation (1979), on DE-CAM's cells",
    url="https://doi.org/10.1080/00401706.1979.10489751",
    strengths="The plainest account of the same cells: no kernel, no search, its strength chosen by the answers.",
    misleads="Half of the image is always hidden: what only a whole object says is not heard.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=EdgeCellsSettings,
    run=partial(edge_cells, even_design, ridge_weights),
    example=SHORT,
    cost=whole_budget,
)
