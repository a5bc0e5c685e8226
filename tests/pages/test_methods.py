"""The Methods page: a card for every method, the maps of a run that all visitors share, words where there is none."""

from __future__ import annotations

import dataclasses
import html
import re
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from decam.classifier import Classifier, Pixels
from decam.experiments import execute
from decam.explanation import Progress, Question, Steps
from decam.methods import CLASS_METHODS, METHODS
from decam.methods.taxonomy import FAMILIES, TREE, Branch, grouped
from decam.models import load_classifier
from decam.models.sources import torchvision as torchvision_source
from decam.ui import nav, state
from decam.ui.methods import examples
from tests.pages.conftest import QUICK
from tests.pages.visitor import PATIENCE, Visitor

FEW = ("grad-cam", "gradient", "random", "edges")


@pytest.fixture
def cheap(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All methods are there, and the shared run makes the maps of a few."""
    assert server
    able = examples.able
    monkeypatch.setattr(examples, "able", lambda asked: [pair for pair in able(asked) if pair[0].name in FEW])
    monkeypatch.setattr(examples, "stand_ins", lambda _: {})


def visitor() -> Visitor:
    """A visitor who went on to the Methods page."""
    arrived = Visitor()
    arrived.go("methods")
    return arrived.look()


def cards(of: Visitor) -> dict[str, str]:
    """What is drawn of each method beside its formula, by its name."""
    found = (re.search(r'<article class="dc-method" id="method-([^"]+)"', text) for text in of.app.html.values)
    return {match[1]: match.string for match in found if match}


def families(parts: tuple[Branch | str, ...]) -> Iterator[str]:
    """The names of the families in a part of the tree."""
    for part in parts:
        if isinstance(part, Branch):
            yield from families(part.parts)
        else:
            yield part


def test_every_family_stands_in_the_tree_once() -> None:
    assert sorted(families(TREE)) == sorted(FAMILIES)


@pytest.mark.parametrize("name", METHODS)
def test_every_row_says_what_a_card_shows(name: str) -> None:
    row = METHODS[name]
    for text in (row.summary, row.strengths, row.misleads):
        assert text.endswith(".") and 10 < len(text) < 200, text
    assert row.formula and row.url.startswith("http") and re.search(r"\(\d{4}\)", row.reference)


@pytest.mark.usefixtures("cheap")
def test_every_method_has_a_card_with_its_formula_needs_cost_strength_and_trap() -> None:
    arrived = visitor().finish()
    drawn, texts = cards(arrived), [html.unescape(text) for text in arrived.app.html.values]
    formulas = [text for text in arrived.app.markdown.values if text.startswith("$$")]
    assert list(drawn) == [row.name for _, rows in grouped(METHODS.values()) for row in rows]
    assert formulas == [f"$$\n{METHODS[name].formula}\n$$" for name in drawn]
    for name, card in drawn.items():
        row = METHODS[name]
        assert row.title in html.unescape(card) and row.summary in html.unescape(card)
        assert any(row.strengths in text and row.misleads in text for text in texts)
        assert any(row.url in text and row.reference in text for text in texts)
    assert "black box: model output only" in drawn["rise"]
    assert "needs gradients" in drawn["gradient"]
    assert "needs no model" in drawn["random"]
    assert "500 evaluations" in drawn["rise"]
    assert "A short run: by default it takes 1,000 evaluations." in drawn["rise"]
    assert "A short run" not in drawn["occlusion"]


@pytest.mark.usefixtures("cheap")
def test_maps_are_shown_when_they_are_made_and_the_next_visitor_sees_them_at_once() -> None:
    visitor().finish()
    made = state.runs().recent()
    guest = visitor()
    assert guest.status.startswith("Finished")
    for name in FEW:
        assert f'alt="Map of {METHODS[name].title}"' in cards(guest)[name]
    assert made == [], "shared runs are listed for nobody"


@pytest.mark.usefixtures("cheap")
def test_the_tree_leads_to_every_card_and_greys_what_cannot_run_with_the_reason() -> None:
    arrived = visitor()
    tree = next(text for text in arrived.app.html.values if 'class="dc-tree"' in text)
    classifier = state.models().get("embedded", state.device())
    for name, row in METHODS.items():
        obstacle = row.obstacle(classifier)
        link = re.search(rf'<a href="#method-{re.escape(name)}"([^>]*)>', tree)
        assert link is not None
        assert (html.unescape(link[1]) == f' class="off" title="{obstacle}"') if obstacle else link[1] == ""
    leaf = tree[tree.index(FAMILIES["class"].title) :]
    titles = re.findall(r'<a href="class_maps" target="_self"[^>]*>([^<]+)</a>', leaf)
    assert [html.unescape(title) for title in titles] == [row.title for row in CLASS_METHODS.values()]
    assert "class_maps" in {entry.address for entry in nav.PAGES}
    assert set(re.findall(r'href="#family-([^"]+)"', tree)) == {family.name for family, _ in grouped(METHODS.values())}


@pytest.mark.usefixtures("cheap")
def test_a_method_that_cannot_run_says_why_and_cannot_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "Gradient needs what this model does not give."
    monkeypatch.setitem(METHODS, "gradient", with_obstacle("gradient", reason))
    arrived = visitor()
    assert reason in cards(arrived)["gradient"]
    assert "cannot run on this model" in cards(arrived)["gradient"]
    assert not arrived.offers("compare-gradient")
    assert arrived.offers("compare-grad-cam")


def test_models_made_for_it_stand_in_for_every_method_that_cannot_explain_the_embedded_one() -> None:
    classifier = state.models().get("embedded", state.device())
    found = {row.name: model for model, rows in examples.stand_ins(classifier).items() for row in rows}
    assert found == {
        "attention-branch": "abn",
        "bilinear-attention": "bcnn",
        "prototypes": "prototypes",
        **dict.fromkeys(("attention-rollout", "class-token", "legrad"), "small-vit"),
    }
    assert examples.stand_ins(load_classifier("abn", device="cpu", exact=True)).keys() >= {"bcnn", "prototypes"}
    assert examples.stand_ins(torchvision_source.untrained("squeezenet1_0")) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_a_card_shows_its_method_on_a_model_that_stands_in_and_compare_opens_with_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    able = examples.able
    monkeypatch.setattr(examples, "able", lambda asked: [pair for pair in able(asked) if pair[0].name in FEW])
    arrived = visitor()
    arrived.until(lambda: 'alt="Map of Attention branch"' in cards(arrived)["attention-branch"])
    drawn = html.unescape(cards(arrived)["attention-branch"])
    assert "Shown on the model Attention branch network: Attention branch needs" in drawn
    assert "1 evaluation · " in drawn
    arrived.press("compare-attention-branch")
    assert arrived.app.selectbox(key="model").value == "abn"
    assert "attention-branch" in arrived.chosen


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_the_models_own_maps_come_before_those_of_models_that_stand_in_and_wait_for_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began: list[str] = []
    explain_view, gate = execute.explain_view, threading.Semaphore(0)

    def explained(classifier: Classifier, view: Pixels, method: str, *rest: Any) -> Generator[Progress, None, Any]:
        assert gate.acquire(timeout=PATIENCE)
        began.append(classifier.name)
        return (yield from explain_view(classifier, view, method, *rest))

    able = examples.able
    monkeypatch.setattr(examples, "able", lambda asked: [pair for pair in able(asked) if pair[0].name in FEW])
    monkeypatch.setattr(execute, "explain_view", explained)
    arrived = visitor()
    assert "ahead" not in arrived.status
    gate.release(1000)
    arrived.until(lambda: len(began) >= len(FEW) + 6)
    # A run that stands in may have begun one map before the model's own run was there.
    own = [place for place, name in enumerate(began) if name == "embedded"]
    assert own[0] <= 1
    assert own == list(range(own[0], own[0] + len(FEW)))


def with_obstacle(name: str, reason: str) -> object:
    """A method's row that refuses every classifier."""

    def refuse(classifier: Classifier) -> str:
        assert classifier
        return reason

    return dataclasses.replace(METHODS[name], requires=refuse)


@pytest.mark.usefixtures("cheap", "quick_model")
def test_a_photograph_goes_to_an_imagenet_model_until_the_visitor_chooses_another() -> None:
    arrived = visitor()
    assert arrived.app.selectbox(key="field-model").value == "embedded"
    arrived.press("field-chelsea")
    assert arrived.app.selectbox(key="field-model").value == QUICK
    assert "resnet18" not in arrived.app.selectbox(key="field-model").options
    box = arrived.app.selectbox(key="field-model")
    box.select_index(box.options.index("Shapes demo"))
    arrived.look()
    assert arrived.says("knows ten drawn shapes")
    arrived.press("field-coffee")
    assert arrived.app.selectbox(key="field-model").value == "embedded"


@pytest.mark.usefixtures("cheap")
def test_compare_opens_with_the_method_the_picture_and_the_model() -> None:
    arrived = visitor().press("field-scene-arrow").finish()
    arrived.press("compare-random")
    assert arrived.cards == ["Arrow"]
    assert arrived.chosen == {"random", *(name for name, row in METHODS.items() if row.default)}
    assert arrived.app.selectbox(key="model").value == "embedded"
    assert arrived.run == ""


@pytest.mark.usefixtures("cheap")
def test_a_run_can_be_stopped_and_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(question: Question, settings: object, seed: int) -> Steps:
        del settings, seed
        while True:
            time.sleep(0.01)
            yield Progress(1, 4, question.ledger.evaluations)

    whole = METHODS["gradient"]
    monkeypatch.setitem(METHODS, "gradient", dataclasses.replace(whole, run=endless))
    arrived = visitor()
    arrived.until(lambda: 'aria-valuenow="25"' in cards(arrived)["gradient"])
    arrived.press("stop-field").finish()
    assert arrived.status.startswith("Stopped")
    assert "stopped before its turn" in cards(arrived)["gradient"]
    monkeypatch.setitem(METHODS, "gradient", whole)
    arrived.press("continue").finish()
    assert arrived.status.startswith("Finished")


@pytest.mark.usefixtures("cheap")
def test_a_model_that_cannot_be_asked_leaves_the_page_with_a_sentence(checkpoints: Path, quick_model: Path) -> None:
    assert checkpoints
    quick_model.write_bytes(b"damaged")
    arrived = visitor().press("field-chelsea")
    assert arrived.errors
    assert cards(arrived) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("quick_model", "server")
def test_of_a_photograph_only_maps_that_cost_little_are_made_unasked_and_the_others_at_one_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = {*FEW, "occlusion"}
    able = examples.able
    monkeypatch.setattr(examples, "able", lambda asked: [pair for pair in able(asked) if pair[0].name in few])
    arrived = visitor().press("field-chelsea").finish()
    drawn = cards(arrived)
    assert 'alt="Map of Gradient"' in drawn["gradient"]
    assert "Not made yet" in drawn["occlusion"]
    assert arrived.app.button(key="all-maps").help == "1 further map of 122 evaluations; the others are here already."
    assert Visitor().go("methods").look().press("field-chelsea").offers("all-maps")
    arrived.press("all-maps").finish()
    assert 'alt="Map of Occlusion"' in cards(arrived)["occlusion"]
    assert not arrived.offers("all-maps")
    runs = [state.runs().snapshot(run) for run in state.runs()._store.versions("comparison")]
    (whole,) = [run for run in runs if run.plan.model == QUICK and len(run.cells) == len(few)]
    assert [whole.plan.methods[key.method].name for key, cell in whole.cells.items() if not cell.reused] == [
        "occlusion"
    ]
    again = visitor().press("field-chelsea").finish()
    assert 'alt="Map of Occlusion"' in cards(again)["occlusion"], "what somebody has asked for is there for everybody"


def test_maps_are_made_in_the_order_of_their_cards() -> None:
    order = [row.name for _, rows in grouped(METHODS.values()) for row in rows]
    names = [row.name for row, _ in examples.able(load_classifier("embedded", device="cpu"))]
    assert names == [name for name in order if name in names]
