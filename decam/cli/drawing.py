"""The command draw: the maps of an export as a figure for a paper, or as one page to send."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from decam.cli.choices import refuse_idle
from decam.cli.codes import OK
from decam.cli.terminal import visible
from decam.errors import SettingError, StoreError
from decam.experiments.grid import Grid
from decam.export import page
from decam.export.drawing import FORMATS, curves_bytes, figure_bytes
from decam.export.reading import grid_of
from decam.export.replay import read
from decam.figures.look import Look
from decam.files import write_atomically

PAGE = "html"
LOOKS = ("colours", "opacity", "shared", "extremes", "by_rank", "contours")
"""The options that say how maps of images are drawn."""


def draw(given: argparse.Namespace) -> int:
    """Draw an export into one file, whose ending says what it becomes."""
    out, look = Path(given.out), look_of(given)
    make = _maker(given, out, look)
    grid = grid_of(read(Path(given.settings)))
    if grid.plan.about_classes:
        refuse_idle(given, LOOKS, "in an export about classes, whose maps are drawn as they are")
    content = make(grid)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, content)
    except OSError as error:
        raise StoreError(f"{out} cannot be written ({error.strerror or error}); give another file.") from error
    print(visible(f"Written to {out} ({len(content) / 1e6:.1f} MB)."))
    return OK


def look_of(given: argparse.Namespace) -> Look:
    """How maps are drawn, as the arguments say."""
    standard = Look()
    return Look(
        colours=given.colours or standard.colours,
        opacity=standard.opacity if given.opacity is None else given.opacity,
        shared=given.shared,
        extremes=given.extremes,
        ranks=given.by_rank,
        contours=given.contours,
    )


def _maker(given: argparse.Namespace, out: Path, look: Look) -> Callable[[Grid], bytes]:
    """What makes the file; raises SettingError for an ending that no file has, and for options that do nothing."""
    kind = out.suffix.removeprefix(".").lower()
    if kind not in (*FORMATS, PAGE):
        endings = ", ".join(f".{one}" for one in (*FORMATS, PAGE))
        raise SettingError(f"--out is {out.name}, but its ending says what is drawn; give one of {endings}.")
    if kind == PAGE:
        refuse_idle(given, ("metric", "curves"), "with --out FILE.html: a page has all values and curves")
    if given.curves:
        refuse_idle(given, ("metric", *LOOKS), "with --curves")
    if given.by_rank:
        refuse_idle(given, ("shared", "extremes"), "with --by-rank")
    if kind == PAGE:
        return partial(page.page_bytes, look=look)
    if given.curves:
        return partial(curves_bytes, kind=kind)
    return lambda grid: figure_bytes(grid, kind, look, metrics=_metrics(grid, given.metric))


def _metrics(grid: Grid, names: list[str]) -> list[str]:
    """The keys of all metrics of the export that have one of these names."""
    known = dict.fromkeys(choice.name for choice in grid.plan.metrics)
    for name in names:
        if name not in known:
            raise SettingError(f"The export has no metric {name!r}; it has: {', '.join(known) or 'none'}.")
    return [choice.key for choice in grid.plan.metrics if choice.name in names]
