"""The Sanity page: a model forgets stage by stage, and each method's map should go with what was learnt."""

import streamlit as st

from decam.ui import model_choice, pictures, sanity_form, sanity_session, sanity_view, state, style, targets, welcome

snapshot = sanity_session.opened()

with st.sidebar:
    style.brand(sanity_form.leave)
    chosen = sanity_form.picture(pictures.panel(), snapshot)
    entry = model_choice.panel(chosen)
    below = st.container()

if not chosen and snapshot is None:
    welcome.show_sanity()

classifier = model_choice.load(entry)

with below:
    how = sanity_form.how(entry.name)
    choices = sanity_form.methods(classifier)
    model_choice.device_panel(classifier)
    before = st.container()

if chosen and classifier is not None:
    model_choice.limits(entry, chosen)
    asked = targets.row(classifier, chosen, judged=False)
    snapshot = sanity_session.action(classifier, asked, choices, how, snapshot)

sanity_view.show(snapshot)

with before:
    sanity_session.recent(state.check_id())
