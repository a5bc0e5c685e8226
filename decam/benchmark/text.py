"""Numbers, times and settings as a benchmark's tables say them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from decam.classifier import ENGINES, Execution


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def verdict(met: bool) -> str:
    """How an aim ended, in a word."""
    return "met" if met else "missed"


def execution(chosen: Execution) -> str:
    """How a model is asked, in words."""
    layout = "channels last" if chosen.channels_last else "contiguous"
    manner = ENGINES[chosen.engine].manner
    layout += f", {manner}" if manner else ""
    side = f", {chosen.parallel_batches} side by side" if chosen.parallel_batches > 1 else ""
    return f"{chosen.precision}, {layout}, batch {chosen.batch_size}{side}"


def row(cells: Iterable[object]) -> str:
    """A line of a Markdown table."""
    return f"|{''.join(f' {text} |' if (text := str(cell)) else ' |' for cell in cells)}"


def head(titles: Sequence[str]) -> str:
    """The two lines that begin a Markdown table."""
    return f"{row(titles)}\n{'|---' * len(titles)}|"


def table(titles: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    return "\n".join([head(titles), *map(row, rows)])
