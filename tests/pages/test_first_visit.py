"""The first visit: samples instead of results, and the way from there to a comparison."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from decam.classifier import Execution, TorchClassifier
from decam.images.samples import SAMPLES
from decam.images.scenes.scene import CLASSES
from decam.methods import METHODS
from decam.models.cache import Models
from decam.ui import state
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")

DEFAULTS = {name for name, method in METHODS.items() if method.default}


def test_a_first_visit_offers_the_samples_and_nothing_to_explain() -> None:
    visitor = Visitor()
    assert all(visitor.offers(f"welcome-{sample.name}") for sample in SAMPLES)
    assert not visitor.offers("explain")
    assert (visitor.run, visitor.status, visitor.grid, visitor.recent, visitor.alerts) == ("", "", {}, [], [])


def test_the_first_page_does_not_wait_for_the_trial_of_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    def find(classifier: TorchClassifier) -> Execution:
        assert goes_on.wait(60), "the page asked the model"
        return classifier.execution

    models = Models(find=find)
    monkeypatch.setattr(state, "models", lambda: models)
    visitor = Visitor()
    assert visitor.offers("welcome-scene-star")
    assert "A trial finds the fastest way to compute." in visitor.app.sidebar.caption.values
    goes_on.set()
    visitor.press("welcome-scene-star")
    assert visitor.bars("Star")[0][0] == "star"
    assert "Computes in float32." in visitor.app.sidebar.caption.values


def test_a_visit_alone_makes_no_run(server: Path) -> None:
    Visitor()
    assert not (server / "runs").exists()


def test_a_sample_shows_its_prediction_and_its_five_likeliest_classes() -> None:
    visitor = Visitor().press("welcome-scene-star")
    assert not visitor.app.header, "the welcome makes room"
    assert visitor.cards == ["Star"]
    bars = visitor.bars("Star")
    assert bars[0][0] == "star"
    assert [value for _, value in bars] == sorted((value for _, value in bars), reverse=True)
    assert len({label for label, _ in bars} & set(CLASSES)) == 5
    assert visitor.card("Star").options[0] == "star (predicted)"
    assert visitor.offers("explain")


def test_any_class_can_be_found_by_a_part_of_its_name() -> None:
    visitor = Visitor().sample("scene-star")
    options = visitor.card("Star").options
    assert sorted(option.split(" ")[0] for option in options) == sorted(CLASSES)
    visitor.ask("Star", "cresc")
    assert visitor.card("Star").value == CLASSES.index("crescent")


def test_pressing_a_sample_again_takes_it_out() -> None:
    visitor = Visitor().sample("scene-star", "scene-arrow")
    assert visitor.cards == ["Star", "Arrow"]
    assert visitor.press("remove-sample:scene-star").cards == ["Arrow"]
    assert visitor.sample("scene-arrow").cards == []
    assert visitor.offers("welcome-scene-star")


def test_the_cost_of_the_comparison_is_told_before_it_runs() -> None:
    visitor = Visitor().sample("scene-star", "scene-arrow").methods("de-cam", "grad-cam", "random").quick()
    assert "6 maps · 402 evaluations" in visitor.app.main.caption.values
    assert visitor.method("de-cam")["cost"] == 200
    assert visitor.method("random")["cost"] == 0


def test_methods_that_are_off_have_no_form_and_without_any_there_is_nothing_to_explain() -> None:
    visitor = Visitor().sample("scene-star")
    assert visitor.chosen == DEFAULTS
    visitor.methods("rise")
    assert visitor.has("selectbox", "deletion_fill")
    assert not visitor.has("number_input", "setting:de-cam:budget")
    visitor.methods()
    assert not visitor.offers("explain")


def test_every_number_of_a_form_is_bounded_as_its_setting_is() -> None:
    # The embedded model gives no attention, so those methods show no form.
    offered = {name: method for name, method in METHODS.items() if "attention" not in method.needs}
    visitor = Visitor().sample("scene-star")
    checked = 0
    for method in offered.values():
        visitor.methods(method.name)
        for parameter in method.settings.parameters():
            if parameter.kind in (int, float):
                field = visitor.app.number_input(key=f"setting:{method.name}:{parameter.name}")
                assert (field.min, field.max, field.value) == (parameter.low, parameter.high, parameter.default)
                assert parameter.help in field.help
                checked += 1
    assert checked >= 5


def test_of_many_methods_one_form_is_shown_at_a_time_and_the_others_keep_their_values() -> None:
    visitor = Visitor().sample("scene-star").methods("rise")
    visitor.app.number_input(key="setting:rise:budget").set_value(300)
    visitor.look().methods(*METHODS)
    assert visitor.app.selectbox(key="form").value == "de-cam"
    assert not visitor.has("number_input", "setting:rise:budget")
    assert visitor.method("rise")["cost"] == 300
    visitor.app.selectbox(key="form").select("rise")
    assert visitor.look().app.number_input(key="setting:rise:budget").value == 300
    visitor.app.number_input(key="setting:rise:budget").set_value(400)
    visitor.look().app.selectbox(key="form").select("lime")
    assert visitor.look().method("rise")["cost"] == 400
    visitor.methods("rise")
    assert visitor.app.number_input(key="setting:rise:budget").value == 400


def test_the_choice_of_methods_comes_back_from_the_other_page() -> None:
    visitor = Visitor().sample("scene-star").methods("rise", "random")
    visitor.go("de_cam")
    visitor.look().go("compare")
    assert visitor.look().chosen == {"rise", "random"}


def test_begin_again_leaves_pictures_behind_and_keeps_settings() -> None:
    visitor = Visitor().sample("scene-star").methods("de-cam").quick().press("new")
    assert (visitor.cards, visitor.run) == ([], "")
    visitor.sample("scene-arrow")
    assert visitor.app.number_input(key="setting:de-cam:budget").value == 200
    assert visitor.chosen == {"de-cam"}


@pytest.mark.parametrize("value", [-1, 5, 10**9])
def test_a_number_out_of_bounds_never_reaches_a_run(value: int) -> None:
    visitor = Visitor().sample("scene-star").methods("de-cam")
    visitor.app.number_input(key="setting:de-cam:budget").set_value(value)
    field = visitor.look().app.number_input(key="setting:de-cam:budget")
    assert field.min <= field.value <= field.max
    assert f"1 map · {field.value} evaluations" in visitor.app.main.caption.values
