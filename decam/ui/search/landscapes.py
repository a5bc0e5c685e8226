"""Differential Evolution where it can be seen whole: a population that moves over a landscape in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import log10
from typing import Any

import streamlit as st

from decam.errors import SettingError
from decam.evolution.differential_evolution import CONTROLS, EvolutionSettings
from decam.evolution.operators import CROSSOVERS, STRATEGIES
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import CLOSE, DIMENSIONS, Step, heights, trajectory
from decam.export.wire import short
from decam.figures import convergence_figure, method_colour, png_bytes
from decam.figures.relief import relief
from decam.methods.base import Series
from decam.ui import state, text
from decam.ui.compare import generations
from decam.ui.compare.generations import Moment
from decam.ui.components import source, styles
from decam.ui.components.charts import figures, live
from decam.ui.components.grid.grid import address

SIDE = 480
FIRST = ("himmelblau", "rastrigin", "sphere")
CONTROL_TITLES = {"jde": "jDE", "shade": "SHADE", "l-shade": "L-SHADE"}
NAMES = (*FIRST, *(name for name in LANDSCAPES if name not in FIRST))
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


def show() -> None:
    """Draw the controls and the trajectory that they make. The page's address keeps what differs from the defaults."""
    try:
        with st.container(key="landscape-controls"):
            choice = _controls()
        draw(choice, "landscape")
    except SettingError as error:
        st.error(text.plain(str(error)))


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


def _kept(name: str) -> dict[str, Any]:
    """What keeps a widget's value in the page's address, so that a link leads to the same walk."""
    return {"key": f"walk-{name}", "bind": "query-params"}


def _controls() -> Choice:
    """Draw the controls in two lines, and return the choice."""
    first = st.columns([1.3, 1.6, 1.1, 1.3])
    name = first[0].selectbox(
        "Landscape",
        NAMES,
        format_func=lambda name: LANDSCAPES[name].title,
        **_kept("landscape"),
        help="Changes what is searched: its lowest places have a cross.",
    )
    strategy = first[1].selectbox(
        "Strategy",
        list(STRATEGIES),
        **_kept("strategy"),
        help="Changes where mutants start: from anywhere (rand) they explore, towards the best they converge faster.",
    )
    crossover = first[2].selectbox(
        "Crossover",
        list(CROSSOVERS),
        **_kept("crossover"),
        help="Changes which components a trial takes from its mutant: each by itself (bin) or one run of them (exp).",
    )
    control = first[3].selectbox(
        "Control of F and CR",
        CONTROLS,
        format_func=lambda name: CONTROL_TITLES.get(name, name),
        **_kept("control"),
        help="Lets F and CR stay fixed or adapt: jDE keeps what survives, SHADE learns what succeeds, and L-SHADE also "
        "lets the population shrink.",
    )
    second = st.columns([1.3, 1.3, 1, 1, 1])
    learns = control not in ("fixed", "jde")
    weight = second[0].slider(
        "F",
        0.1,
        1.5,
        0.5,
        0.05,
        disabled=learns,
        **_kept("weight"),
        help="Larger F makes longer steps, and a population that stays apart longer; jDE starts from it, SHADE and "
        "L-SHADE choose their own.",
    )
    rate = second[1].slider(
        "CR",
        0.0,
        1.0,
        0.9,
        0.05,
        disabled=learns,
        **_kept("rate"),
        help="Larger CR takes more of the mutant: near 0 trials move along one axis at a time; jDE starts from it.",
    )
    population = second[2].number_input(
        "Population",
        4,
        100,
        20,
        **_kept("population"),
        help="More individuals search wider, and each generation costs as many evaluations more.",
    )
    count = second[3].number_input(
        "Generations",
        5,
        150,
        50,
        **_kept("generations"),
        help="Lengthens the search: its evaluations are so many times the population. L-SHADE makes more and smaller "
        "generations of them. It ends sooner once all individuals have nearly the same value.",
    )
    seed = second[4].number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        **_kept("seed"),
        help="Changes the start and all that is random; the same seed repeats the walk.",
    )
    settings = EvolutionSettings(
        budget=int(population * count),
        population=int(population),
        strategy=strategy,
        crossover=crossover,
        control=control,
        weight=weight,
        rate=rate,
        absolute_tolerance=CLOSE,
    )
    return Choice(name, settings, int(seed))
