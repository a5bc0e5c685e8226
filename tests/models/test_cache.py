"""Models kept loaded: within a bound, loaded once, freed when evicted."""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from decam.classifier import Execution, TorchClassifier
from decam.classifier.inspection import Inspection
from decam.errors import ModelError
from decam.models import cache
from decam.models.cache import Models, size_of

SIZE = 4 * (10 * 10 + 10)


def tiny(name: str, device: torch.device) -> TorchClassifier:
    return TorchClassifier(name, nn.Linear(10, 10), ["a"] * 10, device=device, inspection=Inspection())


def plainly(_: TorchClassifier) -> Execution:
    return Execution()


def models_of(**given: Any) -> Models:
    """Models that need no trial."""
    return Models(**({"load": tiny, "find": plainly} | given))


def names(models: Models) -> list[str]:
    return [key.name for key in models.loaded()]


def test_a_model_asked_for_twice_is_the_same_one() -> None:
    models = models_of()
    assert models.get("a", "cpu") is models.get("a", "cpu")
    assert models.get("a", "cpu") is not models.get("b", "cpu")


def test_bytes_are_those_of_parameters_and_buffers() -> None:
    module = nn.Sequential(nn.Linear(10, 10), nn.BatchNorm1d(10))
    expected = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    assert size_of(TorchClassifier("a", module, ["a"])) == expected
    assert size_of(tiny("a", torch.device("cpu"))) == SIZE


def test_beyond_the_count_the_one_used_longest_ago_goes() -> None:
    models = models_of(max_models=2)
    models.get("a", "cpu")
    models.get("b", "cpu")
    models.get("a", "cpu")
    models.get("c", "cpu")
    assert names(models) == ["a", "c"]


def test_beyond_the_bytes_as_many_go_as_must() -> None:
    models = models_of(max_bytes=2 * SIZE)
    for name in "abc":
        models.get(name, "cpu")
    assert names(models) == ["b", "c"]


def test_a_model_larger_than_the_bound_is_kept_alone() -> None:
    models = models_of(max_bytes=SIZE - 1)
    models.get("a", "cpu")
    models.get("b", "cpu")
    assert names(models) == ["b"]


@pytest.mark.slow
def test_an_evicted_model_is_freed() -> None:
    models = models_of(max_models=1)
    gone = weakref.ref(models.get("a", "cpu").module)
    models.get("b", "cpu")
    gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_an_evicted_model_lives_on_while_somebody_works_with_it() -> None:
    models = models_of(max_models=1)
    held = models.get("a", "cpu")
    models.get("b", "cpu")
    gc.collect()
    assert held.answer(torch.zeros(1, 10)).shape == (1, 10)


@pytest.mark.slow
def test_clearing_lets_go_of_everything() -> None:
    models = models_of()
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

    models = models_of(load=slow)
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

    models = models_of(load=load)
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

    models = models_of(load=load)
    with pytest.raises(ModelError, match="not here"):
        models.get("a", "cpu")
    assert names(models) == []
    assert models.get("a", "cpu").name == "a"


def test_by_default_models_come_from_disk_and_are_never_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def load(name: str, *, device: torch.device, download: bool, exact: bool) -> TorchClassifier:
        asked.extend((download, exact))
        return tiny(name, device)

    monkeypatch.setattr(cache, "load_classifier", load)
    assert Models(find=plainly).get("a", "cpu").name == "a"
    assert asked == [False, True]


def test_a_model_is_asked_in_the_way_found_once_and_can_be_read_about_before() -> None:
    finding, go = threading.Event(), threading.Event()
    way = Execution(batch_size=7)
    found: list[str] = []

    def find(classifier: TorchClassifier) -> Execution:
        finding.set()
        assert go.wait(30)
        found.append(classifier.name)
        return way

    models = models_of(find=find)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(models.get, "a", "cpu") for _ in range(2)]
        assert finding.wait(30)
        read = models.described("a", "cpu")
        assert len(read.labels) == 10
        assert not models.ready(read)
        assert not any(each.done() for each in asked)
        go.set()
        assert all(each.result(timeout=30) is read for each in asked)
    assert found == ["a"]
    assert read.execution == way
    assert models.ready(read)


def test_a_trial_that_failed_is_made_again_and_nobody_asks_meanwhile() -> None:
    failures = [ModelError("no memory.")]

    def find(_: TorchClassifier) -> Execution:
        if failures:
            raise failures.pop()
        return Execution(batch_size=3)

    models = models_of(find=find)
    with pytest.raises(ModelError, match="no memory"):
        models.get("a", "cpu")
    assert not models.ready(models.described("a", "cpu"))
    assert models.get("a", "cpu").execution.batch_size == 3


def test_a_model_that_is_not_kept_here_waits_for_no_trial() -> None:
    assert models_of().ready(tiny("a", torch.device("cpu")))


def test_a_file_that_changes_while_it_is_loaded_is_loaded_again_and_kept_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"first")
    coming = [b"second", b"third"]

    def load(_: str, device: torch.device) -> TorchClassifier:
        found = tiny(path.read_text(), device)
        if coming:
            path.write_bytes(coming.pop(0))  # a training writes its next file
        return found

    models = models_of(load=load)
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
    models = models_of()
    first = models.get(str(path), "cpu")
    assert models.get(str(path), "cpu") is first
    (tmp_path / "mine.v2.labels.txt").write_text("a\nb\n", encoding="utf-8")
    second = models.get(str(path), "cpu")
    assert second is not first and models.get(str(path), "cpu") is second
