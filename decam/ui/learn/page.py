"""The Learn page: lessons with ready-made runs, each a row of screens, with something to predict before it is shown."""

from __future__ import annotations

import streamlit as st

from decam.errors import SettingError
from decam.ui import state, text, theme
from decam.ui.learn import overview, player, session, teacher


def show() -> None:
    """Draw the page."""
    state.arrive("learn")
    theme.apply()
    theme.apply("learn/learn.css")
    theme.title(begin=True)
    try:
        lesson = session.lesson()
        place = None if lesson is None else session.step(lesson)
    except SettingError as error:
        lesson, place = None, None
        session.leave()
        st.error(text.plain(str(error)))

    with st.sidebar:
        theme.brand()
        overview.index(lesson)
        teacher.panel(lesson)

    if lesson is None or place is None:
        theme.title(seen=True)
        overview.show()
    else:
        theme.title(lesson.title)
        player.show(lesson, place)
