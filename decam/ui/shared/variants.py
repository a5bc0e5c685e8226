"""Which forms of the DE-CAM search are switched on, as the session and a run say."""

from __future__ import annotations

import streamlit as st

from decam.experiments.plan import Plan
from decam.methods.de_cam.settings import VARIANTS, DeCamSettings

KEY = "variants"


def chosen() -> list[str]:
    """The variants switched on, in their order; the first one where nothing was chosen."""
    wanted = st.session_state.get(KEY, VARIANTS[:1])
    return [variant for variant in VARIANTS if variant in wanted]


def restore(plan: Plan) -> None:
    """Switch on the variants of a plan, where it has any."""
    found = {choice.settings.variant for choice in plan.methods if isinstance(choice.settings, DeCamSettings)}
    if found:
        st.session_state[KEY] = [variant for variant in VARIANTS if variant in found]
