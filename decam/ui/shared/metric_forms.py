"""Which metrics judge the maps and with what settings, drawn from their rows in the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from decam.errors import SettingError
from decam.experiments.plan import USUAL_METRICS, MetricChoice
from decam.metrics import METRICS
from decam.metrics.base import Metric
from decam.settings import Parameter, Settings
from decam.ui import text
from decam.ui.shared.fields import field

OFFERED = {name: metric for name, metric in METRICS.items() if name not in USUAL_METRICS}
"""Metrics beside the two whose steps and fills have widgets of their own."""
FREE = tuple(
    name for name, metric in OFFERED.items() if not metric.cost(metric.settings()) and "explain" not in metric.needs
)
"""What costs no evaluation, and so is measured unless somebody says otherwise."""
NEEDS = {"truth": "needs the ground truth", "explain": "makes each map again"}


def panel() -> list[MetricChoice]:
    """Draw the choice of metrics beside deletion and insertion with their forms, and return the choices."""
    st.session_state.setdefault("metrics", list(FREE))
    return forms(choice(OFFERED, "metrics", "Metrics beside deletion and insertion"), "metric")


def choice(offered: Mapping[str, Metric], key: str, label: str) -> list[str]:
    """Draw the choice among these metrics, and return the names chosen, in the order of the table."""
    chosen = st.multiselect(
        label,
        list(offered),
        format_func=lambda name: f"{offered[name].title} ({offered[name].family})",
        key=key,
        persist_state="session",
        wrap=True,
        placeholder="Choose metrics",
        help="The Metrics page explains each metric and where it misleads.",
    )
    for name in chosen:
        if facts := _facts(offered[name]):
            st.caption(f"**{text.plain(offered[name].title)}**: {facts}.")
    return [name for name in offered if name in chosen]


def forms(names: Sequence[str], key: str) -> list[MetricChoice]:
    """Draw a form for each metric that has settings, and return the metrics with theirs."""
    choices: list[MetricChoice] = []
    for name in names:
        metric = METRICS[name]
        parameters = metric.settings.parameters()
        values: dict[str, object] = {}
        if parameters:
            with st.popover(f"{metric.title} settings", width="stretch", type="tertiary"):
                st.caption(f"{text.plain(metric.summary)} [{text.plain(metric.reference)}]({metric.url})")
                values = {each.name: field(_key(key, name, each), each) for each in parameters}
        choices += _chosen(metric, values)
    return choices


def inline(name: str, key: str, settings: Settings | None = None) -> list[MetricChoice]:
    """Draw the form of one metric in place, and return the metric with its settings; empty if one is out of bounds.

    The form begins with `settings`, or with the metric's own where there are none.
    """
    metric = METRICS[name]
    for parameter in metric.settings.parameters() if settings is not None else ():
        st.session_state.setdefault(_key(key, name, parameter), getattr(settings, parameter.name))
    values = {each.name: field(_key(key, name, each), each) for each in metric.settings.parameters()}
    return _chosen(metric, values)


def _chosen(metric: Metric, values: Mapping[str, object]) -> list[MetricChoice]:
    try:
        return [MetricChoice(metric.name, metric.settings.from_mapping(values))]
    except SettingError as error:
        st.error(text.plain(f"{metric.title}: {error}"))
        return []


def restore(choices: Collection[MetricChoice]) -> None:
    """Choose these metrics and no others, with these settings."""
    st.session_state["metrics"] = [choice.name for choice in choices]
    for chosen in choices:
        values = chosen.settings.to_mapping()
        for parameter in chosen.settings.parameters():
            st.session_state[_key("metric", chosen.name, parameter)] = values[parameter.name]


def _key(form: str, metric: str, parameter: Parameter) -> str:
    return f"{form}:{metric}:{parameter.name}"


def _facts(metric: Metric) -> str:
    """The metric's cost a map and its needs, in words; empty where there are none."""
    cost = metric.cost(metric.settings())
    facts = [f"{text.several(cost, 'evaluation')} a map"] if cost else []
    return ", ".join([*facts, *(NEEDS[need] for need in sorted(metric.needs))])
