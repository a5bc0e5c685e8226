"""What one DE-CAM search is made from: the method's settings, and in which variants."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice
from decam.methods import METHODS
from decam.methods.de_cam.method import DE_CAM
from decam.methods.de_cam.settings import VARIANTS, DeCamSettings
from decam.ui import text
from decam.ui.shared import method_forms, variants

HELP = (
    "Which forms of the search run; several run side by side on the same image. Seeded starts from a first guess, "
    "plain is textbook evolution from random masks. Two controls show what evolution adds: random search draws every "
    "trial anew from the first guess, seed only spends the whole budget on that guess."
)

OFFERED = frozenset({DE_CAM.name})  # what the page lets one choose; rivals stand beside it


def panel(classifier: Classifier | None) -> list[MethodChoice]:
    """Draw the settings of the search, and return one choice for each variant switched on."""
    with st.expander(DE_CAM.title, expanded=True):
        values = method_forms.fields(DE_CAM, classifier, without=("variant",))
    try:
        settings = [DeCamSettings.from_mapping(values | {"variant": variant}) for variant in variants.chosen()]
    except SettingError as error:
        st.error(text.plain(str(error)))
        return []
    return [MethodChoice(DE_CAM.name, chosen) for chosen in settings]


def pills(classifier: Classifier, choices: Sequence[MethodChoice]) -> None:
    """Draw the variants as pills with what each costs."""
    costs = {}
    for choice in choices:
        if isinstance(choice.settings, DeCamSettings):
            costs[choice.settings.variant] = METHODS[choice.name].cost(choice.settings, classifier)

    def named(variant: str) -> str:
        title = text.capital(variant)
        return f"{title} :gray[:small[{text.evaluations(costs[variant])}]]" if variant in costs else title

    st.session_state.setdefault(variants.KEY, variants.chosen())
    with st.container(key="variant-choice"):
        st.pills(
            "Variants",
            VARIANTS,
            selection_mode="multi",
            wrap=True,
            format_func=named,
            key=variants.KEY,
            persist_state="session",
            help=HELP,
        )
