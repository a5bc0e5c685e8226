"""MC-RISE: random masks whose hidden cells take one of several colours, in place of one fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.explanation import Map, Question, Steps
from decam.methods.base import SHORT, Method
from decam.methods.perturbation.occlusion_and_rise import shifted
from decam.methods.support.budgeted import BudgetedQueries, portions, whole_budget
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
}
ALL = "all"


@dataclass(frozen=True)
class McRiseSettings(Settings):
    """How many random masks, of what kind, and which colour's map is wanted."""

    budget: int = parameter(1000, "Random masks, one evaluation each.", low=16, high=50_000)
    cells: int = parameter(7, "Cells a side of the random grid behind a mask.", low=2, high=32)
    visible: float = parameter(0.5, "Probability that a cell is visible.", low=0.05, high=0.95, step=0.05)
    colour: str = parameter(
        ALL,
        "What is shown of the colours that replace hidden cells: the mean over all, or what one of them does.",
        choices=(ALL, *COLOURS),
    )


def coloured_shares(count: int, settings: McRiseSettings, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Shares of the picture and of each colour in every pixel, N×(1 + colours)×H×W, which add up to 1.

    A cell is visible with the probability that the settings name, and otherwise takes one of the colours, each with
    the same probability. Grids are interpolated and shifted as RISE's are.
    """
    side = settings.cells + 1
    visible = torch.rand(count, side, side, generator=generator) < settings.visible
    drawn = torch.randint(1, len(COLOURS) + 1, (count, side, side), generator=generator)
    kinds = torch.where(visible, 0, drawn)
    return shifted(F.one_hot(kinds, len(COLOURS) + 1).movedim(-1, 1).float(), size, generator)


def mc_rise(question: Question, settings: McRiseSettings, seed: int) -> Steps:
    """How much higher the answer is with a pixel visible than with it coloured (Hatakeyama et al. 2020), H×W, signed.

    The mean of p^c m₀ / q − p^c K mₖ / (1 − q) over masks, with q the probability of a visible cell, m₀ the share of
    the picture and mₖ that of one of the K colours: the published map of a colour with its sign turned, so that what
    speaks for the class is positive. For all colours it is the mean of their maps.
    """
    height, width = question.classifier.input_size
    queries = BudgetedQueries(question, "black", seed, settings.budget)
    generator = generator_of(seed)
    palette = torch.tensor(list(COLOURS.values()))
    wanted = torch.tensor([settings.colour in (ALL, name) for name in COLOURS])
    total = torch.zeros(1 + len(COLOURS), height * width)
    done = 0
    for count in portions(settings.budget):
        shares = coloured_shares(count, settings, (height, width), generator)
        coloured = torch.einsum("nkhw,kc->nchw", shares[:, 1:], palette)
        pictures = shares[:, :1].to(queries.device) * question.image + coloured.to(queries.device)
        answers = yield from queries.pictures(pictures.clamp_(0, 1))
        total += torch.einsum("n,nkp->kp", answers, shares.flatten(2))
        done += count
        hidden = len(COLOURS) * total[1:][wanted].mean(0) / (1 - settings.visible)
        found: Map = ((total[0] / settings.visible - hidden) / done).view(height, width).numpy().astype(np.float32)
        queries.saliency = found
        yield queries.progress()
    return found


MC_RISE = Method(
    name="mc-rise",
    title="MC-RISE",
    family="perturbation",
    summary="Paints the hidden cells of RISE's random masks, and compares the answers with a pixel visible and with it "
    "coloured.",
    formula=r"M_c(u) = \frac{1}{n} \sum_{i=1}^n p^c(x_i) \Big(\frac{m_{i,0}(u)}{q} - "
    r"\frac{K \, m_{i,k}(u)}{1 - q}\Big)",
    reference="Hatakeyama et al., Visualizing Color-wise Saliency of Black-Box Image Classification Models (2020)",
    url="https://openaccess.thecvf.com/content/ACCV2020/papers/"
    "Hatakeyama_Visualizing_Color-wise_Saliency_of_Black-Box_Image_Classification_Models_ACCV_2020_paper.pdf",
    strengths="No fill to choose, and it tells which colour of a part the class depends on.",
    misleads="Coloured squares are shapes of their own, which some classes have; calm only after thousands of masks.",
    needs=frozenset({"output"}),
    signed=True,
    settings=McRiseSettings,
    run=mc_rise,
    example=SHORT,
    cost=whole_budget,
)
