"""The catalogue: torchvision's own facts, and downloads that succeed whole or say in a sentence why not."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import shutil
import socket
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model_weights

from decam.errors import ModelError
from decam.models import catalogue, default_for, load_classifier
from decam.models.catalogue import ENTRIES, Download, Entry, download
from tests.tools.ports import refusing_port

NAMES = [name for name, entry in ENTRIES.items() if entry.source == "torchvision"]
OWN = [name for name, entry in ENTRIES.items() if entry.source == "bundled"]
CONTENT = bytes(range(256)) * 3000
RIGHT = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TORCH_HOME; returns the folder in which weights belong."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: whole, truncated, without a length, or an error."""

    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        if "unsized" not in self.path:
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if "truncated" in self.path else CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server of weights."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def entry_at(url: str) -> Entry:
    return dataclasses.replace(ENTRIES["resnet18"], url=url, size=len(CONTENT))


def refusal(entry: Entry) -> str:
    """The sentence with which a download ends."""
    with pytest.raises(ModelError) as caught:
        list(download(entry))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def says_what_where_and_how(sentence: str, entry: Entry) -> bool:
    return all(part in sentence for part in (entry.title, entry.url, str(entry.weights_path()), "by hand"))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_is_torchvisions_own(name: str) -> None:
    entry, weights = ENTRIES[name], get_model_weights(name).DEFAULT
    assert entry.name == name
    assert entry.parameters == weights.meta["num_params"]
    assert entry.top1 == weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert entry.size == pytest.approx(weights.meta["_file_size"] * 2**20, abs=1)
    assert entry.url == weights.url


def test_the_size_is_that_of_the_real_file(shared: Path) -> None:
    entry = ENTRIES["squeezenet1_0"]
    file = shared / "torch_home" / "hub" / "checkpoints" / entry.weights_path().name
    assert entry.size == pytest.approx(file.stat().st_size, rel=0.02)


@pytest.mark.parametrize("name", OWN)
def test_the_entry_of_an_own_model_tells_what_its_weights_tell(name: str) -> None:
    from decam.models.sources.bundled import BUNDLED

    entry, weights = ENTRIES[name], BUNDLED[name].weights
    assert entry.present()
    assert entry.domain == "scenes"
    assert entry.parameters == sum(tensor.numel() for tensor in weights.load().parameters())
    assert entry.top1 == pytest.approx(weights.card().accuracy * 100)
    assert list(download(entry)) == []


def test_weights_belong_where_torchvision_looks_for_them(hub: Path) -> None:
    assert ENTRIES["resnet18"].weights_path() == hub / "resnet18-f37072fd.pth"
    assert not ENTRIES["resnet18"].present()


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"'resnet51'.*vit_b_16.*Did you mean 'resnet50'\?"):
        catalogue.get("resnet51")
    with pytest.raises(ModelError, match="no model 'qqq'"):
        load_classifier("qqq")


def test_a_download_counts_its_bytes_and_puts_the_file_in_its_place(server: str, hub: Path) -> None:
    entry = entry_at(f"{server}/resnet18-{RIGHT}.pth")
    events = list(download(entry))
    assert events[0] == Download(0, len(CONTENT))
    assert events[-1] == Download(len(CONTENT), len(CONTENT))
    assert [event.done for event in events] == sorted({event.done for event in events})
    assert entry.present()
    assert entry.weights_path().read_bytes() == CONTENT
    assert files(hub) == [f"resnet18-{RIGHT}.pth"]


def test_a_download_without_a_length_is_whole_too(server: str) -> None:
    entry = dataclasses.replace(entry_at(f"{server}/unsized-{RIGHT}.pth"), size=len(CONTENT) + 9)  # it is rounded
    assert list(download(entry))[-1].done == len(CONTENT)
    assert entry.weights_path().read_bytes() == CONTENT


def test_weights_that_are_here_are_left_alone(server: str, hub: Path) -> None:
    hub.mkdir(parents=True)
    (hub / "truncated-00000000.pth").write_bytes(b"mine")
    assert list(download(entry_at(f"{server}/truncated-00000000.pth"))) == []
    assert (hub / "truncated-00000000.pth").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (f"truncated-{RIGHT}.pth", "384,000 of 768,000"),
        ("resnet18-0badf00d.pth", "0badf00d"),
        (f"truncated-unsized-{RIGHT}.pth", f"does not begin with {RIGHT}"),
        (f"missing-{RIGHT}.pth", "404 Not Found"),
    ],
)
def test_a_bad_answer_is_one_sentence_and_leaves_nothing_behind(file: str, reason: str, server: str, hub: Path) -> None:
    entry = entry_at(f"{server}/{file}")
    sentence = refusal(entry)
    assert reason in sentence
    assert says_what_where_and_how(sentence, entry)
    assert files(hub) == []


def test_a_refused_connection_is_one_sentence(hub: Path) -> None:
    with refusing_port() as port:
        entry = entry_at(f"http://127.0.0.1:{port}/resnet18-{RIGHT}.pth")
        sentence = refusal(entry)
    assert "refused" in sentence
    assert says_what_where_and_how(sentence, entry)
    assert files(hub) == []


@pytest.mark.slow
def test_a_server_that_falls_silent_is_given_up(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "TIMEOUT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        entry = entry_at(f"http://127.0.0.1:{silent.getsockname()[1]}/resnet18-{RIGHT}.pth")
        sentence = refusal(entry)
    assert "timed out" in sentence
    assert files(hub) == []


def test_a_proxy_that_refuses_is_one_sentence(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"{server}/missing")
    monkeypatch.setenv("no_proxy", "")
    entry = entry_at("http://weights.invalid/missing-00000000.pth")
    assert says_what_where_and_how(refusal(entry), entry)


def test_without_a_network_the_real_address_fails_in_one_sentence(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    entry = ENTRIES["resnet18"]
    sentence = refusal(entry)
    assert "name resolution" in sentence
    assert says_what_where_and_how(sentence, entry)
    with pytest.raises(ModelError, match="by hand"):
        load_classifier("resnet18", device="cpu")
    assert files(hub) == []


def test_a_download_given_up_half_way_leaves_nothing_behind(server: str, hub: Path) -> None:
    steps = download(entry_at(f"{server}/resnet18-{RIGHT}.pth"))
    next(steps)
    next(steps)
    assert len(files(hub)) == 1
    steps.close()
    assert files(hub) == []


def test_a_full_disk_is_told_before_anything_is_fetched(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    sentence = refusal(ENTRIES["resnet18"])
    assert "47 MB" in sentence
    assert "TORCH_HOME" in sentence
    assert files(hub) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))
    assert "cannot be stored" in refusal(ENTRIES["resnet18"])


def test_a_disk_that_fills_up_half_way_is_one_sentence(server: str, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, _: Full(path, "wb"))
    sentence = refusal(entry_at(f"{server}/resnet18-{RIGHT}.pth"))
    assert "No space left on device" in sentence
    assert str(hub) in sentence
    assert files(hub) == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
@pytest.mark.parametrize("name", ["embedded", "squeezenet1_0", "mine.pt", "mine.safetensors"])
def test_memory_that_runs_out_while_loading_is_not_told_as_a_damaged_file(
    name: str, error: Exception, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    hub.mkdir(parents=True)
    for path in (ENTRIES["squeezenet1_0"].weights_path(), Path("mine.pt"), Path("mine.safetensors")):
        path.write_bytes(b"weights")
    monkeypatch.setattr(torch, "load", full)
    monkeypatch.setattr("decam.models.sources.checkpoint.read_tensors", full)
    monkeypatch.setattr("decam.models.weight_files.read_tensors", full)
    with pytest.raises(ModelError) as caught:
        load_classifier(name, device="cpu", exact=True)
    title = ENTRIES[name].title if name in ENTRIES else name
    assert str(caught.value).startswith(f"There is not enough memory to load {title}; choose")


def test_the_app_never_downloads_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "download", lambda _: pytest.fail("asked for the network"))
    with pytest.raises(ModelError, match="not here"):
        load_classifier("resnet18", device="cpu", download=False)


def test_a_scene_goes_to_the_embedded_model_and_a_photograph_to_what_is_here(hub: Path) -> None:
    assert default_for("scene") == "embedded"
    assert default_for("photograph") == "embedded"
    hub.mkdir(parents=True)
    for name, expected in (("vgg16", "vgg16"), ("resnet18", "resnet18"), ("squeezenet1_0", "squeezenet1_0")):
        ENTRIES[name].weights_path().write_bytes(b"")
        assert default_for("photograph") == expected
    ENTRIES["efficientnet_b0"].weights_path().write_bytes(b"")
    assert default_for("photograph") == "efficientnet_b0"
    assert default_for("scene") == "embedded"


def test_torch_hub_may_be_moved_at_run_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    torch.hub.set_dir(tmp_path / "elsewhere")
    assert ENTRIES["vgg16"].weights_path().parent == tmp_path / "elsewhere" / "checkpoints"
