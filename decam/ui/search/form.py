"""What one DE-CAM search is made from: a picture of those chosen, the method's settings, and in which variants."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice, Plan
from decam.methods import METHODS
from decam.methods.de_cam.method import DE_CAM
from decam.methods.de_cam.settings import VARIANTS, DeCamSettings
from decam.ui import text
from decam.ui.shared import method_forms, pictures
from decam.ui.shared.pictures import Chosen

KEY = "variants"
HELP = (
    "Which forms of the search run; several run side by side on the same image. Seeded starts from a first guess, "
    "plain is textbook evolution from random masks. Two controls show what evolution adds: random search draws every "
    "trial anew from the first guess, seed only spends the whole budget on that guess."
)

OFFERED = frozenset({DE_CAM.name})  # what the page lets one choose; rivals stand beside it


def picture(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Draw the choice of one picture where there are several, and return a list of it, empty without pictures."""
    if len(chosen) < 2:
        return list(chosen)
    names = pictures.lines(chosen)
    if st.session_state.get("searched") not in names:
        st.session_state["searched"] = next(iter(names))
    wanted = st.selectbox(
        "Image searched",
        list(names),
        format_func=lambda key: names.get(key, key),
        key="searched",
        persist_state="session",
        help="Choose which image to search. This page searches one at a time.",
    )
    return [item for item in chosen if item.key == wanted]


def panel(classifier: Classifier | None) -> list[MethodChoice]:
    """Draw the settings of the search, and return one choice for each variant switched on."""
    with st.expander(DE_CAM.title, expanded=True):
        values = method_forms.fields(DE_CAM, classifier, without=("variant",))
    try:
        settings = [DeCamSettings.from_mapping(values | {"variant": variant}) for variant in _variants()]
    except SettingError as error:
        st.error(text.plain(str(error)))
        return []
    return [MethodChoice(DE_CAM.name, chosen) for chosen in settings]


def variants(classifier: Classifier, choices: Sequence[MethodChoice]) -> None:
    """Draw the variants as pills with what each costs."""
    costs = {}
    for choice in choices:
        if isinstance(choice.settings, DeCamSettings):
            costs[choice.settings.variant] = METHODS[choice.name].cost(choice.settings, classifier)

    def named(variant: str) -> str:
        title = text.capital(variant)
        return f"{title} :gray[:small[{text.evaluations(costs[variant])}]]" if variant in costs else title

    st.session_state.setdefault(KEY, list(VARIANTS[:1]))
    with st.container(key="variant-choice"):
        st.pills(
            "Variants",
            VARIANTS,
            selection_mode="multi",
            wrap=True,
            format_func=named,
            key=KEY,
            persist_state="session",
            help=HELP,
        )


def restore(plan: Plan) -> None:
    """Switch on the variants of a plan, where it has any."""
    found = {choice.settings.variant for choice in plan.methods if isinstance(choice.settings, DeCamSettings)}
    if found:
        st.session_state[KEY] = [variant for variant in VARIANTS if variant in found]


def _variants() -> list[str]:
    chosen = st.session_state.get(KEY, VARIANTS[:1])
    return [variant for variant in VARIANTS if variant in chosen]
