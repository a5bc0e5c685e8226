"""Curves that grow while a search runs, beside pictures of where it stands: one component, drawn again in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from decam.export.wire import colour_table, short
from decam.figures import SEQUENTIAL, table_for
from decam.methods.base import Series
from decam.ui.components import source, styles
from decam.ui.components.live import LiveRun

# The framework's own charts cost each look at a run a multiple of this one, taken from the search being watched.
_LIVE = st.components.v2.component(
    "decam_live",
    css=styles("shared/base.css", "charts/chart.css", "charts/live.css"),
    js=source("charts/live.js"),
)


@dataclass(frozen=True)
class LivePicture:
    """A picture beside the curves: its caption, and where the browser finds it."""

    title: str
    source: str


@dataclass(frozen=True)
class LiveSearch:
    """A search that goes on: its run, the keys of its row and column in the grid, and how its maps are drawn.

    `picture` is where the browser finds the picture, whose height and width are in `size`.
    """

    live: LiveRun
    place: tuple[str, str]
    picture: str
    size: tuple[int, int]
    signed: bool


def live_charts(
    series: Sequence[Series],
    colours: Sequence[str],
    points: Sequence[tuple[int, Mapping[str, float]]],
    total: int,
    pictures: Sequence[LivePicture],
    *,
    key: str,
    words: str = "",
    search: LiveSearch | None = None,
) -> None:
    """Draw one chart for each group of series over the evaluations, from 0 to `total`; `words` while there is none.

    `points` are the evaluations and the values by the name of their series. `colours` are given to the series of a
    group in turn. With a `search`, the curves and pictures go on by themselves, and whatever calls this is run again
    when that search has finished.
    """
    data = payload(series, colours, points, total, pictures, words)
    if search is not None:
        data["search"] = {
            **asdict(search),
            "series": [asdict(item) for item in series],
            "palette": list(colours),
            "colours": colour_table(table_for(SEQUENTIAL[0], search.signed)),
        }
    _LIVE(key=key, data=data, on_finished_change=_nothing)


def _nothing() -> None:
    """Nothing is left to do: Streamlit draws the page again."""


def payload(
    series: Sequence[Series],
    colours: Sequence[str],
    points: Sequence[tuple[int, Mapping[str, float]]],
    total: int,
    pictures: Sequence[LivePicture],
    words: str = "",
) -> dict[str, Any]:
    """The data for the browser, ready for JSON."""
    groups: dict[str, list[Series]] = {}
    reported = {name for _, values in points for name in values}
    for item in (item for item in series if item.name in reported):
        groups.setdefault(item.group, []).append(item)
    return {
        "groups": [
            {
                "title": group,
                "help": " ".join(f"{member.title}: {member.help}" for member in members),
                "share": all(member.share for member in members),
                "series": [
                    {
                        "title": member.title,
                        "colour": colours[place % len(colours)],
                        "values": [short(values.get(member.name)) for _, values in points],
                    }
                    for place, member in enumerate(members)
                ],
            }
            for group, members in groups.items()
        ],
        "places": [evaluations for evaluations, _ in points],
        "limits": [0, max([total, *(evaluations for evaluations, _ in points)])],
        "pictures": [asdict(picture) for picture in pictures],
        "words": words,
    }
