"""Models kept loaded: within a bound, loaded once, freed when evicted."""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from decam.classifier import TorchClassifier
from decam.classifier.inspection import Inspection
from decam.errors import ModelError
from decam.models import cache
from decam.models.cache import Models, size_of

SIZE = 4 * (10 * 10 + 10)


def tiny(name: str, device: torch.device) -> TorchClassifier:
    return TorchClassifier(name, nn.Linear(10, 10), ["a"] * 10, device=device, inspection=Inspection())


def names(models: Models) -> list[str]:
    return [key.name for key in models.loaded()]


def test_a_model_asked_for_twice_is_the_same_one() -> None:
    models = Models(load=tiny)
    assert models.get("a", "cpu") is models.get("a", "cpu")
    assert models.get("a", "cpu") is not models.get("b", "cpu")


def test_bytes_are_those_of_parameters_and_buffers() -> None:
    module = nn.Sequential(nn.Linear(10, 10), nn.BatchNorm1d(10))
    expected = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    assert size_of(TorchClassifier("a", module, ["a"])) == expected
    assert size_of(tiny("a", torch.device("cpu"))) == SIZE


def test_beyond_the_count_the_one_used_longest_ago_goes() -> None:
    models = Models(max_models=2, load=tiny)
    models.get("a", "cpu")
    models.get("b", "cpu")
    models.get("a", "cpu")
    models.get("c", "cpu")
    assert names(models) == ["a", "c"]


def test_beyond_the_bytes_as_many_go_as_must() -> None:
    models = Models(max_bytes=2 * SIZE, load=tiny)
    for name in "abc":
        models.get(name, "cpu")
    assert names(models) == ["b", "c"]


def test_a_model_larger_than_the_bound_is_kept_alone() -> None:
    models = Models(max_bytes=SIZE - 1, load=tiny)
    models.get("a", "cpu")
    models.get("b", "cpu")
    assert names(models) == ["b"]


@pytest.mark.slow
def test_an_evicted_model_is_freed() -> None:
    models = Models(max_models=1, load=tiny)
    gone = weakref.ref(models.get("a", "cpu").module)
    models.get("b", "cpu")
    gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_an_evicted_model_lives_on_while_somebody_works_with_it() -> None:
    models = Models(max_models=1, load=tiny)
    held = models.get("a", "cpu")
    models.get("b", "cpu")
    gc.collect()
    assert held.answer(torch.zeros(1, 10)).shape == (1, 10)


@pytest.mark.slow
def test_clearing_lets_go_of_everything() -> None:
    models = Models(load=tiny)
    gone = weakref.ref(models.get("a", "cpu").module)
    models.clear()
    gc.collect()
    assert gone() is None
    assert names(models) == []


def test_several_threads_that_want_one_model_load_it_once() -> None:
    started, go = threading.Event(), threading.Event()
    loads: list[str] = []

    def slow(name: str, device: torch.device) -> TorchClassifier:
        loads.append(name)
        started.set()
        assert go.wait(30)
        return tiny(name, device)

    models = Models(load=slow)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(models.get, "a", "cpu") for _ in range(8)]
        assert started.wait(30)
        go.set()
        found = {id(future.result(timeout=30)) for future in asked}
    assert loads == ["a"]
    assert len(found) == 1


def test_one_model_being_loaded_keeps_nobody_from_another() -> None:
    loading, go = threading.Event(), threading.Event()

    def load(name: str, device: torch.device) -> TorchClassifier:
        if name == "slow":
            loading.set()
            assert go.wait(30)
        return tiny(name, device)

    models = Models(load=load)
    models.get("quick", "cpu")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(models.get, "slow", "cpu")
        assert loading.wait(30)
        models.get("quick", "cpu")
        models.get("another", "cpu")
        assert not slow.done()
        go.set()
        assert slow.result(timeout=30).name == "slow"
    assert sorted(names(models)) == ["another", "quick", "slow"]


def test_a_model_that_cannot_be_loaded_may_be_asked_for_again() -> None:
    failures = [ModelError("not here.")]

    def load(name: str, device: torch.device) -> TorchClassifier:
        if failures:
            raise failures.pop()
        return tiny(name, device)

    models = Models(load=load)
    with pytest.raises(ModelError, match="not here"):
        models.get("a", "cpu")
    assert names(models) == []
    assert models.get("a", "cpu").name == "a"


def test_by_default_models_come_from_disk_and_are_never_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def load(name: str, *, device: torch.device, download: bool) -> TorchClassifier:
        asked.append(download)
        return tiny(name, device)

    monkeypatch.setattr(cache, "load_classifier", load)
    assert Models().get("a", "cpu").name == "a"
    assert asked == [False]


def test_a_file_that_changes_while_it_is_loaded_is_loaded_again_and_kept_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"first")
    coming = [b"second", b"third"]

    def load(_: str, device: torch.device) -> TorchClassifier:
        found = tiny(path.read_text(), device)
        if coming:
            path.write_bytes(coming.pop(0))  # a training writes its next file
        return found

    models = Models(load=load)
    assert models.get(str(path), "cpu").name == "third"
    (key,) = models.loaded()
    assert key.weights == hashlib.sha256(b"third").hexdigest()
    path.write_bytes(b"first")
    assert models.get(str(path), "cpu").name == "first"
    coming[:] = [b"a", b"b", b"c", b"d"]
    path.write_bytes(b"other")
    with pytest.raises(ModelError, match="changes while it is read; wait until it is written"):
        models.get(str(path), "cpu")
    assert len(models.loaded()) == 2


def test_a_file_of_labels_that_comes_later_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.v2.pt"
    path.write_bytes(b"weights")
    models = Models(load=tiny)
    first = models.get(str(path), "cpu")
    assert models.get(str(path), "cpu") is first
    (tmp_path / "mine.v2.labels.txt").write_text("a\nb\n", encoding="utf-8")
    second = models.get(str(path), "cpu")
    assert second is not first and models.get(str(path), "cpu") is second
