"""Runs come back from disk as they were kept, to this process and to others, whole or with a sentence."""

from __future__ import annotations

import dataclasses
import io
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.classifier import Execution
from decam.errors import StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.plan import MetricChoice, Plan
from decam.explanation import Explanation
from decam.metrics import Measurement
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot
from decam.runs.store import Store, files, runs
from tests.runs.store.conftest import DELETION, SPARSITY

MakeRun = Callable[..., RunSnapshot]
MakeExplanation = Callable[[RunSnapshot, CellKey], Explanation]
Fill = Callable[..., RunSnapshot]


@pytest.mark.slow
def test_all_that_was_kept_comes_back(
    store: Store, fill: Fill, an_explanation: MakeExplanation, deletion: Measurement
) -> None:
    run = fill(store)
    read = store.load("run")
    assert (read.id, read.created, read.owner, read.status) == (run.id, run.created, run.owner, "running")
    assert read.plan == dataclasses.replace(run.plan, execution=Execution(batch_size=3))
    assert read.labels == ("rot", "grün")
    assert read.predictions == (None, ((1, 0.75), (0, 0.25)))
    for kept, view in zip(read.views, run.views, strict=True):
        np.testing.assert_array_equal(kept, view)
    first = read.cells[CellKey(0, 0)]
    expected = an_explanation(run, CellKey(0, 0))
    assert first.explanation is not None
    np.testing.assert_array_equal(first.explanation.saliency, expected.saliency)
    blank = np.zeros(0, np.float32)
    assert dataclasses.replace(first.explanation, saliency=blank) == dataclasses.replace(expected, saliency=blank)
    assert [frame.evaluations for frame in first.frames] == [10, 20, 30, 40]
    assert [shown.state for shown in read.cells.values()] == ["measuring", "measuring", "failed", "waiting"]
    assert read.cells[CellKey(1, 0)].error == "It failed; so be it."
    assert list(first.measurements) == [DELETION.key]
    again = first.measurements[DELETION.key]
    assert repr(dataclasses.replace(again, curve=None)) == repr(dataclasses.replace(deletion, curve=None))
    for name in ("shares", "values", "top", "top_values"):
        np.testing.assert_array_equal(getattr(again.curve, name), getattr(deletion.curve, name))
    nothing = read.cells[CellKey(0, 1)].measurements[DELETION.key]
    assert math.isnan(nothing.value) and nothing.failed and (nothing.note, nothing.curve) == ("It is constant.", None)
    assert read.truths == (None, None)


@pytest.mark.slow
def test_a_kept_map_says_again_how_sure_it_is_and_what_its_generations_were_worth(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation
) -> None:
    run, key = a_run("run"), CellKey(0, 0)
    errors, fitness = (np.random.default_rng(0).random(size).astype(np.float32) for size in ((28, 28), (8, 3)))
    store.add(run)
    made = dataclasses.replace(an_explanation(run, key), rank_errors=errors, fitness=fitness)
    store.save_cell(run.id, key, Cell(explanation=made))
    made = store.load("run").cells[key].explanation
    assert made is not None
    np.testing.assert_array_equal(made.rank_errors, errors)
    np.testing.assert_array_equal(made.fitness, fitness)


@pytest.mark.slow
def test_answers_that_are_no_numbers_come_back_as_such(store: Store, a_run: MakeRun) -> None:
    store.add(a_run())
    store.save_predictions("run", 0, [(1, math.nan), (0, math.inf)])
    ((first, nan), (second, infinite)) = store.load("run").predictions[0] or ()
    assert (first, second, infinite) == (1, 0, math.inf) and math.isnan(nan)


@pytest.mark.slow
def test_a_truth_comes_back_as_it_was(store: Store, a_run: MakeRun) -> None:
    run = a_run()
    truth = np.random.default_rng(0).random((130, 120)) > 0.5
    pictures = (run.plan.pictures[0], dataclasses.replace(run.plan.pictures[1], truth="its fingerprint"))
    plan = dataclasses.replace(run.plan, pictures=pictures)
    store.add(dataclasses.replace(run, grid=dataclasses.replace(run.grid, plan=plan, truths=(None, truth))))
    nothing, read = store.load("run").truths
    assert nothing is None and read is not None and read.dtype == bool
    np.testing.assert_array_equal(read, truth)


def with_truth(run: RunSnapshot, truth: np.ndarray) -> RunSnapshot:
    return dataclasses.replace(run, grid=run.grid.marked({1: truth}))


@pytest.mark.slow
def test_a_process_killed_while_it_changes_a_truth_leaves_the_one_that_was_measured_by(
    store: Store, a_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = np.random.default_rng(0).random((2, 130, 120)) > 0.5
    run = with_truth(a_run(), before)
    store.add(run)

    def killed(_: Plan) -> str:
        """Stands where the masks are written and the plan is not."""
        raise KeyboardInterrupt

    changed = with_truth(run, after).plan
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(runs, "plan_to_json", killed)
        store.save_truths("run", changed, {1: after})
    np.testing.assert_array_equal(store.load("run").truths[1], before)
    store.save_truths("run", changed, {1: after})
    np.testing.assert_array_equal(store.load("run").truths[1], after)


@pytest.mark.slow
def test_a_truth_of_an_earlier_version_is_read_and_changed(store: Store, a_run: MakeRun) -> None:
    before, after = np.random.default_rng(0).random((2, 130, 120)) > 0.5
    run = with_truth(a_run(), before)
    store.add(run)
    (kept,) = store.directory.glob("runs/run/truth-*.png")
    kept.rename(kept.with_name("truth-01.png"))
    np.testing.assert_array_equal(store.load("run").truths[1], before)
    store.save_truths("run", with_truth(run, after).plan, {1: after})
    np.testing.assert_array_equal(store.load("run").truths[1], after)


@pytest.mark.slow
def test_a_map_is_done_when_the_plans_metrics_have_measured_it(
    store: Store, fill: Fill, without_curve: Measurement
) -> None:
    fill(store)
    plan = store.load("run").plan
    store.save_status("run", "stopped")
    assert store.load("run").cells[CellKey(0, 0)].state == "stopped"
    store.save_measurements("run", SPARSITY.key, {CellKey(0, 0): Measurement("sparsity", 1.0)})
    assert store.load("run").cells[CellKey(0, 0)].state == "done"
    another = MetricChoice.default("deletion", steps=4, fill="blur")
    store.save_plan("run", dataclasses.replace(plan, metrics=(*plan.metrics, another)))
    assert store.load("run").cells[CellKey(0, 0)].state == "stopped"
    store.save_measurements("run", another.key, {CellKey(0, 0): without_curve})
    assert store.load("run").cells[CellKey(0, 0)].state == "done"


@pytest.mark.slow
def test_how_cells_stand_follows_from_how_the_run_ended(store: Store, fill: Fill) -> None:
    fill(store)
    store.save_status("run", "stopped", "Enough.")
    read = store.load("run")
    assert (read.status, read.note) == ("stopped", "Enough.")
    assert [shown.state for shown in read.cells.values()] == ["stopped", "stopped", "failed", "stopped"]
    store.save_plan("run", dataclasses.replace(read.plan, metrics=(DELETION,)))
    assert store.load("run").cells[CellKey(0, 0)].state == "done"


@pytest.mark.slow
def test_a_run_whose_process_has_gone_is_interrupted_and_can_be_claimed(tmp_path: Path, url: str, fill: Fill) -> None:
    gone, here = Store(tmp_path, url), Store(tmp_path, url)
    fill(gone)
    assert here.load("run").status == "running"
    with pytest.raises(StoreError, match="another process"):
        here.claim("run")
    with pytest.raises(StoreError, match="another process"):
        here.delete("run")
    gone.close()
    assert here.load("run").status == here.version("run")[1] == here.recent()[0].status == "interrupted"
    assert here.load("run").cells[CellKey(0, 0)].explanation is not None
    here.claim("run")
    assert here.load("run").status == "queued"
    third = Store(tmp_path, url)
    assert third.load("run").status == "queued"
    with pytest.raises(StoreError, match="another process"):
        third.claim("run")
    third.close()
    here.close()


@pytest.mark.slow
def test_beginning_again_forgets_failures_but_no_map(store: Store, fill: Fill) -> None:
    run = fill(store)
    store.save_failure("run", CellKey(0, 1), "The curves failed.")
    failed = store.load("run").cells[CellKey(0, 1)]
    assert (failed.state, failed.error) == ("failed", "The curves failed.")
    assert failed.explanation is not None
    store.begin("run", run.plan, ["rot", "grün"])
    read = store.load("run")
    assert [shown.error for shown in read.cells.values()] == [""] * 4
    assert read.cells[CellKey(0, 1)].explanation is not None
    assert read.cells[CellKey(1, 0)].state == "waiting"


@pytest.mark.slow
def test_the_version_grows_with_every_change(
    store: Store, a_run: MakeRun, an_explanation: MakeExplanation, deletion: Measurement
) -> None:
    run = a_run()
    store.add(run)
    versions = [store.version("run")[0]]
    for change in (
        lambda: store.begin("run", run.plan, ["a", "b"]),
        lambda: store.save_predictions("run", 0, [(0, 1.0)]),
        lambda: store.save_cell("run", CellKey(0, 0), Cell(explanation=an_explanation(run, CellKey(0, 0)))),
        lambda: store.save_measurements("run", DELETION.key, {CellKey(0, 0): deletion}),
        lambda: store.save_failure("run", CellKey(0, 1), "no"),
        lambda: store.save_plan("run", run.plan),
        lambda: store.save_status("run", "done"),
        lambda: store.claim("run"),
    ):
        change()
        versions.append(store.version("run")[0])
    assert versions == sorted(set(versions))
    assert store.load("run").version == versions[-1]


@pytest.mark.slow
@pytest.mark.parametrize("owner", [SYSTEM_OWNER, "@house"])
def test_runs_for_everybody_are_nobodys_under_the_earlier_name_of_their_owner_too(
    store: Store, a_run: MakeRun, owner: str
) -> None:
    store.add(a_run("shared", owner))
    store.add(a_run("mine", "ann"))
    assert [summary.id for summary in store.recent()] == ["mine"]
    assert store.recent(owner) == []
    assert store.load("shared").owner == SYSTEM_OWNER and store.load("mine").owner == "ann"


@pytest.mark.slow
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


@pytest.mark.slow
def test_deleting_removes_rows_and_files_of_that_run_alone(store: Store, fill: Fill, a_run: MakeRun) -> None:
    fill(store, "a")
    fill(store, "b")
    store.delete("a")
    assert [path.name for path in (store.directory / "runs").iterdir()] == ["b"]
    with pytest.raises(StoreError, match="There is no run 'a'"):
        store.load("a")
    assert store.load("b").cells[CellKey(0, 0)].measurements
    store.add(a_run("a"))
    assert store.load("a").cells[CellKey(0, 0)].explanation is None


@pytest.mark.slow
def test_a_name_and_a_remark_come_back_and_are_found(store: Store, a_run: MakeRun) -> None:
    for run_id in "abc":
        store.add(a_run(run_id))
    store.describe("b", "Grüße", "für „Zoë“\nzweite Zeile")
    assert (store.load("b").name, store.load("b").remark) == ("Grüße", "für „Zoë“\nzweite Zeile")
    assert [one.id for one in store.recent(search="GRÜSSE zoë")] == ["b"]
    assert [one.id for one in store.recent(search="löwe centre", limit=2)] == ["c", "b"]
    found, other = store.recent(search="zeile")[0], store.recent()[1]
    assert found == other and found.thumbnail


@pytest.mark.slow
def test_a_search_looks_through_more_runs_than_it_reads_at_once(
    store: Store, a_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("decam.runs.store.listed.AT_ONCE", 3)
    for number in range(8):
        store.add(a_run(f"run{number}"))
    store.describe("run0", "the oldest", "")
    assert [one.id for one in store.recent(search="oldest")] == ["run0"]
    assert len(store.recent(search="png")) == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "run_id", ["nothing", "", "../../etc/passwd", "x" * 10_000, "'; DROP TABLE runs; --", "a\0b", "\ud800"]
)
def test_a_run_that_does_not_exist_is_a_sentence(store: Store, run_id: str) -> None:
    for ask in (store.load, store.version, store.delete, store.claim, lambda name: store.save_status(name, "done")):
        with pytest.raises(StoreError, match="There is no run") as caught:
            ask(run_id)
        assert len(str(caught.value)) < 200


@pytest.mark.slow
def test_a_damaged_map_fails_its_cell_and_no_other(store: Store, fill: Fill) -> None:
    fill(store)
    (store.directory / "runs" / "run" / "map-00-00.npz").write_bytes(b"rubbish")
    read = store.load("run")
    assert read.cells[CellKey(0, 0)].state == "failed"
    assert "damaged" in read.cells[CellKey(0, 0)].error
    assert read.cells[CellKey(0, 1)].explanation is not None


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


@pytest.mark.slow
def test_in_a_directory_that_may_only_be_read_runs_are_still_there(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, fill: Fill
) -> None:
    before = Store(tmp_path, url)
    fill(before)
    before.close()

    def refuse(folder: Path) -> None:
        with files.as_store_error(f"write in {folder}"):
            raise OSError(30, os.strerror(30))

    monkeypatch.setattr("decam.runs.store.runs.Instance", refuse)
    store = Store(tmp_path, url)
    assert store.load("run").cells[CellKey(0, 0)].explanation is not None
    assert [run.status for run in store.recent()] == ["interrupted"]
    with pytest.raises(StoreError, match="DECAM_DATA"):
        store.save_status("run", "done")
    store.close()


@pytest.mark.slow
def test_two_stores_that_change_one_run_at_once_lose_no_change(store: Store, url: str, fill: Fill) -> None:
    """Each change makes the version grow by reading the one before; one that read too early would repeat it."""
    fill(store)
    others = [Store(store.directory, url) for _ in range(3)]
    ready = threading.Barrier(len(others))

    def change(number: int, other: Store) -> None:
        ready.wait()
        for turn in range(8):
            other.save_measurements(
                "run", f"m-{number}-{turn}", {CellKey(0, 0): Measurement("sparsity", number + turn)}
            )

    workers = [threading.Thread(target=change, args=pair) for pair in enumerate(others)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(store.load("run").cells[CellKey(0, 0)].measurements) == 1 + 3 * 8
    for other in others:
        other.close()
