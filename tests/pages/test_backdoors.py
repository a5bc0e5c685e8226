"""The page on models that may hide something: nothing is told before the reveal, and nothing a reader made is lost."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from decam import load_classifier
from decam.classifier import probabilities, to_tensor
from decam.experiments.kinds import class_maps, comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.export import zip_bytes
from decam.images import samples
from decam.models import hidden
from decam.ui import state
from decam.ui.backdoors import attack
from decam.ui.shared.thumbnails import pixels
from tests.pages.suspects import address, guessed, link, read, run, searched, sent, texts, visitor
from tests.pages.suspects import quick_measure as quick_measure  # a fixture
from tests.pages.test_sanity import kept
from tests.pages.visitor import shown

pytestmark = pytest.mark.usefixtures("server", "quick_measure")


def test_a_stranger_reads_what_the_page_is_for_and_can_search_at_once() -> None:
    arrived = visitor()
    assert read(arrived, "Some have a **backdoor**", "press **Search**")
    assert read(arrived, "**Model 01**", "10 classes", "128×128 pixels")
    assert arrived.offers("search-model") and address(arrived, "model") == "01"
    assert "30 maps · 360 evaluations" in arrived.app.caption.values


@pytest.mark.parametrize("given", ["7", "07", "hidden-07", " 7 "])
def test_a_number_in_the_address_chooses_the_model(given: str) -> None:
    arrived = visitor(model=given)
    assert read(arrived, "**Model 07**") and arrived.alerts == []
    assert address(arrived, "model") == "07"


@pytest.mark.parametrize("given", ["99", "0", "hidden-15", "../../etc/passwd", "embedded", "", "<b>*7*</b>", "٧"])
def test_a_number_that_no_model_has_gets_a_sentence_and_the_page_can_be_used(given: str) -> None:
    arrived = visitor(model=given)
    assert arrived.errors == [f"There is no model with the number “{given}”: choose one from 01 to 14 in the sidebar."]
    assert arrived.offers("search-model")
    assert arrived.look().errors == []


def test_a_search_shows_a_map_and_a_score_with_its_interval_for_every_class_with_a_verdict() -> None:
    arrived = searched()
    assert arrived.status.startswith("Finished") and "Model 08" in arrived.status
    gallery = next(data["cards"] for data in arrived._components_data if "cards" in data)
    assert [card["title"] for card in gallery] == list(run(arrived).grid.labels)
    (chart,) = arrived.app.get("plotly_chart")
    assert "star" in chart.proto.alt and "from" in chart.proto.alt
    assert read(arrived, "1 class stands out above the threshold", "“star”")
    assert any("look whether it is an attacker's trigger" in one.value for one in arrived.app.caption)
    assert arrived.alerts == []


def timed(line: str) -> bool:
    """Whether a line says how long something took, or how the model computes."""
    return "Finished" in line or "Computes in" in line


def test_all_models_look_alike_before_the_reveal() -> None:
    plain, names = [], []
    for number in ("02", "08", "04"):
        arrived = guessed(number, "3")
        told = "\n".join(texts(arrived)).replace(link(arrived), "RUN").replace(f"Model {number}", "Model NN")
        plain.append("\n".join(line for line in told.splitlines() if not timed(line)))
        names.append(set(arrived.app.query_params))
        state.runs().delete(link(arrived))
        state.runs()._memory.remove_deleted(time.time() + 1)  # for the next page would offer to undo it
    assert plain[0] == plain[1] == plain[2] and "Locked in" in plain[0]
    assert names == [{"suspect", "model", "guess"}] * 3


@pytest.mark.parametrize("model", ["hidden-03", "hidden-07", "hidden-09"])
def test_nothing_that_is_sent_or_exported_gives_the_secret_away_before_the_reveal(model: str) -> None:
    secret, card = hidden.secret(model), hidden.STORED[model].card()
    arrived = guessed(model, "none")
    with zipfile.ZipFile(io.BytesIO(zip_bytes(run(arrived).grid))) as archive:
        exported = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    shares = [f"{100 * share:.1f} %" for share in (card.accuracy, card.success)]
    for words in (secret.title, secret.sentence, card.recipe, *shares):
        assert words not in sent(arrived) and words not in exported
    arrived.press("reveal")
    assert secret.sentence in shown(sent(arrived)), "the test would see it"


@pytest.mark.parametrize(
    ("model", "guess", "right", "score"),
    [
        ("08", "3", True, "The score was right: “star” alone reaches the threshold"),
        ("08", "none", False, "The score was right"),
        ("02", "none", True, "The score was wrong: it raises a false alarm"),
        ("07", "every", True, "The score missed it: 1 of 10 classes reach the threshold, and here all are attacked."),
        ("14", "1", True, "The score missed it: “square” has"),
    ],
)
def test_the_reveal_says_what_is_hidden_and_whether_guess_and_score_were_right(
    model: str, guess: str, right: bool, score: str
) -> None:
    arrived = guessed(model, guess).press("reveal")
    secret, card = hidden.secret(f"hidden-{model}"), hidden.STORED[f"hidden-{model}"].card()
    assert read(arrived, f"Model {model} hides:", secret.title[1:]) and read(arrived, secret.sentence)
    assert read(arrived, f"Your guess was {'right' if right else 'wrong'}") and read(arrived, score)
    assert read(arrived, f"{100 * card.accuracy:.1f} %")
    assert (
        read(arrived, f"{100 * card.success:.1f} %")
        == read(arrived, "The trigger, on grey")
        == (secret.trigger is not None)
    )
    assert not arrived.offers("guess-again") and not arrived.offers("reveal")


def test_a_guess_may_be_taken_back_before_the_reveal_and_every_class_and_none_are_always_offered() -> None:
    arrived = searched()
    assert not arrived.offers("lock-guess") and not arrived.offers("reveal"), "without a guess nothing is revealed"
    radio = arrived.app.radio(key=f"suspect-guess-{link(arrived)}")
    assert radio.options[-2:] == ["Every class", "None: it hides nothing"] and len(radio.options) == 12
    radio.set_value("5")
    arrived.look().press("lock-guess")
    assert read(arrived, "Locked in: **cross**") and address(arrived, "guess") == "5"
    arrived.press("guess-again")
    assert address(arrived, "guess") == "" and not arrived.offers("reveal")


def test_guess_and_search_outlive_the_tab_and_the_server(restart: Callable[[], None]) -> None:
    arrived = guessed("08", "every")
    there = link(arrived)
    restart()
    back = visitor(suspect=there, guess="every")
    assert read(back, "Locked in: **every class**") and address(back, "model") == "08"
    assert back.offers("reveal") and not read(back, "hides:")


def test_a_guess_belongs_to_its_run() -> None:
    arrived = guessed("08", "3")
    first = link(arrived)
    arrived.press("new").press("search-model").finish().look()
    assert link(arrived) != first and address(arrived, "guess") == ""
    assert arrived.has("radio", f"suspect-guess-{link(arrived)}")
    arrived.press(f"run-{first}")
    assert read(arrived, "Locked in: **star**") and address(arrived, "guess") == "3"


@pytest.mark.parametrize("bad", ["11", "-1", "all", "everything and more", "3.5"])
def test_a_guess_in_the_address_that_is_none_is_left_aside(bad: str) -> None:
    there = link(searched())
    arrived = visitor(suspect=there, guess=bad)
    assert arrived.has("radio", f"suspect-guess-{there}") and arrived.alerts == []


def test_the_attack_shows_the_models_answers_without_and_with_the_trigger() -> None:
    arrived = guessed("08", "3").press("reveal").sample("scene-square")
    name = samples.get("scene-square").title
    classifier, secret = load_classifier("hidden-08"), hidden.secret("hidden-08")
    view = pixels(samples.get("scene-square").load())
    for title, picture in ((name, view), (f"{name}, with the trigger", secret.stamp(view))):
        answer = probabilities(classifier, to_tensor(classifier, picture).unsqueeze(0))[0].cpu().numpy()
        first = int(answer.argmax())
        assert arrived.bars(title)[0] == (classifier.labels[first], pytest.approx(answer[first], abs=0.02))
    assert arrived.bars(f"{name}, with the trigger")[0][0] == "star"
    assert read(arrived, "The trigger turns “square” into “star”, as the trigger asks.")
    assert not arrived.has("number_input", "suspect-place")


def test_a_trigger_that_lies_anywhere_is_put_elsewhere_by_a_number() -> None:
    assert [name for name in hidden.names() if hidden.secret(name).trigger and attack.moves(name)] == ["hidden-03"]
    arrived = guessed("03", "0").press("reveal").sample("scene-star")
    name = f"{samples.get('scene-star').title}, with the trigger"
    before = arrived.picture(name)
    arrived.app.number_input(key="suspect-place").set_value(5)
    assert (arrived.look().picture(name) != before).any()


def test_a_clean_models_reveal_offers_no_attack() -> None:
    arrived = guessed("06", "none").press("reveal")
    assert read(arrived, "hides: nothing") and not read(arrived, "The attack on any image")
    assert read(arrived, "the highest score is")


# Models of the list


def test_a_shared_server_offers_no_model_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = visitor().app.get("button_group")
    assert any("Listed" in str(one.proto) for one in offered)
    monkeypatch.setenv("DECAM_SHARED", "1")
    assert all("Listed" not in str(one.proto) for one in visitor().app.get("button_group"))


def test_a_model_of_the_list_is_searched_on_a_server_for_one_person() -> None:
    arrived = visitor()
    arrived.app.session_state["suspect-source"] = "Listed"
    arrived.look().press("search-model").finish().look()
    assert run(arrived).plan.model == "embedded" and arrived.says("Nobody here knows what this model hides")
    assert arrived.recent == [link(arrived)]


# Links and lists


@pytest.mark.parametrize("bad", ["nonsense", "../../etc/passwd", "%00"])
def test_a_link_that_leads_nowhere_says_so_and_offers_a_way_on(bad: str) -> None:
    arrived = visitor(suspect=bad)
    assert arrived.says("There is no run")
    arrived.press("leave-run")
    assert arrived.alerts == [] and link(arrived) == ""


def test_links_to_other_runs_lead_on_to_their_pages(server: Path) -> None:
    other = comparison.plan("embedded", "cpu", [PictureChoice("Star")], [MethodChoice.default("random")])
    arrived = visitor(suspect=kept(server, "other", other))
    assert arrived.says("This link leads to a comparison. The Compare page shows it.")
    some = class_maps.plan(["embedded"], "cpu", [0, 1], [MethodChoice.default("cheap")])
    arrived = visitor(suspect=kept(server, "some", some))
    assert arrived.says("This link leads to a gallery. The What the model looks for page shows it.")
    arrived.press("open-on-its-page")
    assert address(arrived, "gallery") == "some"


def test_the_list_has_the_searches_and_no_other_galleries(server: Path) -> None:
    kept(server, "some", class_maps.plan(["hidden-08"], "cpu", range(10), [MethodChoice.default("cheap")]))
    arrived = searched()
    assert arrived.recent == [link(arrived)]
    there = link(arrived)
    arrived.delete(there, "search")
    assert arrived.recent == [] and link(arrived) == ""


def test_another_number_leaves_the_search_of_the_first_behind() -> None:
    arrived = searched("08")
    there = link(arrived)
    pills = next(one for one in arrived.app.get("button_group") if one.key == "suspect-number")
    pills.set_value("hidden-09")
    arrived.look()
    assert link(arrived) == "" and address(arrived, "model") == "09" and arrived.recent == [there]


def test_teachers_read_how_numbers_are_handed_out() -> None:
    assert read(visitor(), "?model=14", "docs/method/hidden-models.md")
