"""A randomisation check is a run like any other: in the queue, on disk, stopped, resumed, measured, listed, exported.

What holds of all runs is proved on comparisons; here is proved that a plan with variants of a model goes the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.errors import StoreError
from decam.experiments.cells import CellKey
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds.randomisation_reading import Compared, lines
from decam.experiments.plan import MetricChoice
from decam.experiments.questions import ModelSpec
from decam.experiments.variants import models_by
from decam.explanation import last
from decam.export import files
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import Gate, a_check, a_plan, colours, layered, running, wait_for
from tests.tools.colours import views

LAST = CellKey(2, 1)


def load(name: str, device: str) -> object:
    return (layered if name == "layered" else colours)(name, device)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(Store(tmp_path / "data"), load)  # type: ignore[arg-type]  # either is a classifier
    yield made
    made.close()


def alone(*methods: str) -> Grid:
    """The grid that the core computes, without a run."""
    return last(execute(Grid.empty(a_check(*methods), views(1)), models_by(layered)))


def same(one: Grid, other: Grid) -> bool:
    """True if maps, measurements and errors are equal, whatever they took."""
    return all(
        (a.explanation is None) == (b.explanation is None)
        and (a.explanation is None or a.explanation.saliency.tobytes() == b.explanation.saliency.tobytes())
        and (a.state, a.error, repr(dict(a.measurements))) == (b.state, b.error, repr(dict(b.measurements)))
        for a, b in ((cell, other.cells[key]) for key, cell in one.cells.items())
    )


@pytest.mark.slow
def test_a_check_finds_what_the_core_finds_and_another_process_can_read_it(runs: Runs, tmp_path: Path) -> None:
    link = runs.start(a_check("gradient", "edges"), views(1), "ann")
    run = wait_for(runs, link)
    expected = alone("gradient", "edges")
    assert (run.status, len(run.cells)) == ("done", 6)
    assert same(run.grid, expected)
    changed = [run.cells[CellKey(question, 0)].explanation for question in range(3)]
    assert len({one.saliency.tobytes() for one in changed if one is not None}) == 3
    other = Store(tmp_path / "data")
    again = other.load(link)
    assert same(again.grid, expected)
    assert repr(lines(again.grid, Compared("spearman"))) == repr(lines(expected, Compared("spearman")))
    other.close()


@pytest.mark.slow
def test_it_waits_in_the_line_of_other_runs_and_is_listed_by_its_kind(runs: Runs, gate: Gate) -> None:
    first = runs.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(runs, first, running(CellKey(0, 0)))
    check = runs.start(a_check("edges"), views(1), "ann")
    assert (runs.snapshot(check).status, runs.snapshot(check).ahead) == ("queued", 1)
    gate.open()
    assert wait_for(runs, check).status == "done"
    assert [run.id for run in runs.recent(kind="randomisation")] == [check]
    assert [run.id for run in runs.recent(kind="comparison")] == [first]
    assert [run.id for run in runs.recent()] == [check, first]
    assert runs.recent(kind="randomisation")[0].facts == ("stage after stage",)
    assert runs.recent("bob", kind="randomisation") == []


@pytest.mark.slow
def test_stopped_in_the_middle_it_keeps_its_maps_and_resumes_to_the_same_end(
    runs: Runs, gate: Gate, tmp_path: Path
) -> None:
    link = runs.start(a_check("gradient", "occlusion"), views(1))
    wait_for(runs, link, running(CellKey(0, 1)))
    gate.steps.release(6 + 1)  # the original's map, and one step of the first variant's
    wait_for(runs, link, running(CellKey(1, 1)))
    runs.stop(link)
    gate.steps.release(1)
    stopped = wait_for(runs, link)
    assert stopped.status == "stopped"
    had = {key for key, cell in stopped.cells.items() if cell.explanation is not None}
    assert had == {CellKey(0, 0), CellKey(0, 1), CellKey(1, 0)}
    runs.close()
    gate.open()
    again = Runs(Store(tmp_path / "data"), load)  # type: ignore[arg-type]  # either is a classifier
    again.resume(link)
    done = wait_for(again, link)
    assert done.status == "done"
    assert same(done.grid, alone("gradient", "occlusion"))
    for key in had:
        kept, before = done.cells[key].explanation, stopped.cells[key].explanation
        assert kept is not None and before is not None and kept.seconds == before.seconds
    again.close()


@pytest.mark.slow
def test_a_metric_can_be_added_and_leaves_the_similarities_alone(runs: Runs) -> None:
    link = runs.start(a_check("gradient"), views(1))
    before = wait_for(runs, link)
    sparsity = MetricChoice.default("sparsity")
    runs.measure(link, [sparsity])
    after = wait_for(runs, link)
    assert after.status == "done"
    for key, cell in after.cells.items():
        assert cell.measurements.keys() - before.cells[key].measurements.keys() == {sparsity.key}


@pytest.mark.slow
def test_a_stage_that_the_model_no_longer_has_fails_its_maps_with_what_to_do(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(spec: ModelSpec) -> object:
        if spec.variant is not None:
            raise StoreError("There is no such stage; make the check again.")
        return layered()

    monkeypatch.setattr("decam.runs.service.models_by", lambda _: without)
    run = wait_for(runs, runs.start(a_check("gradient"), views(1)))
    assert (run.status, run.cells[CellKey(0, 0)].state) == ("done", "done")
    assert {run.cells[CellKey(place, 0)].error for place in (1, 2)} == {"There is no such stage; make the check again."}


@pytest.mark.slow
@pytest.mark.parametrize("act", ["delete while it runs", "delete afterwards"])
def test_a_deleted_check_is_gone(runs: Runs, gate: Gate, act: str) -> None:
    link = runs.start(a_check("occlusion"), views(1))
    wait_for(runs, link, running(CellKey(0, 0)))
    if act == "delete afterwards":
        gate.open()
        wait_for(runs, link)
    runs.delete(link)
    with pytest.raises(StoreError, match="There is no run"):
        runs.snapshot(link)
    assert runs.recent() == []


@pytest.mark.slow
def test_a_shared_check_is_made_once(runs: Runs) -> None:
    links = [runs.shared_run("check-1", a_check("edges"), views(1)) for _ in range(2)]
    assert set(links) == {"check-1"}
    assert wait_for(runs, "check-1").status == "done"
    assert runs.recent() == []


@pytest.mark.slow
def test_its_export_has_every_map_under_its_stage(runs: Runs) -> None:
    run = wait_for(runs, runs.start(a_check("gradient"), views(1)))
    content = dict(files(run.grid))
    names = [name for name in content if name.startswith("maps/")]
    assert len(names) == len(set(names)) == 3
    settings = json.loads(content["settings.json"])
    assert [entry["question"] for entry in settings["maps"]] == [0, 1, 2]
    stages = [question["model"]["variant"]["stage"] for question in settings["plan"]["questions"][1:]]
    assert stages == ["head", "stem"]
    assert all(any(stage in name for name in names) for stage in stages)


@pytest.mark.slow
def test_without_a_usable_directory_it_lives_in_memory_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runs = Runs(Store(tmp_path / "file" / "data"), layered)
    run = wait_for(runs, runs.start(a_check("edges"), views(1)))
    assert run.status == "done"
    assert "not being kept on disk" in run.note
    runs.close()
