"""The DE-CAM page: one picture, one search, all of it visible; and the same evolution on landscapes one can see."""

import streamlit as st

from decam.ui import (
    landscape_view,
    measuring,
    model_choice,
    pictures,
    recent,
    run_view,
    search_form,
    search_run,
    session,
    state,
    style,
    targets,
    welcome,
)

snapshot = session.opened("de-cam")

with st.sidebar:
    style.brand(session.begin_again)
    chosen = search_form.picture(pictures.panel())
    entry = model_choice.panel(chosen)
    below = st.container()

search, landscapes = st.tabs(["Search", "Landscapes"], key="tab", bind="query-params")
with search:
    classifier = model_choice.load(entry)

with below:
    choices = search_form.panel(classifier)
    model_choice.device_panel(classifier)
    how = measuring.panel()
    before = st.container()

if landscapes.open:
    with landscapes:
        landscape_view.show()
else:
    with search:
        if not chosen and snapshot is None:
            welcome.show_search()
        if chosen and classifier is not None:
            model_choice.limits(entry, chosen)
            asked = targets.row(classifier, chosen, judged=False)
            snapshot = session.action(classifier, asked, choices, how, snapshot, search_form.variants)
        run_view.show(snapshot, search_run.show)

with before:
    recent.panel(state.run_id())
