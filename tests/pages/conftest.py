"""A server in the test's own process, and a finished run for the tests that only look at one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from torchvision.models import get_model

from decam.models.catalogue import ENTRIES
from decam.runs.store import Store
from decam.ui import state
from decam.ui.studies import sign_in
from tests.pages.researcher import Researcher
from tests.pages.visitor import Visitor
from tests.studies.made import keep, run, view

SEED = 7
QUICK = "squeezenet1_0"


def _close() -> None:
    """End the server; loaded models stay, which takes a second of every test, and are what their names say."""
    for resource in (state.runs, state.downloads):
        resource.clear()


@pytest.fixture
def unloaded() -> Iterator[None]:
    """No model is loaded."""
    state.models.clear()
    yield
    state.models.clear()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where weights belong; none are there."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def server(data_directory: Path) -> Iterator[Path]:
    """A server that has just started; its data directory, which is not there yet."""
    _close()
    yield data_directory
    _close()


@pytest.fixture
def restart(server: Path, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Ends the server and starts it again on the same data directory."""
    assert server
    request.getfixturevalue("unloaded")

    def again() -> None:
        _close()
        state.models.clear()

    return again


@dataclass(frozen=True)
class Finished:
    """A finished run: its link, and the grid that whoever started it saw in the end."""

    run: str
    grid: dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """Two scenes, one asked about another class than the predicted, by three methods with settings of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DECAM_DATA", str(tmp_path_factory.mktemp("finished")))
        _close()
        visitor = Visitor().sample("scene-arrow", "scene-cross-disc").methods("de-cam", "grad-cam", "random").quick()
        visitor.app.number_input(key="seed").set_value(SEED)
        visitor.ask("Arrow", "ring").explain()
        visitor.finish()
        yield Finished(visitor.run, visitor.grid)
        _close()


@pytest.fixture
def guest(finished: Finished) -> Visitor:
    """Somebody else, who opens the link."""
    return Visitor(finished.run)


@pytest.fixture
def replaced_models(server: Path) -> Iterator[Path]:
    """A server that has just started and remembers no answer of a model that a test has replaced."""
    st.cache_data.clear()
    yield server
    st.cache_data.clear()


@pytest.fixture(scope="session")
def weights() -> bytes:
    """Weights for the smallest ImageNet model, as its file holds them: random, but in the right places."""
    torch.manual_seed(0)
    file = io.BytesIO()
    torch.save(get_model(QUICK).state_dict(), file)
    return file.getvalue()


@pytest.fixture
def quick_model(checkpoints: Path, weights: bytes) -> Path:
    """One ImageNet model is here: its file."""
    path = ENTRIES[QUICK].weights_path()
    assert path.parent == checkpoints
    path.write_bytes(weights)
    return path


@pytest.fixture
def at_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The visitor sits at the server's own machine; a test without a browser has no connection that says so."""
    monkeypatch.setattr(sign_in, "connection", lambda: (None, {"Host": "localhost:8501"}))


@pytest.fixture
def compared(server: Path) -> str:
    """A finished comparison of three pictures by two methods; its link."""
    store = Store(server)
    link = keep(store, run("one", {f"bird{number}.jpg": view(number, (224, 224)) for number in range(3)}))
    store.close()
    return link


@pytest.fixture
def researcher(compared: str) -> Researcher:
    """Somebody who has just made a study of it."""
    assert compared
    made = Researcher()
    made.app.text_input(key="studies-new-name").set_value("Which map?")
    return made.press("studies-begin")
