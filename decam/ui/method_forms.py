"""Which methods are compared and with what settings, drawn from their rows in the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import streamlit as st

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.methods import METHODS
from decam.methods.base import Method
from decam.plan import MethodChoice
from decam.settings import Parameter, Settings
from decam.ui import words


def chosen(classifier: Classifier | None) -> list[Method]:
    """The methods switched on that can explain this classifier, in the order of the table."""
    return [
        method
        for method in METHODS.values()
        if st.session_state.get(toggle_key(method.name), method.default)
        and (classifier is None or not method.obstacle(classifier))
    ]


def toggle_key(method: str) -> str:
    """Where the session keeps whether a method is switched on."""
    return f"method:{method}"


def setting_key(method: str, parameter: Parameter, model: str) -> str:
    """Where the session keeps a setting; what depends on the model is kept for each model."""
    return f"setting:{method}:{parameter.name}" + (f":{model}" if parameter.source else "")


def panel(classifier: Classifier | None) -> list[MethodChoice]:
    """Draw a form for each method switched on; the methods with their settings."""
    choices = []
    for method in chosen(classifier):
        parameters = method.settings.parameters()
        values: dict[str, object] = {}
        if parameters:
            with st.expander(method.title):
                values = fields(method, classifier)
        try:
            choices.append(MethodChoice(method.name, method.settings.from_mapping(values)))
        except SettingError as error:
            st.error(words.plain(f"{method.title}: {error}"))
    return choices


def fields(method: Method, classifier: Classifier | None, without: Sequence[str] = ()) -> dict[str, object]:
    """Draw a widget for each parameter but those without one; the values by name."""
    st.caption(f"{words.plain(method.summary)} [{words.plain(method.reference)}]({method.url})")
    return {
        parameter.name: _field(method, parameter, classifier)
        for parameter in method.settings.parameters()
        if parameter.name not in without
    }


def toggles(classifier: Classifier | None, choices: Sequence[MethodChoice]) -> None:
    """Draw all methods as a row of toggles with what each costs; those that cannot run say why."""
    settings = {choice.name: choice.settings for choice in choices}
    with st.container(key="methods", horizontal=True, gap="small", vertical_alignment="center"):
        for method in METHODS.values():
            obstacle = "" if classifier is None else method.obstacle(classifier)
            key = toggle_key(method.name)
            st.session_state.setdefault(key, method.default)
            st.toggle(
                f"{method.title} {_cost(method, settings.get(method.name), classifier)}",
                key=key,
                disabled=bool(obstacle),
                persist_state="session",
                help=obstacle or f"{method.summary} Cost: evaluations (images through the model) a picture.",
            )


def total(classifier: Classifier, choices: Sequence[MethodChoice]) -> int:
    """Evaluations that the maps of one picture cost."""
    return sum(METHODS[choice.name].cost(choice.settings, classifier) for choice in choices)


def restore(choices: tuple[MethodChoice, ...], model: str) -> None:
    """Switch on these methods and no others, with these settings for this model."""
    names = {choice.name for choice in choices}
    for name in METHODS:
        st.session_state[toggle_key(name)] = name in names
    for choice in choices:
        values = choice.settings.to_mapping()
        for parameter in choice.settings.parameters():
            st.session_state[setting_key(choice.name, parameter, model)] = values[parameter.name]


def _cost(method: Method, settings: Settings | None, classifier: Classifier | None) -> str:
    if classifier is None:
        return ""
    if settings is None:
        settings = method.settings()
    return f":gray[:small[{words.evaluations(method.cost(settings, classifier))}]]"


def _field(method: Method, parameter: Parameter, classifier: Classifier | None) -> int | float | str | bool:
    """One widget for one parameter, bounded as the parameter is."""
    key = setting_key(method.name, parameter, "" if classifier is None else classifier.name)
    st.session_state.setdefault(key, parameter.default)
    label = words.capital(parameter.title)
    if parameter.source:
        return _from_classifier(parameter, classifier, label, key)
    if parameter.choices:
        return st.selectbox(label, parameter.choices, key=key, help=parameter.help, persist_state="session")
    if parameter.kind is bool:
        return st.toggle(label, key=key, help=parameter.help, persist_state="session")
    if parameter.kind is int:
        value = st.number_input(
            label,
            min_value=None if parameter.low is None else int(parameter.low),
            max_value=None if parameter.high is None else int(parameter.high),
            step=int(parameter.step or 1),
            key=key,
            help=_bounded(parameter),
            persist_state="session",
        )
        return int(cast(int, value))
    value = st.number_input(
        label,
        min_value=parameter.low,
        max_value=parameter.high,
        step=parameter.step,
        key=key,
        help=_bounded(parameter),
        persist_state="session",
    )
    return float(value)


def _from_classifier(parameter: Parameter, classifier: Classifier | None, label: str, key: str) -> str:
    """A choice among what the classifier offers under the parameter's source, the empty string being its own choice."""
    offered: tuple[str, ...] = tuple(getattr(classifier, parameter.source, ()))
    usual: str = getattr(classifier, parameter.name, "")
    if st.session_state.get(key) not in ("", *offered):
        st.session_state[key] = ""

    def named(value: str) -> str:
        return value or (f"Automatic ({usual})" if usual else "Automatic")

    return st.selectbox(label, ("", *offered), format_func=named, key=key, help=parameter.help, persist_state="session")


def _bounded(parameter: Parameter) -> str:
    if parameter.low is None or parameter.high is None:
        return parameter.help
    return f"{parameter.help} From {parameter.low:,g} to {parameter.high:,g}."
