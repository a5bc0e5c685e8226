"""What the browser is sent of the methods, and what it may send back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from decam.classifier import FunctionClassifier, TorchClassifier
from decam.methods import METHODS
from decam.methods.presets import PRESETS
from decam.ui.components.picker import method_picker
from decam.ui.shared import method_choice, throughput


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A visitor's session, empty at first."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    yield state


def by_name(sent: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {method["name"]: method for method in sent["methods"]}


def test_every_method_is_sent_with_its_family_and_fits_into_json(embedded: TorchClassifier) -> None:
    sent = method_picker.payload(embedded, {})
    assert [method["name"] for method in sent["methods"]] == list(METHODS)
    assert {method["family"] for method in sent["methods"]} == {family["name"] for family in sent["families"]}
    assert [preset["title"] for preset in sent["presets"]] == [preset.title for preset in PRESETS.values()]
    assert len(json.dumps(sent)) < 40_000


def test_costs_follow_the_settings_as_they_were_left(embedded: TorchClassifier, session: dict[str, Any]) -> None:
    session["setting:rise:budget"] = 300
    sent = by_name(method_picker.payload(embedded, {"de-cam": 777}))
    assert (sent["rise"]["cost"], sent["de-cam"]["cost"], sent["random"]["cost"]) == (300, 777, 0)


def test_settings_out_of_bounds_do_not_hide_what_a_method_usually_costs(
    embedded: TorchClassifier, session: dict[str, Any]
) -> None:
    session["setting:rise:budget"] = -5
    assert by_name(method_picker.payload(embedded, {}))["rise"]["cost"] == 1000


def test_what_cannot_run_says_why_and_has_no_cost(rectangle_classifier: FunctionClassifier) -> None:
    sent = by_name(method_picker.payload(rectangle_classifier, {}))
    assert "gradients" in sent["grad-cam"]["obstacle"]
    assert sent["grad-cam"]["cost"] is None
    assert sent["rise"]["obstacle"] == ""


def test_the_wish_for_a_method_outlives_a_model_that_it_cannot_explain(
    embedded: TorchClassifier, rectangle_classifier: FunctionClassifier
) -> None:
    method_picker.take({"methods": ["rise", "grad-cam"], "edit": 1})
    assert [method.name for method in method_choice.chosen(rectangle_classifier)] == ["rise"]
    assert method_picker.payload(rectangle_classifier, {})["chosen"] == ("rise", "grad-cam")
    assert [method.name for method in method_choice.chosen(embedded)] == ["rise", "grad-cam"]


def test_a_first_visit_compares_the_usual_methods_and_none_at_all_is_a_choice_too() -> None:
    assert method_choice.names() == tuple(name for name, method in METHODS.items() if method.default)
    method_picker.take({"methods": [], "edit": 1})
    assert method_choice.names() == ()


def test_the_browsers_count_of_its_wishes_is_sent_back(embedded: TorchClassifier) -> None:
    method_picker.take({"methods": ["rise"], "edit": 7})
    assert method_picker.payload(embedded, {})["edit"] == 7
    method_choice.choose(["random"])  # a run is opened: not the browser's wish, so its count stays
    assert method_picker.payload(embedded, {})["edit"] == 7


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text() | some.sampled_from(list(METHODS)),
    lambda inside: some.lists(inside) | some.dictionaries(some.text(), inside),
    max_leaves=8,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything | some.fixed_dictionaries({"methods": anything, "edit": anything}))
def test_whatever_a_browser_sends_the_choice_stays_methods_of_the_table_in_its_order(sent: object) -> None:
    method_picker.take(sent)
    assert list(method_choice.names()) == [name for name in METHODS if name in method_choice.names()]


def test_time_is_told_only_after_a_run_of_that_model_on_that_device(
    embedded: TorchClassifier, session: dict[str, Any]
) -> None:
    assert method_picker.payload(embedded, {})["pace"] is None
    session[throughput.KEY] = {("embedded", "elsewhere"): 1.0, (embedded.name, str(embedded.device)): 0.5}
    assert method_picker.payload(embedded, {})["pace"] == 0.5
