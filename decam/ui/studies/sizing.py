"""How many people a study needs: what is assumed, the power that follows, and the sentence for the plan."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import TypeVar

import streamlit as st

from decam.errors import DecamError
from decam.export.names import slug
from decam.lru import Lru
from decam.settings import Settings
from decam.studies import editing
from decam.studies.analysis.power import PowerCurve
from decam.studies.design import Hypothesis, Study
from decam.studies.responses import StudyRecord
from decam.studies.results.power import power_findings
from decam.studies.sample_size import PLANS, Plan, SampleSettings, plans, sample_size, sentence
from decam.ui import text
from decam.ui.shared.fields import field
from decam.ui.studies import findings, forms, session

Chosen = TypeVar("Chosen", bound=Settings)
_KEPT = 48

_found: Lru[tuple[object, ...], PowerCurve] = Lru(_KEPT)
"""Curves by what they depend on: the test, the simulated data, and the numbers of people."""

_HYPOTHESIS = editing.field_of("hypothesis")


def show(record: StudyRecord) -> None:
    """Draw the form, the curve that belongs to it, and the way of its sentence into the hypothesis."""
    st.header("Sample size")
    st.caption(
        "The study is simulated many times, with several numbers of people. Power is the share that finds the effect."
    )
    try:
        offered = {plan.result: plan for plan in plans(record.study)}
    except DecamError as error:
        st.info(text.plain(str(error)))
        return
    if not offered:
        st.caption(f"This needs a block of trials with one of these tasks: {', '.join(one.title for one in PLANS)}.")
        return
    key = f"study-{record.id}-sample"
    if st.session_state.get(key) not in offered:
        st.session_state[key] = next(iter(offered))
    locked = not session.editable(record)
    chosen = st.selectbox(
        "Task", list(offered), format_func=lambda one: offered[one].title, key=key, persist_state="session",
        disabled=locked,
    )  # fmt: skip
    plan = offered[str(chosen)]
    st.caption(f"Test: {plan.test_title}, two-sided.")
    assumed = _form(f"{key}-{plan.result}", plan.assumed(record.study), disabled=locked)
    settings = _form(key, SampleSettings(), disabled=locked)
    _simulate(record, plan, assumed, settings)


def _form(name: str, usual: Chosen, *, disabled: bool) -> Chosen:
    """A field for each setting, which begins as in `usual`; the settings as they stand."""
    values = {}
    with forms.grid(name):
        for parameter in usual.parameters():
            key = f"{name}-{parameter.name}"
            st.session_state.setdefault(key, getattr(usual, parameter.name))
            values[parameter.name] = field(key, parameter, disabled=disabled)
    return dataclasses.replace(usual, **values)


def _simulate(record: StudyRecord, plan: Plan, assumed: Settings, settings: SampleSettings) -> None:
    """Draw the button, the progress while studies are simulated, and the curve once it is there."""
    key = f"study-{record.id}-power"
    inputs = (plan.result, plan.simulator(record.study, assumed), settings)
    if st.button("Simulate", key=key, icon=":material/play_arrow:", disabled=not session.editable(record)):
        try:
            _found.put(inputs, _curve(key, record.study, plan, assumed, settings))
        except DecamError as error:
            st.error(text.plain(str(error)))
            return
        st.rerun()
    curve = _found.get(inputs)
    if curve is not None:
        words = sentence(plan, assumed, settings, curve)
        findings.draw(power_findings(curve, words), key, slug(record.study.name, 30))
        if curve.least is not None and session.editable(record):
            _into_hypothesis(record, words, f"{key}-put")


def _curve(key: str, study: Study, plan: Plan, assumed: Settings, settings: SampleSettings) -> PowerCurve:
    """The curve, with a bar meanwhile. Stop runs the page again, which ends this one at its next look at the bar."""
    steps = sample_size(study, plan, assumed, settings)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        bar = st.progress(0.0, "Studies are simulated", width="stretch")
        st.button("Stop", key=f"{key}-stop", icon=":material/stop:")
    shown = 0
    with closing(steps):
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                curve: PowerCurve = end.value
                return curve
            if (share := 100 * done.step // done.total) > shown:
                shown = share
                bar.progress(
                    share, f"{text.several(done.size, 'person', 'people')}, {done.step:,} of {done.total:,} studies"
                )


def _into_hypothesis(record: StudyRecord, words: str, key: str) -> None:
    there = words in record.study.hypothesis.sample
    st.button(
        "Put into the hypothesis", key=key, icon=":material/edit_note:", disabled=there,
        help="The sentence is there." if there else "The sentence is added to the field Sample; change it there.",
        on_click=session.change, args=(record.id, lambda study: with_sample(study, words)),
    )  # fmt: skip


def with_sample(study: Study, words: str) -> Study:
    """The study with a sentence more on how many people it needs; what stands there already stays."""
    hypothesis: Hypothesis = study.hypothesis
    both = "\n".join(part for part in (hypothesis.sample.strip(), words) if part)
    return _HYPOTHESIS.write(study, dataclasses.replace(hypothesis, sample=both))
