"""Sanity checks in the server's queue: watched, stopped, kept, and what happens where the disk refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from decam.experiments.randomisation_plan import LABELS, SanityPlan, SanitySnapshot, twin
from decam.runs.randomisation import SanityRuns
from decam.runs.store.randomisation import SanityStore

from decam.api import sanity_check
from decam.classifier import Pixels, TorchClassifier
from decam.errors import DecamError, ModelError, SettingError, StoreError
from decam.experiments import randomisation_plan
from decam.experiments.plan import MethodChoice
from decam.models import load_classifier
from decam.runs import randomisation
from decam.runs.queue import Queue

PATIENCE = 60.0
CHEAP = tuple(MethodChoice.default(name) for name in ("grad-cam", "edges"))


@pytest.fixture(scope="module")
def model() -> TorchClassifier:
    return load_classifier("embedded", device="cpu", exact=True)


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> SanityStore:
    return SanityStore(tmp_path / "sanity")


@pytest.fixture
def runs(store: SanityStore, queue: Queue, model: TorchClassifier) -> SanityRuns:
    return SanityRuns(store, lambda _name, _device: model, queue)


@pytest.fixture
def view(model: TorchClassifier) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (*model.input_size, 3), dtype=np.uint8)


def plan(**changes: object) -> SanityPlan:
    settings: dict[str, object] = {"model": "embedded", "device": "cpu", "picture": "Noise", "methods": CHEAP}
    return SanityPlan(**settings | changes)  # type: ignore[arg-type]  # a test's own keywords


def waited(runs: SanityRuns, link: str, until: Callable[[SanitySnapshot], bool] | None = None) -> SanitySnapshot:
    """The check once something holds: by default, that it has ended."""
    deadline = time.monotonic() + PATIENCE
    while not (until or (lambda check: not check.active))(check := runs.snapshot(link)):
        assert time.monotonic() < deadline, check.status
        time.sleep(0.01)
    return check


@pytest.mark.slow
def test_a_check_finds_what_the_core_finds_and_another_process_can_read_it(
    runs: SanityRuns, store: SanityStore, queue: Queue, model: TorchClassifier, view: Pixels
) -> None:
    link = runs.start(plan(), view, "ann")
    ended = waited(runs, link)
    assert ended.status == "done" and ended.done == (ended.done[1], 2 * (1 + len(ended.found.variants)))
    expected = sanity_check(model, view, CHEAP)
    assert repr(ended.found.to_rows()) == repr(expected.to_rows())
    other = SanityRuns(store, lambda _name, _device: model, queue)
    assert repr(other.snapshot(link).found.to_rows()) == repr(expected.to_rows())
    assert [one.id for one in other.recent("ann")] == [link]
    assert other.recent("bob") == []


def test_maps_appear_while_others_are_made_and_stopping_keeps_them(runs: SanityRuns, view: Pixels) -> None:
    slow = MethodChoice("rise", MethodChoice.default("rise").settings.from_mapping({"masks": 10_000}))
    link = runs.start(plan(methods=(CHEAP[0], slow)), view)
    seen = waited(runs, link, lambda check: bool(check.found.originals) and check.working is not None)
    assert seen.active and seen.found.originals[0].method == 0
    runs.stop(link)
    ended = waited(runs, link)
    assert ended.status == "stopped"
    assert len(ended.found.originals) == 1
    runs.stop(link)  # nothing happens to one that has ended


@pytest.mark.slow
def test_a_check_waits_in_the_same_line_as_other_work(runs: SanityRuns, queue: Queue, view: Pixels) -> None:
    release = threading.Event()

    def other() -> Iterator[None]:
        release.wait(PATIENCE)
        yield

    queue.submit("other", "bob", "cpu", other, lambda _: None, lambda _: None)  # type: ignore[arg-type]
    link = runs.start(plan(), view, "ann")
    waiting = runs.snapshot(link)
    assert (waiting.status, waiting.ahead) == ("queued", 1)
    release.set()
    assert waited(runs, link).status == "done"


def test_a_check_stopped_while_it_waits_never_begins(runs: SanityRuns, queue: Queue, view: Pixels) -> None:
    release = threading.Event()

    def other() -> Iterator[None]:
        release.wait(PATIENCE)
        yield

    queue.submit("other", "", "cpu", other, lambda _: None, lambda _: None)  # type: ignore[arg-type]
    link = runs.start(plan(), view)
    runs.stop(link)
    assert runs.snapshot(link).status == "stopped"
    release.set()


def test_one_that_is_deleted_while_it_runs_leaves_nothing(runs: SanityRuns, store: SanityStore, view: Pixels) -> None:
    slow = MethodChoice("rise", MethodChoice.default("rise").settings.from_mapping({"masks": 10_000}))
    link = runs.start(plan(methods=(slow,)), view)
    waited(runs, link, lambda check: check.working is not None)
    runs.delete(link)
    with pytest.raises(StoreError, match="no sanity check"):
        waited(runs, link, lambda _: False)
    deadline = time.monotonic() + PATIENCE
    while store.summaries() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.summaries() == [] and runs.recent() == []


def test_a_model_that_cannot_be_loaded_fails_the_check_with_its_sentence(
    store: SanityStore, queue: Queue, view: Pixels
) -> None:
    def missing(_name: str, _device: str) -> TorchClassifier:
        raise ModelError("The weights are gone.")

    runs = SanityRuns(store, missing, queue)
    ended = waited(runs, runs.start(plan(), view))
    assert (ended.status, ended.note) == ("failed", "The weights are gone.")


@pytest.mark.slow
def test_where_the_disk_refuses_a_check_goes_on_in_memory_and_says_so(
    queue: Queue, model: TorchClassifier, view: Pixels, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    runs = SanityRuns(SanityStore(tmp_path / "file" / "sanity"), lambda _name, _device: model, queue)
    link = runs.start(plan(), view)
    ended = waited(runs, link)
    assert ended.status == "done" and ended.found.compared
    assert ended.note.startswith("This check is not kept. Cannot write")
    assert [one.id for one in runs.recent()] == [link]
    runs.delete(link)
    assert runs.recent() == []


def test_random_labels_are_refused_without_a_model_of_them_and_used_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, store: SanityStore, queue: Queue, model: TorchClassifier, view: Pixels
) -> None:
    asked: list[str] = []

    def load(name: str, _device: str) -> TorchClassifier:
        asked.append(name)
        return model

    runs = SanityRuns(store, load, queue)
    monkeypatch.setattr(randomisation, "twin", lambda _: None)
    with pytest.raises(SettingError, match="shuffled labels"):
        runs.start(plan(mode=LABELS), view)
    monkeypatch.setattr(randomisation, "twin", lambda _: "shuffled")
    ended = waited(runs, runs.start(plan(mode=LABELS), view))
    assert asked == ["embedded", "shuffled"]
    assert [variant.name for variant in ended.found.variants] == ["shuffled labels"]
    assert ended.found.compared[0].likeness.plain["spearman"] == pytest.approx(1), "it is the very same model here"


def test_a_twin_is_there_when_its_weights_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(randomisation_plan, "WEIGHTS", tmp_path)
    assert twin("embedded") is None
    (tmp_path / "shuffled.safetensors").touch()
    assert twin("embedded") == "shuffled"
    assert twin("resnet18") is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"methods": ()}, "at least one method"),
        ({"mode": "backwards"}, "no sanity check 'backwards'"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_plan_with_a_bad_part_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(DecamError, match=sentence):
        plan(**changes)
