"""Results that draw themselves where a notebook shows them, and become figures, tables and pages when asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Self

from decam.classifier.certainty import decimal
from decam.experiments.cells import CellKey
from decam.experiments.events import Explained
from decam.experiments.grid import Grid
from decam.experiments.kinds import Reading, reading
from decam.experiments.kinds.backdoors import THRESHOLD, Suspicion, verdict
from decam.explanation import ClassExplanation, Explanation
from decam.export.findings import reading_html
from decam.export.frames import map_frame, measured_frame
from decam.export.page import page_bytes
from decam.export.stimulus_set import write_stimuli
from decam.figures.look import Look
from decam.figures.overlays import data_uri
from decam.figures.stimulus import Display

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


SCREEN_DPI = 150
"""Dots an inch of the figure that a notebook keeps: enough for a sharp screen, a quarter of the bytes for print."""
INCH = 7.5
"""How wide a notebook shows an inch of a figure, in rem."""


@dataclass(frozen=True)
class Comparison(Grid):
    """A grid whose maps a notebook shows as a figure, and that gives the figure for changes of one's own."""

    @classmethod
    def of(cls, grid: Grid) -> Comparison:
        """The grid as it is, able to draw itself."""
        return cls(**{one.name: getattr(grid, one.name) for one in fields(grid)})

    def figure(self, look: Look | None = None, *, metrics: Sequence[str] = ()) -> Figure:
        """The maps as a figure of matplotlib; arguments and errors are those of `grid_figure`."""
        from decam.figures.grid_figure import grid_figure  # matplotlib takes a second to import

        return grid_figure(self, look, metrics=metrics)

    def to_dataframe(self) -> DataFrame:
        """One line for each picture, method and metric, as a table of pandas; see `measured_frame`."""
        return measured_frame(self)

    def reading(self) -> tuple[Reading, ...]:
        """What the grid has found, in words that follow from its numbers: sentences, each with its subject."""
        return reading(self)

    def to_html(self, look: Look | None = None) -> str:
        """The maps as one page that opens anywhere without a network; errors are those of `page_bytes`."""
        return page_bytes(self, look).decode()

    def stimuli(self, out: str | Path, *, seed: int = 0, **display: int | float | str | bool) -> int:
        """Write all maps as blind stimuli for a study into a folder or a .zip file; how many there are.

        `display` are fields of `decam.export.Display`: view, colours, opacity, scale, size, area. Errors are those of
        `write_stimuli`, and SettingError for a field that does not exist or a bad value.
        """
        return write_stimuli(self, Path(out), Display.from_mapping(display), seed)

    def _repr_html_(self) -> str:
        """What a notebook shows: the figure, what it says in words, and what could not be made."""
        lines = [
            f"<p>{escape(self.plan.titles()[key.method])} · {escape(self.subject_of(key.question))}: "
            f"{escape(cell.error)}</p>"
            for key, cell in sorted(self.cells.items())
            if cell.error
        ]
        if any(cell.explanation is not None for cell in self.cells.values()):
            of = [one.name for one in self.plan.pictures] or [self.subject_of(0)]
            about = f"Saliency maps: {', '.join(self.plan.titles())} on {', '.join(of)}"
            lines = [_image(self.figure(), about), *filter(None, [reading_html(self)]), *lines]
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class ShownExplanation(Explanation):
    """An explanation that knows its picture: a notebook shows it, and it becomes a figure, a table or a page.

    `begun` is the grid of its one question before it was answered.
    """

    begun: Grid = field(repr=False, compare=False)

    @classmethod
    def of(cls, explanation: Explanation, begun: Grid) -> Self:
        """The explanation as it is, able to draw itself."""
        fields = {one.name: getattr(explanation, one.name) for one in dataclasses.fields(explanation)}
        return cls(**fields, begun=begun)

    def figure(self, look: Look | None = None) -> Figure:
        """The picture and its map with a colour bar as a figure of matplotlib."""
        return _grid(self, self.begun).figure(look)

    def to_dataframe(self) -> DataFrame:
        """One line that says what the map is of and what it cost, as a table of pandas."""
        return map_frame(_grid(self, self.begun))

    def to_html(self, look: Look | None = None) -> str:
        """The map as one page that opens anywhere without a network."""
        return _grid(self, self.begun).to_html(look)

    def _repr_html_(self) -> str:
        """What a notebook shows: the figure, what was asked, and what a reader must know of the map."""
        return _shown(self, self.begun)


@dataclass(frozen=True, kw_only=True)
class ShownClassExplanation(ClassExplanation, ShownExplanation):
    """What a model takes a class to be, shown in a notebook as its pattern."""


class Suspicions(tuple[Suspicion, ...]):
    """How odd each class of a model is, the oddest first; a notebook shows scores and a verdict."""

    __slots__ = ()

    def __new__(cls, found: Iterable[Suspicion]) -> Self:
        return super().__new__(cls, found)

    def figure(self) -> Figure:
        """The scores with their lowest and highest over the seeds as a figure of matplotlib."""
        from decam.figures.score_sheet import score_sheet

        return score_sheet([(one.label, one.score, one.low, one.high) for one in self], THRESHOLD)

    def to_dataframe(self) -> DataFrame:
        """One line a class, the oddest first, as a table of pandas."""
        from pandas import DataFrame

        names = [one.name for one in dataclasses.fields(Suspicion)]
        return DataFrame([dataclasses.asdict(one) for one in self], columns=names)

    def to_html(self) -> str:
        """The scores and the verdict as one page that opens anywhere without a network."""
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Backdoors</title></head>'
            f"<body>\n{self._repr_html_()}\n</body></html>\n"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, and the scores as a figure."""
        figure = _image(self.figure(), "How odd each class is") if self else ""
        return f"<p>{escape(verdict(self))}</p>\n{figure}"


def _grid(explanation: Explanation, begun: Grid) -> Comparison:
    """The grid of the explanation's one question, answered."""
    return Comparison.of(begun.after(Explained(CellKey(0, 0), explanation)))


def _shown(explanation: Explanation, begun: Grid) -> str:
    title = begun.plan.titles()[0]
    facts = (
        f"{title} for {explanation.label} ({decimal(explanation.probability)}), {explanation.evaluations:,} evaluations"
    )
    figure = _image(_grid(explanation, begun).figure(), f"Saliency map: {facts}")
    said = (one.sentence for one in reading(_grid(explanation, begun)))
    return "\n".join([figure, *(f"<p>{escape(line)}</p>" for line in (f"{facts}.", *said, *explanation.notes))])


def _image(figure: Figure, about: str) -> str:
    """A figure as an image of its own width; a figure as wide as a page is as wide as a notebook's text."""
    from decam.figures import printed

    source = data_uri(printed.file_bytes(figure, "png", dpi=SCREEN_DPI))
    width = f"{figure.get_figwidth() * INCH:.3g}rem"
    return f'<img alt="{escape(about)}" style="max-width:100%;width:{width}" src="{source}">'
