"""The Metrics page: a map of the field, and every metric at work on one picture step by step."""

import streamlit as st

from decam.ui import metric_cards, metric_subject, session, state, style

state.arrive("metrics")
style.apply()

with st.sidebar:
    style.brand(session.begin_again)
    metric_cards.index()

st.subheader("How good is a saliency map?")
metric_cards.tree()
subject = metric_subject.panel()
if subject is not None:
    metric_subject.show(subject)
metric_cards.cards(subject)
