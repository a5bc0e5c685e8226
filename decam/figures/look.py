"""How the maps of a grid are drawn: the look that a reader has chosen, and what it makes of each map."""

from __future__ import annotations

from dataclasses import dataclass

from decam.classifier import Pixels
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.explanation import Explanation
from decam.figures.colours import SEQUENTIAL
from decam.figures.contours import contoured
from decam.figures.legend import Scale, scale_of
from decam.figures.overlays import OPACITY, overlay
from decam.methods import described
from decam.metrics.scales import shared_limits


@dataclass(frozen=True)
class Look:
    """How overlays are drawn: colour map of unsigned maps, opacity in [0, 1], one scale a method or one a map.

    The top 1 % of a map's values lie beyond the ends of its colours, none with `extremes`. With `ranks` colours stand
    for the share of a map that is lower, in the place of its values. `contours` are lines about its top 5, 20 and 50 %.
    """

    colours: str = SEQUENTIAL[0]
    opacity: float = OPACITY
    shared: bool = False
    extremes: bool = False
    ranks: bool = False
    contours: bool = False


def finished(grid: Grid) -> dict[CellKey, Explanation]:
    """The finished maps of a grid, question after question."""
    return {key: cell.explanation for key, cell in sorted(grid.cells.items()) if cell.explanation is not None}


def row_title(grid: Grid, question: int) -> str:
    """What a question is about; for a variant of the model also what was drawn anew."""
    variant = grid.plan.questions[question].model.variant
    subject = grid.subject_of(question)
    return subject if variant is None else f"{variant.stage} · {subject}"


def scales(grid: Grid, look: Look) -> dict[CellKey, Scale]:
    """How each map is drawn; a shared scale holds for all pictures of a method, since methods differ in units."""
    found = {}
    maps = finished(grid)
    for key, explanation in maps.items():
        signed = described(explanation.method).signed
        alike = [other.saliency for place, other in maps.items() if place.method == key.method and not other.silent]
        found[key] = scale_of(
            explanation.saliency,
            signed,
            silent=explanation.silent,
            by_rank=look.ranks,
            extremes=look.extremes,
            limits=shared_limits(alike, signed, extremes=look.extremes) if look.shared and alike else None,
        )
    return found


def drawn(view: Pixels, explanation: Explanation, scale: Scale, look: Look) -> Pixels:
    """A map over its picture as the look has it, H×W×3 uint8; a silent map has no lines."""
    pixels = overlay(
        view,
        scale.values,
        signed=described(explanation.method).signed,
        colours=look.colours,
        opacity=look.opacity,
        limits=scale.limits,
    )
    return contoured(pixels, explanation.saliency) if look.contours and not explanation.silent else pixels
