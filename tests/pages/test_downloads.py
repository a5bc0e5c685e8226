"""Weights that are not here: fetched while the page stays usable, or one sentence on why they cannot be."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from decam.models.catalogue import ENTRIES
from tests.pages.conftest import QUICK
from tests.pages.visitor import PATIENCE, Visitor
from tests.tools.ports import refusing_port

pytestmark = pytest.mark.usefixtures("replaced_models")


def fetched_from(monkeypatch: pytest.MonkeyPatch, name: str, url: str, size: int) -> None:
    monkeypatch.setitem(ENTRIES, name, dataclasses.replace(ENTRIES[name], url=url, size=size))


def test_offline_one_sentence_says_what_from_where_and_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        url = f"http://127.0.0.1:{port}/resnet18-f37072fd.pth"
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
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
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
    line = "SqueezeNet 1.0 (download 5 MB)"
    wait_for(ENTRIES[QUICK].present)
    place = list(ENTRIES).index(QUICK)
    for _ in range(2):  # what a browser sends that was not yet told that the line has changed
        visitor.app.selectbox(key="model").options[place] = line
        visitor.model(line)
        box = visitor.app.selectbox(key="model")
        assert (box.value, box.options[place]) == (QUICK, "SqueezeNet 1.0")
        assert box.proto.set_value
        assert box.proto.raw_value == box.options[place]
    assert len(visitor.card("Chelsea the cat").options) == 1000


def test_a_download_that_is_stopped_leaves_nothing_behind(gate: Gate, checkpoints: Path) -> None:
    visitor = Visitor().model(QUICK).press("download")
    visitor.until(lambda: any(bar.value for bar in visitor.app.get("progress")))
    visitor.press("stop-download")
    gate.opened.set()
    visitor.until(lambda: visitor.offers("download"))
    assert list(checkpoints.iterdir()) == []
    assert visitor.errors == []


FIRST = "Download SqueezeNet 1.0 (5 MB) and look again"


def test_under_a_photograph_without_weights_one_button_fetches_them_and_looks_again(gate: Gate) -> None:
    visitor = Visitor().sample("chelsea").methods("random", "rise")
    visitor.app.number_input(key="seed").set_value(11)
    visitor.look()
    assert visitor.says("ten drawn shapes")
    assert visitor.app.button(key="first-download").label == FIRST
    visitor.press("first-download")
    visitor.until(lambda: [bar for bar in visitor.app.get("progress") if 40 <= bar.value <= 60])
    assert visitor.cards == ["Chelsea the cat"], "the page stays usable"
    assert visitor.app.selectbox(key="model").value == "embedded"
    gate.opened.set()
    visitor.until(lambda: visitor.app.selectbox(key="model").value == QUICK)
    assert visitor.cards == ["Chelsea the cat"]
    assert len(visitor.card("Chelsea the cat").options) == 1000
    assert visitor.chosen == {"random", "rise"}
    assert visitor.app.number_input(key="seed").value == 11
    assert not visitor.says("ten drawn shapes")


def test_a_visitor_who_chose_the_small_model_and_then_the_button_gets_the_other(gate: Gate) -> None:
    visitor = Visitor().sample("chelsea").model("embedded").press("first-download")
    gate.opened.set()
    visitor.until(lambda: visitor.app.selectbox(key="model").value == QUICK)


def test_whoever_chooses_another_model_meanwhile_keeps_it(gate: Gate) -> None:
    visitor = Visitor().sample("chelsea").press("first-download").model("resnet18").model("embedded")
    gate.opened.set()
    wait_for(ENTRIES[QUICK].present)
    assert visitor.look().app.selectbox(key="model").value == "embedded"


@pytest.mark.parametrize(("page", "key"), [("methods", "field"), ("metrics", "metric")])
def test_the_pages_with_a_choice_of_their_own_offer_it_too(gate: Gate, page: str, key: str) -> None:
    visitor = Visitor().visit(page)
    visitor.app.session_state[f"{key}-sample"] = "chelsea"
    visitor.look().app.selectbox(key=f"{key}-model").select("embedded")
    visitor.look().press("first-download")
    gate.opened.set()
    visitor.until(lambda: visitor.app.selectbox(key=f"{key}-model").value == QUICK)


def test_offline_the_button_says_what_from_where_and_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        url = f"http://127.0.0.1:{port}/squeezenet1_0-b66bff10.pth"
        fetched_from(monkeypatch, QUICK, url, ENTRIES[QUICK].size)
        visitor = Visitor().sample("chelsea").press("first-download")
        visitor.until(lambda: visitor.errors)
    place = ENTRIES[QUICK].weights_path()
    (sentence,) = visitor.errors
    assert all(part in sentence for part in ("SqueezeNet 1.0", url, "refused", "by hand", str(place)))
    assert visitor.app.selectbox(key="model").value == "embedded"
    assert visitor.cards == ["Chelsea the cat"]
    assert visitor.offers("first-download"), "it can be tried again"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
