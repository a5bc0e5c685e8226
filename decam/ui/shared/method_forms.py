"""With what settings methods are compared: forms drawn from their rows in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice, method_titles
from decam.methods import ClassMethod, described
from decam.methods.base import AnyMethod
from decam.settings import Parameter, Settings
from decam.ui import text
from decam.ui.shared import method_choice
from decam.ui.shared.fields import field
from decam.ui.shared.method_choice import COMPARED, Wish

FORMS = 6
"""The most forms that stand below each other in the sidebar; of more, one is shown at a time."""


def setting_key(method: str, parameter: Parameter, model: str) -> str:
    """Where the session keeps a setting; what depends on the model is kept for each model.

    Defaults of methods about classes do.
    """
    depends = parameter.source or isinstance(described(method), ClassMethod)
    return f"setting:{method}:{parameter.name}" + (f":{model}" if depends else "")


def panel(
    classifier: Classifier | None, wish: Wish = COMPARED, elsewhere: Mapping[str, object] | None = None
) -> list[MethodChoice]:
    """Draw the forms of the methods chosen, one at a time where they are many, and return methods with settings.

    `elsewhere` has values of parameters that the page asks for once, for all methods that have them.
    """
    rows, elsewhere = method_choice.chosen(classifier, wish), elsewhere or {}
    drawn: dict[str, Mapping[str, object]] = {}
    formed = [method for method in rows if method.settings.parameters()]
    if len(formed) > FORMS:
        with st.expander(f"Settings of {len(formed)} methods"):
            method = _one_of(formed)
            drawn[method.name] = fields(method, classifier, tuple(elsewhere))
    else:
        for method in formed:
            with st.expander(method.title):
                drawn[method.name] = fields(method, classifier, tuple(elsewhere))
    choices = []
    for method in rows:
        try:
            names = {parameter.name for parameter in method.settings.parameters()}
            values = dict(drawn.get(method.name) or _left(method, classifier))
            values |= {name: value for name, value in elsewhere.items() if name in names}
            choices.append(MethodChoice(method.name, method.settings.from_mapping(values)))
        except SettingError as error:
            st.error(text.plain(f"{method.title}: {error}"))
    return [*choices, *_more(choices, _model(classifier), wish)]


def _more(choices: Sequence[MethodChoice], model: str, wish: Wish) -> list[MethodChoice]:
    """Draw what a run that was opened asks of the same methods with other settings; what of it is to be asked again."""
    of_model, kept = st.session_state.get(_more_key(wish), ("", ()))
    there = {choice.name for choice in choices}
    offered = [choice for choice in kept if choice.name in there] if of_model == model else []
    if not offered:
        return []
    titles = method_titles([*choices, *offered])[len(choices) :]
    left = st.multiselect(
        "Same methods, other settings",
        titles,
        default=titles,
        key=f"{_more_key(wish)}:{abs(hash(titles))}",
        persist_state="session",
        wrap=True,
        help="Remove what is not to be asked again. The run that you opened asks these methods more than once.",
    )
    return [choice for choice, title in zip(offered, titles, strict=True) if title in left]


def _more_key(wish: Wish) -> str:
    return f"more:{wish.key}"


def settings(method: AnyMethod, classifier: Classifier | None) -> Settings:
    """The settings of a method as they were left, whether or not its form is drawn; raises SettingError."""
    return method.settings.from_mapping(_left(method, classifier))


def _left(method: AnyMethod, classifier: Classifier | None) -> dict[str, object]:
    model = _model(classifier)
    values: dict[str, object] = {}
    for parameter in method.parameters_for(classifier):
        value = st.session_state.get(setting_key(method.name, parameter, model), parameter.default)
        offered = not parameter.source or value in getattr(classifier, parameter.source, ())
        values[parameter.name] = value if offered else parameter.default
    return values


def _one_of(rows: Sequence[AnyMethod]) -> AnyMethod:
    """Draw the choice of the method whose form is shown."""
    by_name = {method.name: method for method in rows}
    if st.session_state.get("form") not in by_name:
        st.session_state["form"] = next(iter(by_name))
    wanted = st.selectbox(
        "Settings of",
        list(by_name),
        format_func=lambda name: by_name[name].title,
        key="form",
        persist_state="session",
        help="Choose the method whose settings are shown. The others keep theirs.",
    )
    return by_name[wanted]


def fields(method: AnyMethod, classifier: Classifier | None, without: Sequence[str] = ()) -> dict[str, object]:
    """Draw a widget for each parameter but those in `without`, and return the values by name."""
    st.caption(f"{text.plain(method.summary)} [{text.plain(method.reference)}]({method.url})")
    return {
        parameter.name: field(setting_key(method.name, parameter, _model(classifier)), parameter, classifier)
        for parameter in method.parameters_for(classifier)
        if parameter.name not in without
    }


def total(classifier: Classifier, choices: Sequence[MethodChoice]) -> int:
    """Evaluations that the maps of one picture cost, at most."""
    return sum(described(choice.name).cost(choice.settings, classifier) for choice in choices)


def restore(choices: tuple[MethodChoice, ...], model: str, wish: Wish = COMPARED) -> None:
    """Switch on these methods and no others, with these settings for this model.

    The form of a method has its first settings; where it is there again with others, these stand below the forms.
    """
    method_choice.choose({choice.name for choice in choices}, wish)
    first = {choice.name: choice for choice in reversed(choices)}
    st.session_state[_more_key(wish)] = (model, tuple(one for one in choices if one is not first[one.name]))
    for choice in first.values():
        values = choice.settings.to_mapping()
        for parameter in choice.settings.parameters():
            st.session_state[setting_key(choice.name, parameter, model)] = values[parameter.name]


def _model(classifier: Classifier | None) -> str:
    return "" if classifier is None else classifier.name
