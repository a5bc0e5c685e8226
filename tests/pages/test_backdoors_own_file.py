"""A visitor's own file of weights on the page of backdoors: searched, kept by its content, refused in a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from decam import load_classifier
from decam.errors import ModelError
from decam.experiments.kinds import backdoors
from decam.ui import state
from decam.ui.shared import checkpoints
from tests.pages.suspects import address, link, read, run, visitor
from tests.pages.suspects import quick_measure as quick_measure  # a fixture
from tests.pages.test_sanity import kept
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server", "quick_measure")


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
