"""What class maps are made from, beside a model and methods: which models, classes or unit, and which seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from decam.classifier import TorchClassifier
from decam.experiments.kinds.class_maps import targets_of
from decam.experiments.plan import MethodChoice
from decam.explanation import Unit
from decam.methods import CLASS_METHODS
from decam.models.catalogue import ENTRIES, Entry
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared import method_choice, method_forms, model_choice, seeds
from decam.ui.shared.method_choice import Wish

MAPPED = Wish("mapped", tuple(CLASS_METHODS)[:1], CLASS_METHODS)
CLASSES, UNIT = "Classes", "A unit"
USUAL = 4
COUNT = "maps-seeds"


@dataclass(frozen=True)
class How:
    """Which models are asked, and with which seeds."""

    models: tuple[str, ...]
    seeds: tuple[int, ...]


def how(entry: Entry) -> How:
    """Draw the models beside the first one, and the seeds."""
    others = [one for one in ENTRIES.values() if one.domain == entry.domain and one.name != entry.name]
    here = {one.name: one.title for one in others if one.present()}
    key = "maps-beside"
    st.session_state[key] = [name for name in st.session_state.get(key, ()) if name in here]
    beside = st.multiselect(
        "Beside it",
        list(here),
        format_func=lambda name: here.get(name, name),
        key=key,
        persist_state="session",
        wrap=True,
        placeholder="Another model",
        help="Compare with models that know the same classes and are on this machine.",
    )
    chosen = seeds.panel(
        COUNT, 1, "Number of seeds. What every seed finds comes from the model; what one seed finds is chance."
    )
    return How((entry.name, *beside), chosen)


def targets(classifier: TorchClassifier, entry: Entry) -> list[int | Unit]:
    """Draw the choice of classes, or of a unit, and return what is asked about."""
    offered = (CLASSES, UNIT) if classifier.layers else (CLASSES,)
    if st.session_state.get("maps-about") not in offered:
        st.session_state["maps-about"] = CLASSES
    with st.container(key="maps-targets", horizontal=True, vertical_alignment="bottom", gap="medium"):
        about = st.segmented_control(
            "Asked about",
            offered,
            key="maps-about",
            required=True,
            persist_state="session",
            help="A class, or a unit: one channel of a layer, whose mean activation takes the place of a probability.",
        )
        return [_unit(classifier)] if about == UNIT else list(_classes(classifier, entry.domain))


def _classes(classifier: TorchClassifier, domain: str) -> Sequence[int]:
    count, (key, whole) = len(classifier.labels), _keys(domain)
    st.session_state.setdefault(key, list(range(min(USUAL, count))))
    st.session_state.setdefault(whole, False)
    everything = st.session_state[whole]
    picked = st.multiselect(
        "Classes",
        range(count),
        format_func=lambda index: f"{classifier.labels[index]} · {index}",
        key=key,
        persist_state="session",
        wrap=True,
        disabled=everything,
        placeholder="Type part of a class's name",
    )
    st.toggle(f"All {count:,}", key=whole, persist_state="session", help="One map for every class the model knows.")
    return range(count) if everything else [int(index) for index in picked]


def _unit(classifier: TorchClassifier) -> Unit:
    layers = list(classifier.layers)
    if st.session_state.get("maps-layer") not in layers:
        st.session_state["maps-layer"] = classifier.layer if classifier.layer in layers else layers[-1]
    st.session_state.setdefault("maps-channel", 0)
    layer = st.selectbox("Layer", layers, key="maps-layer", persist_state="session")
    channel = st.number_input("Channel", min_value=0, key="maps-channel", persist_state="session")
    return Unit(layer, int(channel))


def methods(classifier: TorchClassifier, choices: Sequence[MethodChoice]) -> None:
    """Draw the methods as pills with what a map of each costs; those that cannot ask this model are left out."""
    costs = {choice.name: method_forms.total(classifier, [choice]) for choice in choices}
    able = [name for name, row in CLASS_METHODS.items() if not row.obstacle(classifier)]

    def named(name: str) -> str:
        cost = f" :gray[:small[{text.evaluations(costs[name])}]]" if name in costs else ""
        return text.plain(CLASS_METHODS[name].title) + cost

    def changed() -> None:
        method_choice.choose(st.session_state["mapped-pills"], MAPPED)

    st.session_state["mapped-pills"] = [name for name in method_choice.names(MAPPED) if name in able]
    with st.container(key="variant-choice"):
        st.pills(
            "Methods",
            able,
            selection_mode="multi",
            wrap=True,
            format_func=named,
            key="mapped-pills",
            on_change=changed,
            help="Choose one or more methods. Each makes its own map of every class.",
        )


def obstacles(classifier: TorchClassifier) -> None:
    """Say which chosen methods cannot ask this model, and offer the method that can in their place."""
    for name in method_choice.names(MAPPED):
        row = CLASS_METHODS[name]
        sentence = row.obstacle(classifier)
        if not sentence:
            continue
        st.info(text.plain(sentence))
        other = CLASS_METHODS.get(row.instead)
        if other is not None and not other.obstacle(classifier):
            wished = [other.name if one == name else one for one in method_choice.names(MAPPED)]
            st.button(
                f"Take {text.plain(other.title)} instead",
                key=f"instead-{name}",
                help=other.summary,
                on_click=method_choice.choose,
                args=(wished, MAPPED),
            )


def take_up(snapshot: RunSnapshot) -> None:
    """Set the widgets to what a run was made from."""
    plan = snapshot.plan
    model_choice.restore(plan.model, plan.device)
    names = dict.fromkeys(question.model.name for question in plan.questions)
    st.session_state["maps-beside"] = [name for name in names if name != plan.model]
    method_forms.restore(tuple(one for one in plan.methods if one.name in CLASS_METHODS), plan.model, MAPPED)
    seeds.restore(COUNT, plan)
    asked = targets_of(plan)
    classes = [index for target in asked if isinstance(target, tuple) for index in target]
    st.session_state["maps-about"] = CLASSES if classes else UNIT
    for unit in (target for target in asked if isinstance(target, Unit)):
        st.session_state["maps-layer"], st.session_state["maps-channel"] = unit.layer, unit.channel
    if classes and plan.model in ENTRIES:
        key, whole = _keys(ENTRIES[plan.model].domain)
        everything = len(classes) == len(snapshot.grid.labels)
        st.session_state[key] = classes[:USUAL] if everything else classes
        st.session_state[whole] = everything


def _keys(domain: str) -> tuple[str, str]:
    """Where the session keeps the classes chosen among those of a domain, and whether all of them are."""
    return f"maps-classes-{domain}", f"maps-all-{domain}"
