"""What a sanity check is made from: a picture, how weights are drawn, the seed, and what a search may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from decam.classifier import Classifier, TorchClassifier
from decam.experiments.plan import MAX_SEED, MethodChoice
from decam.experiments.randomisation_plan import LABELS, SanitySnapshot, twin
from decam.hardware.device import devices
from decam.methods import METHODS
from decam.methods.de_cam.method import DE_CAM, DeCamSettings
from decam.models import catalogue
from decam.models.randomise import stages
from decam.ui import state
from decam.ui.search import form
from decam.ui.shared import method_forms, model_choice, pictures, targets
from decam.ui.shared.measuring import LARGEST_IN_BROWSER
from decam.ui.shared.method_choice import CHECKED
from decam.ui.shared.pictures import Chosen

BUDGET = 500
MODES = {
    "cascading": "Stage after stage",
    "independent": "One stage alone",
    LABELS: "Random labels",
}
HELP = (
    "Stage after stage forgets the output first, then ever more towards the input; one stage alone leaves the others "
    "as they were. Random labels sets the model against the same network trained on shuffled labels."
)
NO_TWIN = " Random labels need a model trained on them, which only the embedded model has."


@dataclass(frozen=True)
class How:
    """How a check is made, beside model, picture and methods."""

    mode: str
    seed: int


def picture(chosen: Sequence[Chosen], snapshot: SanitySnapshot | None) -> list[Chosen]:
    """Draw the choice of one picture where there are several; without any, the picture of the check that is shown."""
    if chosen or snapshot is None:
        return form.picture(chosen)
    kept = _own(snapshot)
    return [] if kept.key in st.session_state.get("kept_removed", ()) else [kept]


def methods(classifier: Classifier | None) -> list[MethodChoice]:
    """Draw the settings of the methods chosen; searches have their budget from this page alone."""
    st.session_state.setdefault("sanity-budget", BUDGET)
    budget = next(parameter for parameter in DeCamSettings.parameters() if parameter.name == "budget")
    allowed = st.number_input(
        "Budget of a search",
        min_value=int(budget.low or 1),
        max_value=int(budget.high or 1),
        step=int(budget.step or 1),
        key="sanity-budget",
        persist_state="session",
        help="Evaluations that DE-CAM may spend on one map. A check makes each map again for every stage, so this is "
        "smaller than elsewhere; a map from too few is noisy, and looks lost before it is.",
    )
    return method_forms.panel(classifier, CHECKED, {budget.name: int(allowed)})


def how(model: str) -> How:
    """Draw the mode and the seed."""
    offered = [mode for mode in MODES if mode != LABELS or twin(model)]
    if st.session_state.get("sanity-mode") not in offered:
        st.session_state["sanity-mode"] = offered[0]
    st.session_state.setdefault("seed", 0)
    mode = st.radio(
        "What is randomised",
        offered,
        format_func=lambda name: MODES[name],
        key="sanity-mode",
        persist_state="session",
        help=HELP if LABELS in offered else HELP + NO_TWIN,
    )
    seed = st.number_input(
        "Seed",
        min_value=0,
        max_value=min(MAX_SEED, LARGEST_IN_BROWSER),
        key="seed",
        persist_state="session",
        help="Where all random numbers begin, those of the new weights too.",
    )
    return How(mode, int(seed))


def maps_each(classifier: TorchClassifier, mode: str) -> int:
    """How many maps a check makes by each method."""
    return 2 if mode == LABELS else 1 + _stages(classifier.name, classifier)


@st.cache_data(show_spinner=False, max_entries=64)
def _stages(model: str, _classifier: TorchClassifier) -> int:
    del model  # it names the entry in the cache
    with _classifier.lock.shared():
        return len(stages(_classifier.module, _classifier.input_size))


def take_up(snapshot: SanitySnapshot) -> None:
    """Set the widgets to what a check was made from; the picture is the check's own."""
    plan = snapshot.plan
    if plan.model in catalogue.ENTRIES:
        model_choice.chosen_by_visitor(plan.model)
    if plan.device in devices():
        st.session_state["device"] = plan.device
    pictures.set_aside()
    targets.restore(plan.model, _own(snapshot).key, plan.target)
    known = tuple(choice for choice in plan.methods if choice.name in METHODS)
    own = f"setting:{DE_CAM.name}:budget"
    before = st.session_state.get(own)
    method_forms.restore(known, plan.model, CHECKED)
    for choice in known:
        if isinstance(choice.settings, DeCamSettings):
            st.session_state["sanity-budget"] = choice.settings.budget
            st.session_state.pop(own)  # the other pages' budget stays what it was
            if before is not None:
                st.session_state[own] = before
    st.session_state["sanity-mode"] = plan.mode
    st.session_state["seed"] = min(plan.seed, LARGEST_IN_BROWSER)


def leave() -> None:
    """Leave the check and its pictures behind; settings stay."""
    pictures.clear()
    state.show_check(None)
    st.session_state["model_by_visitor"] = False


def _own(snapshot: SanitySnapshot) -> Chosen:
    entry = catalogue.ENTRIES.get(snapshot.plan.model)
    kind: pictures.Kind = "scene" if entry is not None and entry.domain == "scenes" else "photograph"
    return Chosen(f"kept:sanity-{snapshot.id}", snapshot.plan.picture, kind, kept=snapshot.view)
