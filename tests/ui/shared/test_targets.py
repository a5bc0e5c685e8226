"""The cards of pictures stand before the model has answered, and go where there is no model."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def _cards() -> None:
    import streamlit as st

    from decam.images.samples import get
    from decam.models import load_classifier
    from decam.models.catalogue import get as get_model
    from decam.ui.shared import targets
    from decam.ui.shared.pictures import Chosen

    def page(step: str) -> None:
        chosen = [Chosen(key=name, name=name, kind="scene", sample=get(name)) for name in ("scene-star", "scene-arrow")]
        where = targets.places(get_model("embedded"), chosen)
        if step != "loading":
            asked = targets.row(load_classifier("embedded") if step == "loaded" else None, chosen, where)
            st.text(f"{len(asked)} asked")

    page(st.session_state["step"])


def awaited(app: AppTest) -> list[str]:
    return [one.proto.body for one in app.get("html") if "aria-busy" in one.proto.body]


@pytest.mark.slow
def test_cards_are_there_while_the_model_is_loaded_and_not_again_once_it_has_answered() -> None:
    app = AppTest.from_function(_cards, default_timeout=60)
    app.session_state["step"] = "loading"
    app.run()
    assert not app.exception
    assert len(awaited(app)) == 2 and "scene-star" in awaited(app)[0] and "data:image/jpeg" in awaited(app)[0]
    app.session_state["step"] = "loaded"
    app.run()
    assert app.text[0].value == "2 asked" and not awaited(app)
    assert app.selectbox[0].label == "Target class of scene-star"
    app.session_state["step"] = "loading"
    app.run()
    assert not awaited(app), "the model was asked before, and answers at once"


@pytest.mark.slow
def test_a_card_that_was_answered_is_never_emptied_again() -> None:
    app = AppTest.from_function(_cards, default_timeout=60)
    app.session_state["step"] = "loaded"
    app.run()
    app.session_state["step"] = "loading"
    app.run()
    assert not app.get("empty"), "a browser that is slow would show it empty, and lose where its keyboard is"


@pytest.mark.slow
def test_without_a_model_a_card_shows_its_picture_alone() -> None:
    app = AppTest.from_function(_cards, default_timeout=60)
    app.session_state["step"] = "missing"
    app.run()
    assert not app.exception
    assert app.text[0].value == "0 asked" and not awaited(app) and not app.selectbox
    assert [one.label for one in app.button] == ["Remove scene-star", "Remove scene-arrow", "More"]
    shown = [one.proto.body for one in app.get("html") if "dc-card" in one.proto.body]
    assert len(shown) == 2 and "scene-star" in shown[0] and "data:image/jpeg" in shown[0]
