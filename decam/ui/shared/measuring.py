"""How maps are measured and repeated: the metrics with their settings, and the seed."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from decam.experiments.plan import MetricChoice, Plan, paired_metrics, usual_metrics
from decam.experiments.questions import MAX_SEED
from decam.metrics.base import FILLS, FaithfulnessSettings
from decam.ui.shared import metric_forms

LARGEST_IN_BROWSER = 2**53 - 1
DEFAULT = ("mean", "blur")
EXPLAINED = (
    "Blur: a Gaussian-blurred copy; box-blur: a copy averaged over squares; mean: the colour that is zero after the "
    "model's normalisation; black: zero; noise: random colours."
)


@dataclass(frozen=True)
class Measuring:
    """What a plan needs to know beside pictures, model and methods."""

    seed: int
    metrics: tuple[MetricChoice, ...] = ()


def panel() -> Measuring:
    """Draw the settings of the curves and the seed."""
    steps = {parameter.name: parameter for parameter in FaithfulnessSettings.parameters()}["steps"]
    for key, value in (("steps", steps.default), ("deletion_fill", DEFAULT[0]), ("insertion_fill", DEFAULT[1])):
        st.session_state.setdefault(key, value)
    st.session_state.setdefault("swapped", True)
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
            help=f"Choose what replaces deleted pixels. It changes which method looks best. {EXPLAINED}",
            persist_state="session",
        )
        insertion = st.selectbox(
            "Insertion from",
            FILLS,
            key="insertion_fill",
            help=f"Choose what the image starts from when pixels are inserted. Blurs show the most. {EXPLAINED}",
            persist_state="session",
        )
        swapped = st.toggle(
            "Also measure with fills swapped",
            key="swapped",
            help="Rankings of methods change with the fill, so measure with both.",
            persist_state="session",
        )
        metrics = metric_forms.panel()
        seed = seed_field("Start of all random numbers: the same seed gives the same maps.")
    pairs = [(deletion, insertion)]
    if swapped and deletion != insertion:
        pairs.append((insertion, deletion))
    return Measuring(seed, tuple(dict.fromkeys((*usual_metrics(pairs, count), *metrics))))


def seed_field(help: str, spare: int = 0) -> int:
    """Draw the field of the seed, which all pages share; so many numbers above it are seeds too."""
    st.session_state.setdefault("seed", 0)
    seed = st.number_input(
        "Seed",
        min_value=0,
        max_value=min(MAX_SEED, LARGEST_IN_BROWSER) - spare,
        key="seed",
        help=help,
        persist_state="session",
    )
    return int(seed)


def restore_seed(plan: Plan, spare: int = 0) -> None:
    """Set the field of the seed to a plan's, as far as a browser can hold that number and those above it."""
    st.session_state["seed"] = min(plan.seed, LARGEST_IN_BROWSER - spare)


def restore(plan: Plan) -> None:
    """Set the widgets to what a plan says."""
    restore_seed(plan)
    metric_forms.restore([choice for choice in plan.metrics if choice.name in metric_forms.OFFERED])
    pairs = [
        (deletion.settings.to_mapping(), insertion.settings.to_mapping())
        for insertion, deletion in paired_metrics(plan.metrics)
    ]
    if not pairs:
        return
    deletion, insertion = pairs[0]
    st.session_state["steps"] = deletion["steps"]
    st.session_state["deletion_fill"], st.session_state["insertion_fill"] = deletion["fill"], insertion["fill"]
    swapped = (insertion["fill"], deletion["fill"])
    st.session_state["swapped"] = swapped in [(one["fill"], other["fill"]) for one, other in pairs[1:]]
