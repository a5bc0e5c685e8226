"""The page on models that may hide something: nothing is told before the reveal, and nothing a reader made is lost."""

from __future__ import annotations

import dataclasses
import io
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from decam import load_classifier
from decam.classifier import probabilities, to_tensor
from decam.errors import ModelError
from decam.experiments.kinds import backdoors, class_maps, comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress
from decam.export import zip_bytes
from decam.images import samples
from decam.methods import CLASS_METHODS
from decam.methods.class_level.scoring import leads
from decam.models import hidden
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.backdoors import attack
from decam.ui.shared import checkpoints
from decam.ui.shared.thumbnails import pixels
from tests.experiments.class_level import PULL, PullSettings
from tests.pages.test_sanity import kept
from tests.pages.visitor import Visitor, shown

pytestmark = pytest.mark.usefixtures("server")
ODD = 3  # the class whose map is cheap, and what hidden-08 was trained to answer


def _run(questions: Sequence[ClassQuestion], settings: PullSettings) -> ClassSteps:
    del settings
    for place, question in enumerate(questions):
        (target,) = question.target
        question.ledger.evaluations += 4
        pattern = np.full((3, *question.classifier.input_size), 0.1 * (target + 1), np.float32)
        yield place, Progress(1, 1, 4, curves={"fidelity": 0.9}, pattern=pattern)
        cost = 1.0 if target == ODD else 10.0 + target + question.seed
        yield place, ClassMap(pattern, 0.9, 0.1, 0.2, float(np.linalg.norm(pattern)), cost)


CHEAP = dataclasses.replace(PULL, name="cheap", title="Cheap", run=_run, scores=lambda _, costs: leads(costs, 0.2))


@pytest.fixture(autouse=True)
def _measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_METHODS, "cheap", CHEAP)
    monkeypatch.setattr(backdoors, "measures", lambda _: (MethodChoice.default("cheap"),))


def visitor(**address: str) -> Visitor:
    """A visitor who came to the page by an address with these parameters."""
    arrived = Visitor()
    for name, value in address.items():
        arrived.app.query_params[name] = value
    return arrived.go("backdoors").look()


def searched(model: str = "08") -> Visitor:
    """A visitor who has searched a model with a number."""
    return visitor(model=model).press("search-model").finish().look()


def guessed(model: str, guess: str) -> Visitor:
    """A visitor who has locked in a guess on a model with a number."""
    arrived = searched(model)
    arrived.app.radio(key=f"suspect-guess-{link(arrived)}").set_value(guess)
    return arrived.look().press("lock-guess")


def address(of: Visitor, name: str) -> str:
    found = of.app.query_params.get(name, "")
    return found if isinstance(found, str) else found[0]


def link(of: Visitor) -> str:
    """The search that the address names."""
    return address(of, "suspect")


def run(of: Visitor) -> RunSnapshot:
    return state.runs().snapshot(link(of))


def texts(of: Visitor) -> list[str]:
    """Everything that a reader can read, and what is behind it."""
    kinds = ("markdown", "caption", "html", "info", "error", "warning", "header", "subheader", "title")
    return [shown(str(element.value)) for kind in kinds for element in of.app.get(kind)]


def sent(of: Visitor) -> str:
    """All that was sent to the browser, widgets and components too."""
    return "\n".join(str(element.proto) for block in (of.app.main, of.app.sidebar) for element in block)


def read(of: Visitor, *parts: str) -> bool:
    return any(all(part in text for part in parts) for text in texts(of))


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
        ("07", "every", True, "The score missed it: 1 of 10 classes reach the threshold."),
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


# The visitor's own file


def weights(kind: str = "pt") -> bytes:
    tensors = {name: tensor.contiguous() for name, tensor in load_classifier("hidden-08").module.state_dict().items()}
    if kind == "safetensors":
        return save(tensors)
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def own(name: str, content: bytes) -> Visitor:
    """A visitor who has given the page a file of weights."""
    arrived = visitor()
    arrived.app.session_state["suspect-source"] = "Own file"
    arrived.look()
    assert not arrived.offers("search-model") and arrived.says("Drop a file of weights")
    arrived.app.file_uploader(key="suspect-upload").set_value([(name, content, "application/octet-stream")])
    return arrived.look()


@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_an_own_file_is_searched_by_its_name_and_has_scores_but_no_guess(kind: str) -> None:
    arrived = own(f"my model.{kind}", weights(kind))
    assert arrived.alerts == [] and read(arrived, f"my-model.{kind}") and address(arrived, "model") == ""
    arrived.press("search-model").finish().look()
    assert f"my-model.{kind}" in arrived.status
    assert read(arrived, "stands out above the threshold") and arrived.says("Nobody here knows what this model hides")
    assert not arrived.has("radio", f"suspect-guess-{link(arrived)}") and not arrived.offers("reveal")
    assert arrived.recent == [link(arrived)]


def test_an_own_file_is_kept_by_its_content_so_that_its_search_can_be_opened_and_continued(
    restart: Callable[[], None], server: Path
) -> None:
    arrived = own("a.pt", weights()).press("search-model").finish().look()
    there = link(arrived)
    assert [path.name for path in (server / "checkpoints").glob("*/*")] == ["a.pt"]
    restart()
    back = visitor(suspect=there)
    assert back.offers("search-model") and read(back, "Searched: a.pt") and back.status.startswith("Finished")
    model = run(back).plan.model
    killed = kept(server, "killed", backdoors.plan(load_classifier(model), "cpu", seeds=(0,)))
    again = visitor(suspect=killed).press("continue").finish()
    assert again.status.startswith("Finished")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("letter.pt", b"Dear Sir or Madam, this is no model.", "letter.pt"),
        ("empty.pth", b"", "empty.pth"),
        ("short.safetensors", save({"a": torch.zeros(3000)})[:5000], "short.safetensors"),
        ("other.safetensors", save({"a": torch.zeros(3)}), "are of no network that is known here"),
    ],
)
def test_a_file_that_is_no_model_gets_its_sentence_and_is_not_kept(
    name: str, content: bytes, reason: str, server: Path
) -> None:
    arrived = own(name, content)
    (sentence,) = arrived.errors
    assert reason in sentence and str(server) not in sentence
    assert not arrived.offers("search-model")
    assert list((server / "checkpoints").glob("**/*.*")) == []
    assert arrived.look().errors == [sentence], "it stays until another file comes"


@pytest.mark.parametrize("failure", [ValueError("broken"), KeyboardInterrupt()])
def test_a_file_whose_loading_is_ended_by_anything_else_is_not_kept_either(
    failure: BaseException, server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(type(state.models()), "get", fail)
    with pytest.raises(type(failure)):
        checkpoints.keep(weights(), "mine.pt")
    assert list((server / "checkpoints").glob("**/*.*")) == []


def test_a_file_that_is_too_large_gets_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    content = weights()
    monkeypatch.setattr(checkpoints, "MEGABYTES", 1)
    large = content + bytes(2**20)
    assert own("large.pt", large).says("large.pt is larger than 1 MB, the limit for a file of weights")


def test_a_file_of_another_kind_gets_its_sentence_where_a_browser_lets_it_through(server: Path) -> None:
    with pytest.raises(ModelError, match=r"letter\.txt is no file of weights: give one that ends in \.safetensors"):
        checkpoints.keep(b"Dear Sir or Madam, this is no model.", "letter.txt")
    assert not (server / "checkpoints").exists()


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
