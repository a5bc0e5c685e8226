"""The Methods page, a map of the field: families as a tree, and every method at work on one picture."""

import streamlit as st

from decam.ui import field_run, field_tree, method_cards, model_choice, session, style, targets

session.begin("methods")
style.apply("methods.css")

with st.sidebar:
    style.brand()
    field_tree.contents()

chosen, seen = st.columns([1.7, 1], gap="medium", vertical_alignment="center")
with chosen:
    picture, entry = field_run.controls()
classifier = model_choice.load(entry)
if classifier is not None:
    with seen:
        targets.seen(classifier, picture)
    model_choice.limits(entry, [picture])
    status = st.container()
    runs = field_run.of(classifier, picture)
    field_tree.show(classifier, {choice.name for run in runs[1:] for choice in run.plan.methods})
    if runs:
        method_cards.show(classifier, picture, runs, status)
