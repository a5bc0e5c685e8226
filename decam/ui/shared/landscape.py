"""Differential Evolution where it can be seen whole: a population that moves over a landscape in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import log10
from typing import Any

import streamlit as st

from decam.evolution.differential_evolution import EvolutionSettings
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import DIMENSIONS, Step, heights, trajectory
from decam.export.wire import short
from decam.figures import convergence_figure, method_colour, png_bytes
from decam.figures.relief import relief
from decam.methods.base import Series
from decam.ui import state, text
from decam.ui.components import source, styles
from decam.ui.components.charts import figures, live
from decam.ui.components.grid.grid import address
from decam.ui.shared import generations
from decam.ui.shared.generations import Moment

SIDE = 480
SERIES = (
    Series("gap", "Above the minimum", "Lowest value found, above the known minimum, as a power of ten.", "Log₁₀ gap"),
    Series("diversity", "Diversity", "Mean distance of the individuals from their mean.", "Diversity"),
    Series("accepted", "Accepted trials", "Trials that replaced their target in this generation.", "Accepted"),
    Series("weight", "F", "Differential weight, mean over the trials.", "F and CR"),
    Series("rate", "CR", "Crossover rate, mean over the trials.", "F and CR"),
)
PRINTED = (replace(SERIES[0], title="Log₁₀ of the height above the minimum"), *SERIES[1:])
"""The same on paper, where an axis has one title of its own."""

_VIEW = st.components.v2.component(
    "decam_landscape",
    css=styles("shared/base.css", "charts/chart.css", "search/player.css", "search/search.css", "search/landscape.css"),
    js=source("search/landscape.js"),
)


@dataclass(frozen=True)
class Reported:
    """A generation as charts take it: the evaluations so far, and the values by the names of the series."""

    evaluations: int
    curves: Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """What a walk is made from."""

    landscape: str
    settings: EvolutionSettings
    seed: int


def draw(choice: Choice, key: str) -> None:
    """Draw one trajectory; raises SettingError for settings that do not fit together."""
    steps = _walked(choice)
    st.caption(text.plain(LANDSCAPES[choice.landscape].summary))
    _VIEW(key=key, data=payload(choice, steps))
    moments = [Reported(step.evaluations, _values(step, LANDSCAPES[choice.landscape].lowest)) for step in steps]
    title, settings = LANDSCAPES[choice.landscape].title, choice.settings
    about = f"Differential Evolution on {title}, {settings.strategy}, seed {choice.seed}"
    figures.files(partial(convergence_figure, moments, PRINTED), key, about)


def payload(choice: Choice, steps: tuple[Step, ...]) -> dict[str, Any]:
    """The data for the browser, ready for JSON."""
    landscape = LANDSCAPES[choice.landscape]
    points = [(step.evaluations, _values(step, landscape.lowest)) for step in steps]
    colours = [method_colour(index, state.dark()) for index in range(len(SERIES))]
    charts = live.payload(SERIES, colours, points, 0, ())
    return {
        "key": repr(choice),
        "picture": address(_relief(choice.landscape), "landscape.relief"),
        "limits": [landscape.low, landscape.high],
        "minimisers": landscape.minimisers(DIMENSIONS).tolist(),
        "lowest": landscape.lowest,
        "generations": [
            generations.sent(Moment(number, step.evaluations, step.trace)) | {"reached": short(step.lowest)}
            for number, step in enumerate(steps, start=1)
        ],
        "charts": {name: charts[name] for name in ("groups", "places", "limits")},
    }


def _values(step: Step, lowest: float) -> dict[str, float]:
    return {
        "gap": log10(max(step.lowest - lowest, 1e-16)),
        "diversity": step.diversity,
        "accepted": step.accepted,
        "weight": step.weight,
        "rate": step.rate,
    }


@st.cache_data(show_spinner=False, max_entries=64)
def _walked(choice: Choice) -> tuple[Step, ...]:
    return trajectory(LANDSCAPES[choice.landscape], choice.settings, choice.seed)


@st.cache_data(show_spinner=False)
def _relief(name: str) -> bytes:
    landscape = LANDSCAPES[name]
    return png_bytes(relief(heights(landscape, SIDE).numpy(), landscape.lowest))
