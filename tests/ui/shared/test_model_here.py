"""A page's own choice among the models that are here, of which one may arrive at any moment."""

from __future__ import annotations

import itertools

import pytest
from streamlit.testing.v1 import AppTest

from decam.models.catalogue import ENTRIES, Entry
from decam.ui.shared import model_choice

QUICK = "squeezenet1_0"
SHAPES = [name for name, entry in ENTRIES.items() if not entry.url]
QUESTIONS = len(ENTRIES) + 3
"""More than how often a drawing asks whether the weights of QUICK are here."""


def _page() -> None:
    import streamlit as st

    from decam.images.samples import get
    from decam.ui.shared import model_here
    from decam.ui.shared.pictures import Chosen

    name = st.session_state["sample"]
    st.text(model_here.panel("page", Chosen(key=name, name=name, kind=get(name).kind, sample=get(name))).name)


def drawn(app: AppTest) -> str:
    app.run()
    assert not app.exception
    return str(app.text[0].value)


@pytest.fixture
def app() -> AppTest:
    made = AppTest.from_function(_page, default_timeout=60)
    made.session_state["sample"] = "chelsea"
    return made


def arrives(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Weights of QUICK come after they were looked for so often; those of no other model are here."""
    asked = itertools.count()
    monkeypatch.setattr(
        Entry, "present", lambda entry: not entry.url or (entry.name == QUICK and next(asked) >= moment)
    )


@pytest.mark.slow
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("moment", range(QUESTIONS))
def test_weights_that_come_while_the_page_is_drawn_are_offered_now_or_the_next_time(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, moment: int, awaited: bool
) -> None:
    arrives(monkeypatch, moment)
    if awaited:
        app.session_state[model_choice.AWAITED] = QUICK
    assert drawn(app) in {QUICK, "embedded"}
    for _ in range(QUESTIONS):
        drawn(app)
    assert drawn(app) == QUICK
    assert app.selectbox[0].options == [ENTRIES[name].title for name in [*SHAPES, QUICK]]


@pytest.mark.slow
def test_the_choice_follows_the_image_until_the_visitor_chooses(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    arrives(monkeypatch, 0)
    assert drawn(app) == QUICK
    app.session_state["sample"] = "scene-star"
    assert drawn(app) == "embedded"
    app.selectbox[0].select(SHAPES[1])
    assert drawn(app) == SHAPES[1]
    app.session_state["sample"] = "chelsea"
    assert drawn(app) == SHAPES[1]


@pytest.mark.slow
def test_a_model_that_is_no_longer_here_gives_way(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    arrives(monkeypatch, 0)
    app.session_state[model_choice.AWAITED] = QUICK
    assert drawn(app) == QUICK
    arrives(monkeypatch, 1000)
    assert drawn(app) == "embedded"
