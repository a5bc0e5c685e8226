"""Runs come back from disk as they were kept, to this process and to others, whole or with a sentence."""

from __future__ import annotations

import dataclasses
import io
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.classifier import Execution
from decam.errors import StoreError
from decam.experiments.events import Cell, Judgement
from decam.experiments.plan import MetricChoice
from decam.explanation import Explanation
from decam.runs.snapshots import Curves, Frame, RunSnapshot
from decam.runs.store import Store

MakeRun = Callable[..., RunSnapshot]
MakeExplanation = Callable[[RunSnapshot, Cell], Explanation]


def fill(store: Store, run: RunSnapshot, explain: MakeExplanation, frames: tuple[Frame, ...], curves: Curves) -> None:
    """A run whose first cell is measured once, whose second is a map, whose third failed, whose fourth never came."""
    store.add(run)
    plan = dataclasses.replace(run.plan, execution=Execution(batch_size=3))
    store.begin(run.id, plan, ["rot", "grün"])
    store.save_predictions(run.id, 1, [(1, 0.75), (0, 0.25)])
    store.save_map(run.id, Cell(0, 0), explain(run, Cell(0, 0)), frames)
    store.save_curves(run.id, Cell(0, 0), curves)
    store.save_map(run.id, Cell(0, 1), explain(run, Cell(0, 1)), ())
    store.save_judgements(
        run.id, "sparsity", {Cell(0, 0): Judgement(0.25), Cell(0, 1): Judgement(math.nan, "It is constant.")}
    )
    store.save_failure(run.id, Cell(1, 0), "It failed; so be it.")


def test_all_that_was_kept_comes_back(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    run = a_run()
    fill(store, run, an_explanation, frames, curves)
    read = store.load("run")
    assert (read.id, read.created, read.owner, read.status) == (run.id, run.created, run.owner, "running")
    assert read.plan == dataclasses.replace(run.plan, execution=Execution(batch_size=3))
    assert read.labels == ("rot", "grün")
    assert read.predictions == (None, ((1, 0.75), (0, 0.25)))
    for kept, view in zip(read.views, run.views, strict=True):
        np.testing.assert_array_equal(kept, view)
    first = read.cells[Cell(0, 0)]
    expected = an_explanation(run, Cell(0, 0))
    assert first.explanation is not None
    np.testing.assert_array_equal(first.explanation.saliency, expected.saliency)
    blank = np.zeros(0, np.float32)
    assert dataclasses.replace(first.explanation, saliency=blank) == dataclasses.replace(expected, saliency=blank)
    assert [frame.evaluations for frame in first.frames] == [10, 20, 30, 40]
    assert [kept.fills for kept in first.curves] == [("mean", "blur")]
    assert [read.cells[Cell(*place)].state for place in ((0, 0), (0, 1), (1, 0), (1, 1))] == [
        *("measuring", "measuring", "failed", "waiting")
    ]
    assert read.cells[Cell(1, 0)].error == "It failed; so be it."
    assert first.judgements == {"sparsity": Judgement(0.25)}
    nothing = read.cells[Cell(0, 1)].judgements["sparsity"]
    assert math.isnan(nothing.value) and nothing.note == "It is constant."
    assert read.truths == (None, None)


def test_a_truth_comes_back_as_it_was(store: Store, a_run: MakeRun) -> None:
    run = a_run()
    truth = np.random.default_rng(0).random((130, 120)) > 0.5
    pictures = (run.plan.pictures[0], dataclasses.replace(run.plan.pictures[1], truth="its fingerprint"))
    store.add(dataclasses.replace(run, plan=dataclasses.replace(run.plan, pictures=pictures), truths=(None, truth)))
    nothing, read = store.load("run").truths
    assert nothing is None and read is not None and read.dtype == bool
    np.testing.assert_array_equal(read, truth)


def test_a_map_is_done_when_the_plans_metrics_have_judged_it(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    fill(store, a_run(), an_explanation, frames, curves)
    plan = dataclasses.replace(
        store.load("run").plan, fills=(curves.fills,), metrics=(MetricChoice.default("entropy"),)
    )
    store.save_plan("run", plan)
    store.save_status("run", "stopped")
    assert store.load("run").cells[Cell(0, 0)].state == "stopped"
    store.save_judgements("run", "entropy", {Cell(0, 0): Judgement(1.0)})
    assert store.load("run").cells[Cell(0, 0)].state == "done"


def test_how_cells_stand_follows_from_how_the_run_ended(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    fill(store, a_run(), an_explanation, frames, curves)
    store.save_status("run", "stopped", "Enough.")
    read = store.load("run")
    assert (read.status, read.note) == ("stopped", "Enough.")
    assert {cell: shown.state for cell, shown in read.cells.items()} == {
        Cell(0, 0): "stopped",
        Cell(0, 1): "stopped",
        Cell(1, 0): "failed",
        Cell(1, 1): "stopped",
    }
    store.save_plan("run", dataclasses.replace(read.plan, fills=(("mean", "blur"),)))
    assert store.load("run").cells[Cell(0, 0)].state == "done"


def test_a_run_whose_process_has_gone_is_interrupted_and_can_be_claimed(
    tmp_path: Path, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    gone, here = Store(tmp_path), Store(tmp_path)
    fill(gone, a_run(), an_explanation, frames, curves)
    assert here.load("run").status == "running"
    with pytest.raises(StoreError, match="another process"):
        here.claim("run")
    with pytest.raises(StoreError, match="another process"):
        here.delete("run")
    gone.close()
    assert here.load("run").status == here.version("run")[1] == here.recent()[0].status == "interrupted"
    assert here.load("run").cells[Cell(0, 0)].explanation is not None
    here.claim("run")
    assert here.load("run").status == "queued"
    third = Store(tmp_path)
    assert third.load("run").status == "queued"
    with pytest.raises(StoreError, match="another process"):
        third.claim("run")
    third.close()
    here.close()


def test_beginning_again_forgets_failures_but_no_map(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    run = a_run()
    fill(store, run, an_explanation, frames, curves)
    store.save_failure("run", Cell(0, 1), "The curves failed.")
    failed = store.load("run").cells[Cell(0, 1)]
    assert (failed.state, failed.error) == ("failed", "The curves failed.")
    assert failed.explanation is not None
    store.begin("run", run.plan, ["rot", "grün"])
    read = store.load("run")
    assert [shown.error for shown in read.cells.values()] == [""] * 4
    assert read.cells[Cell(0, 1)].explanation is not None
    assert read.cells[Cell(1, 0)].state == "waiting"


def test_the_version_grows_with_every_change(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    run = a_run()
    store.add(run)
    versions = [store.version("run")[0]]
    for change in (
        lambda: store.begin("run", run.plan, ["a", "b"]),
        lambda: store.save_predictions("run", 0, [(0, 1.0)]),
        lambda: store.save_map("run", Cell(0, 0), an_explanation(run, Cell(0, 0)), frames),
        lambda: store.save_curves("run", Cell(0, 0), curves),
        lambda: store.save_judgements("run", "sparsity", {Cell(0, 0): Judgement(0.5)}),
        lambda: store.save_failure("run", Cell(0, 1), "no"),
        lambda: store.save_plan("run", run.plan),
        lambda: store.save_status("run", "done"),
        lambda: store.claim("run"),
    ):
        change()
        versions.append(store.version("run")[0])
    assert versions == sorted(set(versions))
    assert store.load("run").version == versions[-1]


def test_recent_runs_are_the_owners_or_all_newest_first(store: Store, a_run: MakeRun) -> None:
    for run_id, owner in (("a", "ann"), ("b", "bob"), ("c", "ann")):
        store.add(a_run(run_id, owner))
    assert [run.id for run in store.recent()] == ["c", "b", "a"]
    assert [run.id for run in store.recent("ann")] == ["c", "a"]
    assert [run.id for run in store.recent("nobody")] == []
    assert [run.id for run in store.recent(limit=2)] == ["c", "b"]
    summary = store.recent("bob")[0]
    assert (summary.model, summary.pictures, summary.methods) == (
        "colours",
        ("Löwe.png", "b.png"),
        ("random", "centre"),
    )
    with Image.open(io.BytesIO(summary.thumbnail)) as image:
        assert max(image.size) == 96


def test_deleting_removes_rows_and_files_of_that_run_alone(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    fill(store, a_run("a"), an_explanation, frames, curves)
    fill(store, a_run("b"), an_explanation, frames, curves)
    store.delete("a")
    assert [path.name for path in (store.directory / "runs").iterdir()] == ["b"]
    with pytest.raises(StoreError, match="There is no run 'a'"):
        store.load("a")
    assert store.load("b").cells[Cell(0, 0)].curves
    store.add(a_run("a"))
    assert store.load("a").cells[Cell(0, 0)].explanation is None


@pytest.mark.parametrize("run_id", ["nothing", "", "../../etc/passwd", "x" * 10_000, "'; DROP TABLE runs; --"])
def test_a_run_that_does_not_exist_is_a_sentence(store: Store, run_id: str) -> None:
    for ask in (store.load, store.version, store.delete, store.claim, lambda name: store.save_status(name, "done")):
        with pytest.raises(StoreError, match="There is no run") as caught:
            ask(run_id)
        assert len(str(caught.value)) < 200


def test_a_damaged_map_fails_its_cell_and_no_other(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, frames: tuple[Frame, ...], curves: Curves
) -> None:
    fill(store, a_run(), an_explanation, frames, curves)
    (store.directory / "runs" / "run" / "map-00-00.npz").write_bytes(b"rubbish")
    read = store.load("run")
    assert read.cells[Cell(0, 0)].state == "failed"
    assert "damaged" in read.cells[Cell(0, 0)].error
    assert read.cells[Cell(0, 1)].explanation is not None


def test_nothing_is_touched_before_it_is_needed(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    assert not (tmp_path / "data").exists()


def test_an_unusable_directory_is_a_sentence_every_time(tmp_path: Path, a_run: MakeRun) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "data")
    for ask in (store.recent, lambda: store.load("run"), lambda: store.add(a_run())):
        with pytest.raises(StoreError, match=r"Cannot write in .*DECAM_DATA"):
            ask()
    store.close()


def test_in_a_directory_that_may_only_be_read_runs_are_still_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    a_run: MakeRun,
    an_explanation: MakeExplanation,
    frames: tuple[Frame, ...],
    curves: Curves,
) -> None:
    before = Store(tmp_path)
    fill(before, a_run(), an_explanation, frames, curves)
    before.close()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr("decam.runs.store.runs.Instance", lambda folder: files_told(refuse, folder))
    store = Store(tmp_path)
    assert store.load("run").cells[Cell(0, 0)].explanation is not None
    assert [run.status for run in store.recent()] == ["interrupted"]
    with pytest.raises(StoreError, match="DECAM_DATA"):
        store.save_status("run", "done")
    store.close()


def files_told(refuse: Callable[..., None], folder: Path) -> None:
    from decam.runs.store.files import told

    with told(f"write in {folder}"):
        refuse()
