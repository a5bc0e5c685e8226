"""The card of a picture: its likeliest classes, the class asked about, and how sure the model is."""

from __future__ import annotations

import pytest

from decam.images.scenes.scene import CLASSES
from decam.ui.shared import targets
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")


def test_the_class_asked_about_is_among_the_bars_with_its_rank_wherever_it_stands() -> None:
    visitor = Visitor().sample("scene-star")
    options = [option.split(" ")[0] for option in visitor.card("Star").options]
    assert [bar["label"] for bar in visitor.shown("Star")["bars"]] == options[:5]
    for rank in (3, 6, 10):
        bars = visitor.ask("Star", options[rank - 1]).shown("Star")["bars"]
        (chosen,) = [bar for bar in bars if bar["chosen"]]
        assert (chosen["label"], chosen["rank"]) == (options[rank - 1], rank)
        assert len(bars) == (5 if rank <= 5 else 6)


def test_no_probability_on_a_card_reads_as_nothing() -> None:
    visitor = Visitor().sample("scene-star")
    for label in CLASSES:
        if label != "star":
            bars = visitor.ask("Star", label).shown("Star")["bars"]
            assert all(float(bar["words"].strip("<> %")) > 0 for bar in bars if bar["probability"] > 0)


def test_a_model_that_is_unsure_is_called_so_with_its_two_best_answers() -> None:
    visitor = Visitor().sample("scene-star", "chelsea").model("embedded")
    assert visitor.shown("Star")["note"] == ""
    shown = visitor.shown("Chelsea the cat")
    first, second = shown["bars"][:2]
    assert first["probability"] < 0.5
    expected = f"The model is unsure: {first['label']} {first['words']} or {second['label']} {second['words']}"
    assert shown["note"].replace("\N{NO-BREAK SPACE}", " ") == expected


def test_the_likeliest_bar_asks_about_the_predicted_class_and_another_one_about_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: dict[str, int] = {}
    monkeypatch.setattr(targets.st, "session_state", kept)
    targets._choose("target", 4, 7)
    assert kept == {"target": 7}
    targets._choose("target", 4, 4)
    assert kept == {"target": targets.PREDICTED}
