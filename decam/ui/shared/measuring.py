"""How maps are judged and repeated: steps and fills of the curves, and the seed."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from decam.experiments.plan import MAX_SEED, Fills, MetricChoice, Plan
from decam.metrics.base import FILLS, FaithfulnessSettings
from decam.ui.shared import metric_forms

LARGEST_IN_BROWSER = 2**53 - 1
DEFAULT: Fills = ("mean", "blur")
EXPLAINED = (
    "Blur: a Gaussian-blurred copy; box-blur: a copy averaged over squares; mean: the colour that is zero after the "
    "model's normalisation; black: zero; noise: random colours."
)


@dataclass(frozen=True)
class Measuring:
    """What a plan needs to know beside pictures, model and methods."""

    seed: int
    steps: int
    fills: tuple[Fills, ...]
    metrics: tuple[MetricChoice, ...] = ()


def panel() -> Measuring:
    """Draw the settings of the curves and the seed."""
    steps = {parameter.name: parameter for parameter in FaithfulnessSettings.parameters()}["steps"]
    for key, value in (("steps", steps.default), ("deletion_fill", DEFAULT[0]), ("insertion_fill", DEFAULT[1])):
        st.session_state.setdefault(key, value)
    st.session_state.setdefault("swapped", True)
    st.session_state.setdefault("seed", 0)
    with st.expander("Measuring and seed"):
        count = st.number_input(
            "Steps",
            min_value=int(steps.low or 1),
            max_value=int(steps.high or 1),
            key="steps",
            help=steps.help,
            persist_state="session",
        )
        deletion = st.selectbox(
            "Deletion by",
            FILLS,
            key="deletion_fill",
            help=f"Changes what hides the pixels that are deleted, and with it which method looks best. {EXPLAINED}",
            persist_state="session",
        )
        insertion = st.selectbox(
            "Insertion from",
            FILLS,
            key="insertion_fill",
            help=f"Changes what the picture starts from when pixels are inserted; blurs show the most. {EXPLAINED}",
            persist_state="session",
        )
        swapped = st.toggle(
            "Also with the two swapped",
            key="swapped",
            help="Rankings of methods change with the fill, so measure with both.",
            persist_state="session",
        )
        metrics = metric_forms.panel()
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=min(MAX_SEED, LARGEST_IN_BROWSER),
            key="seed",
            help="Where all random numbers begin: the same seed gives the same maps.",
            persist_state="session",
        )
    pairs = [(deletion, insertion)]
    if swapped and deletion != insertion:
        pairs.append((insertion, deletion))
    return Measuring(seed=int(seed), steps=count, fills=tuple(pairs), metrics=tuple(metrics))


def restore(plan: Plan) -> None:
    """Set the widgets to what a plan says."""
    st.session_state["seed"] = min(plan.seed, LARGEST_IN_BROWSER)
    st.session_state["steps"] = plan.steps
    metric_forms.restore(plan.metrics)
    if plan.fills:
        deletion, insertion = plan.fills[0]
        st.session_state["deletion_fill"], st.session_state["insertion_fill"] = deletion, insertion
        st.session_state["swapped"] = (insertion, deletion) in plan.fills[1:]
