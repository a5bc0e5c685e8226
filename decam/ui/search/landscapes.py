"""A walk of Differential Evolution over a landscape of the visitor's choice, which the page's address keeps."""

from __future__ import annotations

from typing import Any

import streamlit as st

from decam.errors import SettingError
from decam.evolution.differential_evolution import CONTROLS, EvolutionSettings
from decam.evolution.operators import CROSSOVERS, STRATEGIES
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import CLOSE
from decam.ui import text
from decam.ui.shared import landscape
from decam.ui.shared.landscape import Choice

FIRST = ("himmelblau", "rastrigin", "sphere")
CONTROL_TITLES = {"jde": "jDE", "shade": "SHADE", "l-shade": "L-SHADE"}
NAMES = (*FIRST, *(name for name in LANDSCAPES if name not in FIRST))


def show() -> None:
    """Draw the controls and the trajectory that they make. The page's address keeps what differs from the defaults."""
    try:
        with st.container(key="landscape-controls"):
            choice = _controls()
        landscape.draw(choice, "landscape")
    except SettingError as error:
        st.error(text.plain(str(error)))


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
