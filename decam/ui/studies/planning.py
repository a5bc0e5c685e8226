"""What is written down before data come in: hypothesis, rules, number of people, and the preregistration from them."""

from __future__ import annotations

import streamlit as st

from decam.studies import editing
from decam.studies.analysis.exclusions import RULES, Rule
from decam.studies.design import Study
from decam.studies.export.preregistration import LONGEST, preregistration
from decam.studies.responses import StudyRecord
from decam.ui.studies import forms, session, sizing


def show(record: StudyRecord) -> None:
    """Draw hypothesis, rules, the number of people and the text for a registry."""
    with st.container(key="study-planning"):
        with st.container(border=True):
            st.header("Hypothesis")
            forms.draw(record, "hypothesis", editing.field_of("hypothesis"))
        with st.container():
            with st.container(border=True):
                _rules(record)
            with st.container(border=True):
                sizing.show(record)
    _text(record)


def _rules(record: StudyRecord) -> None:
    st.header("Rules of exclusion")
    st.caption("Each flags participants; none removes them. Results are shown with and without those flagged.")
    for rule in RULES.values():
        _rule(record, rule)


def _rule(record: StudyRecord, rule: Rule) -> None:
    key = f"study-{record.id}-rule-{rule.name}"

    def put(study: Study, on: bool) -> Study:
        kept = {name: settings for name, settings in study.exclusions.items() if name != rule.name}
        return editing.with_rules(study, {**kept, rule.name: rule.settings()} if on else kept)

    on = rule.name in record.study.exclusions
    st.toggle(
        rule.title,
        key=session.fill(key, on),
        help=rule.summary,
        disabled=not session.editable(record),
        on_change=session.typed(record.id, key, put),
    )
    if on and rule.settings.parameters():
        with st.container(key=f"fields-rule-{rule.name}"):
            forms.draw(record, f"rule-{rule.name}", editing.rule_settings(rule.name))


def _text(record: StudyRecord) -> None:
    made = preregistration(record.study, record.stage, record.digest)
    st.header("Preregistration")
    st.caption(
        f"Written from the study under AsPredicted's headings: {len(made):,} of at most about {LONGEST:,} characters."
    )
    st.download_button(
        "Download the text", made, "preregistration.txt", "text/plain", key=f"study-{record.id}-preregistration",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    with st.expander("Read it"):
        st.code(made, language=None, wrap_lines=True)
