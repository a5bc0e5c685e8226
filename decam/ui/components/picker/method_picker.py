"""The line of methods that are compared, and the window in which they are chosen: one component, drawn in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.presets import PRESETS
from decam.methods.taxonomy import grouped
from decam.ui.components import source, styles
from decam.ui.shared import method_choice, method_forms, throughput
from decam.ui.shared.method_choice import COMPARED, Wish

_PICKER = st.components.v2.component(
    "decam_picker",
    css=styles("shared/base.css", "picker/picker.css"),
    js=source("picker/picker.js"),
)


def line(classifier: Classifier, choices: Sequence[MethodChoice], wish: Wish = COMPARED) -> None:
    """Draw the methods chosen as chips with what each costs, beside the button that opens the table of all."""
    settled = {choice.name: method_forms.total(classifier, [choice]) for choice in choices}
    key = f"methods-{wish.key}"

    def changed() -> None:
        state = st.session_state.get(key)
        take(state.get("chosen") if isinstance(state, Mapping) else None, wish)

    _PICKER(key=key, data=payload(classifier, settled, wish), default={"chosen": None}, on_chosen_change=changed)


def payload(classifier: Classifier, settled: Mapping[str, int], wish: Wish = COMPARED) -> dict[str, Any]:
    """The data for the browser, ready for JSON. `settled` has costs that are known already, by the method's name.

    `edit` is the number of the browser's last edit that has arrived; the browser keeps later ones.
    """
    families = grouped(METHODS.values())
    return {
        "families": [{"name": each.name, "title": each.title, "summary": each.summary} for each, _ in families],
        "methods": [_method(row, classifier, settled.get(row.name)) for _, rows in families for row in rows],
        "presets": [
            {"title": each.title, "summary": each.summary, "methods": each.members(classifier)}
            for each in PRESETS.values()
        ],
        "chosen": method_choice.names(wish),
        "edit": st.session_state.get(_edits(wish), 0),
        "pace": throughput.of(classifier),
    }


def take(sent: object, wish: Wish = COMPARED) -> None:
    """Choose the methods that a browser sends, with the number of its edit. Anything else is ignored."""
    if not isinstance(sent, Mapping):
        return
    wished, edit = sent.get("methods"), sent.get("edit")
    if isinstance(wished, list) and isinstance(edit, int):
        method_choice.choose([name for name in wished if isinstance(name, str)], wish)
        st.session_state[_edits(wish)] = edit


def _edits(wish: Wish) -> str:
    return f"{wish.key}_edits"


def _method(row: Method, classifier: Classifier, cost: int | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "family": row.family,
        "summary": row.summary,
        "reference": row.reference,
        "obstacle": row.obstacle(classifier),
        "cost": _cost(row, classifier) if cost is None else cost,
    }


def _cost(row: Method, classifier: Classifier) -> int | None:
    """The method's cost at the settings last chosen; None where it cannot explain the classifier."""
    if row.obstacle(classifier):
        return None
    try:
        return row.cost(method_forms.settings(row, classifier), classifier)
    except SettingError:
        return row.cost(row.settings(), classifier)
