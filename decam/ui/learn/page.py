"""The Learn page: lessons with ready-made runs, each a row of screens, with something to predict before it is shown."""

from __future__ import annotations

import streamlit as st

from decam.errors import SettingError
from decam.ui import text, theme
from decam.ui.learn import overview, player, session, teacher
from decam.ui.shared import session as visit


def show() -> None:
    """Draw the page."""
    visit.begin("learn")
    theme.apply("learn/learn.css")
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
