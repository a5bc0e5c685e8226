"""What a randomisation check is made from: how weights are drawn, the seed, and what a search may cost."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from decam.classifier import Classifier, TorchClassifier
from decam.experiments.kinds.randomisation import TITLES
from decam.experiments.plan import MethodChoice
from decam.experiments.questions import Mode, Variant
from decam.experiments.variants import mode_of, variants
from decam.methods import METHODS
from decam.methods.de_cam.method import DE_CAM
from decam.methods.de_cam.settings import DeCamSettings
from decam.models.catalogue import label_shuffled_version
from decam.runs.snapshots import RunSnapshot
from decam.ui.shared import measuring, method_forms, model_choice, pictures, targets
from decam.ui.shared.method_choice import CHECKED

BUDGET = 500
HELP = (
    "Stage after stage replaces weights by random ones, from the output to the input, until all are random. "
    "One stage alone leaves all other stages as trained. "
    "Random labels takes the same network, trained on shuffled labels."
)
NO_SHUFFLED = " Random labels needs such a network, and only the model Shapes demo has one."


@dataclass(frozen=True)
class How:
    """How a check is made, beside model, picture and methods."""

    mode: Mode
    seed: int


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
        help="Evaluations that DE-CAM may spend on one map. A check makes a map for every stage, so the budget is "
        "smaller than on the other pages. With too few evaluations a map is noisy, and noise changes by itself.",
    )
    return method_forms.panel(classifier, CHECKED, {budget.name: int(allowed)})


def how(model: str) -> How:
    """Draw the mode and the seed."""
    offered = [mode for mode in TITLES if mode != "labels" or label_shuffled_version(model)]
    if st.session_state.get("sanity-mode") not in offered:
        st.session_state["sanity-mode"] = offered[0]
    mode = st.radio(
        "What is randomised",
        offered,
        format_func=lambda name: TITLES[name],
        key="sanity-mode",
        persist_state="session",
        help=HELP if "labels" in offered else HELP + NO_SHUFFLED,
    )
    return How(mode, measuring.seed_field("Start of all random numbers, also of the new weights."))


def variants_of(classifier: TorchClassifier, how: How) -> tuple[Variant, ...]:
    """The variants that a check sets the model against; raises MethodError where the weights cannot be drawn anew."""
    return _variants(classifier.name, how.mode, how.seed, classifier)


@st.cache_data(show_spinner=False, max_entries=64)
def _variants(model: str, mode: Mode, seed: int, _classifier: TorchClassifier) -> tuple[Variant, ...]:
    del model  # it names the entry in the cache
    return variants(_classifier, mode, seed)


def take_up(snapshot: RunSnapshot) -> None:
    """Set the widgets to what a check was made from."""
    plan = snapshot.plan
    model_choice.restore(plan.model, plan.device)
    pictures.keep(snapshot.id)
    pictures.restore_framing(plan.pictures[0].framing)
    question = plan.questions[0]
    targets.restore(plan.model, pictures.kept_key(snapshot.id, plan.place_of(0)), question.target, question.against)
    _restore_methods([choice for choice in plan.methods if choice.name in METHODS], plan.model)
    st.session_state["sanity-mode"] = mode_of(plan)
    measuring.restore_seed(plan)


def _restore_methods(choices: list[MethodChoice], model: str) -> None:
    """Switch on these methods; the budget is this page's, and that of the other pages stays what it was."""
    elsewhere = f"setting:{DE_CAM.name}:budget"
    before = st.session_state.get(elsewhere)
    method_forms.restore(tuple(choices), model, CHECKED)
    for choice in choices:
        if isinstance(choice.settings, DeCamSettings):
            st.session_state["sanity-budget"] = choice.settings.budget
            st.session_state.pop(elsewhere)
            if before is not None:
                st.session_state[elsewhere] = before
