"""Rivals of a search, made beside it on request: other black boxes with as many evaluations."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import TorchClassifier
from decam.experiments.cells import CellKey
from decam.experiments.plan import MethodChoice
from decam.methods import METHODS
from decam.methods.presets import equal_rivals
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.runs import measure_more
from decam.ui.shared import wish
from decam.ui.shared.run_pages import model_of

AT_FIRST = ("greedy-regions", "rise", "cma-es")


def show(snapshot: RunSnapshot, place: CellKey) -> None:
    """Draw the choice of rivals and the button that makes their maps, for whoever may change the run.

    Raises DecamError without the model's weights.
    """
    if not state.may_change(snapshot):
        return
    classifier = model_of(snapshot)
    spent = _spent(snapshot, place, classifier)
    choices = _choices(snapshot, classifier, spent)
    if not choices:
        st.caption("All methods that can be compared with this search stand beside it already.")
        return
    key = f"rivals-{snapshot.id}"
    st.session_state[key] = [name for name in st.session_state.get(key, AT_FIRST) if name in choices]
    with st.container(key="rivals", gap="small"):
        wanted = st.pills(
            "Compare with",
            list(choices),
            selection_mode="multi",
            wrap=True,
            format_func=lambda name: METHODS[name].title,
            key=key,
            persist_state="session",
            help="Black boxes whose maps are made beside this search's: same image, model, class and seed, and as "
            "many evaluations. Their other settings are their defaults.",
        )
        st.button(
            "Compare",
            key="compare-rivals",
            icon=":material/add:",
            disabled=not wanted,
            help="Makes one map per method for each image of this run. Finished maps are kept.",
            on_click=measure_more.add,
            args=(state.runs().explain, snapshot.id, [choices[name] for name in wanted]),
        )
    if wanted:
        st.caption(_work(snapshot, classifier, [choices[name] for name in wanted], spent))


def _spent(snapshot: RunSnapshot, place: CellKey, classifier: TorchClassifier) -> int:
    """The evaluations that a search cost, or those that it may cost while it is not finished."""
    own, made = snapshot.plan.methods[place.method], snapshot.cells[place].explanation
    return METHODS[own.name].cost(own.settings, classifier) if made is None else made.evaluations


def _choices(snapshot: RunSnapshot, classifier: TorchClassifier, spent: int) -> dict[str, MethodChoice]:
    """The rivals that the run does not have yet, by name, each with so many evaluations or the nearest it takes."""
    choices = [MethodChoice(name, settings) for name, settings in equal_rivals(classifier, spent).items()]
    return {choice.name: choice for choice in choices if choice not in snapshot.plan.methods}


def _work(snapshot: RunSnapshot, classifier: TorchClassifier, choices: Sequence[MethodChoice], spent: int) -> str:
    """What the maps would cost, and which methods cannot spend as much as the search."""
    count = len(snapshot.plan.questions)
    total = count * sum(METHODS[one.name].cost(one.settings, classifier) for one in choices)
    sentences = [wish.cost(classifier, text.several(count * len(choices), "map"), total)]
    for one in choices:
        budget = int(one.settings.to_mapping()["budget"])
        if budget != spent:
            most = "most" if budget < spent else "least"
            sentences.append(f"{METHODS[one.name].title} takes a budget of at {most} {budget:,}.")
    return text.plain(" · ".join(sentences))
