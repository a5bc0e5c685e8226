"""Deleted runs in the store: hidden, brought back as they were, and removed once nobody computes them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from decam.errors import NoSuchRunError
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store

Fill = Callable[..., RunSnapshot]


@pytest.mark.slow
def test_a_run_marked_deleted_is_seen_by_nobody_and_restored_as_it_was(store: Store, fill: Fill) -> None:
    fill(store, "a")
    fill(store, "b")
    store.save_status("a", "done")
    before, listed = store.load("a"), store.recent()
    store.mark_deleted("a")
    assert [one.id for one in store.recent()] == ["b"] and [one.id for one in store.deleted("ann")] == ["a"]
    assert store.deleted("bob") == store.deleted(kind="randomisation") == []
    assert "a" not in store.versions("comparison")
    for ask in (store.load, store.version, store.outline, store.claim, store.mark_deleted):
        with pytest.raises(NoSuchRunError):
            ask("a")
    assert store.owner("a") == "ann"
    assert store.remove_deleted(0.0) is not None, "the time of the deletion, at which it can still be undone"
    store.restore("a")
    assert store.recent() == listed and store.deleted() == []
    after = store.load("a")
    assert after.cells.keys() == before.cells.keys() and after.plan == before.plan
    assert store.remove_deleted(time.time() + 1000) is None
    assert len(store.recent()) == 2


@pytest.mark.slow
def test_removing_takes_deleted_runs_alone_and_waits_for_those_that_are_computed(store: Store, fill: Fill) -> None:
    for run_id in "abc":
        fill(store, run_id)
        store.mark_deleted(run_id)
    store.save_status("a", "done")
    store.save_status("c", "stopped")
    store.restore("c")
    assert store.remove_deleted(time.time() + 1) is not None, "b is still there, and somebody must come back for it"
    assert sorted(path.name for path in (store.directory / "runs").iterdir()) == ["b", "c"]
    store.save_status("b", "stopped")
    assert store.remove_deleted(time.time() + 1) is None
    assert [path.name for path in (store.directory / "runs").iterdir()] == ["c"]
    with pytest.raises(NoSuchRunError):
        store.restore("a")
