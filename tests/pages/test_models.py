"""Models on the page: which is chosen, how a missing one is fetched, and what happens where it cannot be."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from torchvision.models import get_model

from decam.models import embedded
from decam.models.catalogue import ENTRIES
from tests.pages.visitor import PATIENCE, Visitor

QUICK = "squeezenet1_0"


@pytest.fixture(autouse=True)
def fresh(server: Path) -> Iterator[Path]:
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


def fetched_from(monkeypatch: pytest.MonkeyPatch, name: str, url: str, size: int) -> None:
    monkeypatch.setitem(ENTRIES, name, dataclasses.replace(ENTRIES[name], url=url, size=size))


# The list


def test_the_list_shows_for_every_model_what_it_is_and_whether_it_is_here() -> None:
    visitor = Visitor()
    box = visitor.app.selectbox(key="model")
    assert len(box.options) == len(ENTRIES) == 11
    assert box.options[0] == "Embedded · here"
    assert box.options[list(ENTRIES).index("resnet18")] == "ResNet-18 · 47 MB"
    visitor.model("resnet18")
    facts = next(text for text in visitor.app.sidebar.caption.values if "parameters" in text)
    assert facts.startswith("11.7 M parameters · top-1 69.8 % · 47 MB to download · [about](https://")


def test_a_device_is_chosen_by_itself_and_shown() -> None:
    visitor = Visitor()
    assert visitor.app.selectbox(key="device").value
    assert any(text.startswith(("float32", "bfloat16")) for text in visitor.app.sidebar.caption.values)


# Which model is asked


@pytest.mark.usefixtures("quick_model")
def test_a_photograph_goes_to_the_imagenet_model_that_is_here_and_a_scene_to_the_embedded() -> None:
    visitor = Visitor()
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.sample("chelsea")
    assert visitor.app.selectbox(key="model").value == QUICK
    assert len(visitor.card("Chelsea the cat").options) == 1000
    assert visitor.alerts == []
    visitor.press("new").sample("scene-star")
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.press("new").upload(("cat.png", picture()))
    assert visitor.app.selectbox(key="model").value == QUICK


@pytest.mark.usefixtures("quick_model")
def test_a_model_that_the_visitor_chose_stays() -> None:
    visitor = Visitor().sample("chelsea").model("embedded").sample("coffee")
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.model(QUICK).sample("chelsea", "coffee", "scene-star")
    assert visitor.app.selectbox(key="model").value == QUICK
    assert visitor.says("SqueezeNet 1.0 knows photographs", "scenes")


def test_without_an_imagenet_model_the_page_says_what_the_embedded_one_cannot_know() -> None:
    visitor = Visitor().sample("chelsea")
    assert visitor.app.selectbox(key="model").value == "embedded"
    assert visitor.says("ten drawn shapes", "nothing else", "Choose an ImageNet model")
    assert visitor.offers("explain")


@pytest.mark.usefixtures("quick_model")
def test_a_class_of_imagenet_is_found_by_a_part_of_its_name_and_asked_about() -> None:
    visitor = Visitor().sample("chelsea").methods("random").quick()
    visitor.ask("Chelsea the cat", "Egyptian ca")
    visitor.explain()
    assert visitor.finish().grid["rows"][0]["label"] == "Egyptian cat"


# Weights that are missing


def test_offline_one_sentence_says_what_from_where_and_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:  # bound and not listening: whoever connects is refused
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/resnet18-f37072fd.pth"
        fetched_from(monkeypatch, "resnet18", url, ENTRIES["resnet18"].size)
        visitor = Visitor().sample("scene-star").model("resnet18")
        assert visitor.says("ResNet-18 is not on this machine yet", "download it in the sidebar")
        visitor.press("download").until(lambda: visitor.errors)
    place = ENTRIES["resnet18"].weights_path()
    (sentence,) = visitor.errors
    assert all(part in sentence for part in ("ResNet-18", url, "refused", "by hand", str(place)))
    assert visitor.offers("download"), "it can be tried again"
    assert list(place.parent.iterdir()) == []
    visitor.model("embedded")
    assert visitor.errors == []
    assert visitor.cards == ["Star"]
    assert visitor.offers("explain")


class Gate:
    """A server of one file, which gives the second half once it is opened."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.opened = threading.Event()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                half = len(gate.content) // 2
                self.send_response(200)
                self.send_header("Content-Length", str(len(gate.content)))
                self.end_headers()
                self.wfile.write(gate.content[:half])
                if gate.opened.wait(30):
                    self.wfile.write(gate.content[half:])

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.opened.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def gate(weights: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Where the smallest ImageNet model is fetched from."""
    made = Gate(weights)
    name = f"{QUICK}-{hashlib.sha256(weights).hexdigest()[:8]}.pth"
    fetched_from(monkeypatch, QUICK, f"http://127.0.0.1:{made.http.server_port}/{name}", len(weights))
    yield made
    made.close()


def test_a_download_shows_its_progress_and_the_model_is_then_asked(gate: Gate) -> None:
    visitor = Visitor().sample("chelsea").model(QUICK).press("download")
    visitor.until(lambda: [bar for bar in visitor.app.get("progress") if 40 <= bar.value <= 60])
    assert not visitor.offers("download")
    visitor.model("embedded")
    assert visitor.cards == ["Chelsea the cat"], "other models can be asked meanwhile"
    visitor.model(QUICK)
    gate.opened.set()
    line = "SqueezeNet 1.0 · 5 MB"
    wait_for(ENTRIES[QUICK].present)
    for _ in range(2):  # what a browser sends that was not yet told that the line has changed
        visitor.app.selectbox(key="model").options[1] = line
        visitor.model(line)
        box = visitor.app.selectbox(key="model")
        assert (box.value, box.options[1]) == (QUICK, "SqueezeNet 1.0 · here")
        assert box.proto.set_value
        assert box.proto.raw_value == box.options[1]
    assert len(visitor.card("Chelsea the cat").options) == 1000


def test_a_download_that_is_stopped_leaves_nothing_behind(gate: Gate, checkpoints: Path) -> None:
    visitor = Visitor().model(QUICK).press("download")
    visitor.until(lambda: any(bar.value for bar in visitor.app.get("progress")))
    visitor.press("stop-download")
    gate.opened.set()
    visitor.until(lambda: visitor.offers("download"))
    assert list(checkpoints.iterdir()) == []
    assert visitor.errors == []


# Weights that are damaged


def test_damaged_weights_are_told_with_the_remedy_and_the_others_still_work(quick_model: Path) -> None:
    quick_model.write_bytes(quick_model.read_bytes()[:5000])
    visitor = Visitor().sample("chelsea")
    (sentence,) = visitor.errors
    assert all(part in sentence for part in ("SqueezeNet 1.0", str(quick_model), "damaged", "delete that file"))
    assert not visitor.offers("explain")
    visitor.model("embedded")
    assert visitor.errors == []
    assert visitor.offers("explain")


@pytest.mark.usefixtures("quick_model")
@pytest.mark.parametrize(("content", "word"), [(None, "missing"), (b"", "damaged"), (b"rubbish" * 99, "damaged")])
def test_embedded_weights_that_cannot_be_used_are_told_with_the_remedy(
    content: bytes | None, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "embedded.safetensors"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(embedded, "WEIGHTS", path)
    visitor = Visitor().sample("scene-star")
    (sentence,) = visitor.alerts
    assert all(part in sentence for part in ("embedded model", str(path), word, "python -m decam.training"))
    assert not visitor.offers("explain")
    visitor.model(QUICK)
    assert visitor.errors == []
    assert visitor.cards == ["Star"]


def test_a_finished_run_is_shown_without_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    visitor = Visitor().sample("scene-star").methods("random").quick()
    run = visitor.explain()
    visitor.finish()
    restart()
    monkeypatch.setattr(embedded, "WEIGHTS", tmp_path / "gone.safetensors")
    guest = Visitor(run)
    assert guest.grid == visitor.grid
    for tab in ("Convergence", "Metrics", "Export"):
        guest.tab(tab)
    guest.tab("Faithfulness")
    assert guest.says("The picture of a step needs the run's model")
    assert len(guest.app.get("plotly_chart")) == 2, "the curves themselves need no model"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def picture() -> bytes:
    """Some picture as a file."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()
