"""The ready-made runs: small, whole, and what a computer makes again."""

from __future__ import annotations

import numpy as np
import pytest

from decam.experiments.variants import models_by
from decam.export.replay import Remade, read, remake
from decam.lessons import make, runs
from decam.lessons.runs import RUNS, ReadyRun
from decam.metrics.similarity import spearman

MOST_BYTES = 3_000_000
EVERY = pytest.mark.parametrize("run", RUNS.values(), ids=lambda run: run.name)


@pytest.mark.slow
def test_all_runs_together_are_small_and_no_photograph_is_among_them() -> None:
    files = [path for path in runs.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert {path.name for path in runs.FOLDER.iterdir()} == set(RUNS)
    assert {path.suffix for path in files} <= {".json", ".csv", ".txt", ".png", ".npz"}
    for run in RUNS.values():  # drawn again from their seeds, the pictures are the same
        for kept, drawn in zip(runs.load(run.name).views, run.make(runs.exact).views, strict=True):
            assert np.array_equal(kept, drawn)


@EVERY
def test_a_stored_run_is_whole_and_of_the_plan_that_its_row_makes(run: ReadyRun) -> None:
    stored, planned = runs.load(run.name), run.make(runs.exact)
    assert stored.complete
    assert stored.plan.questions == planned.plan.questions
    assert stored.plan.methods == planned.plan.methods
    assert stored.plan.metrics == planned.plan.metrics
    assert [choice.sha256 for choice in stored.plan.pictures] == [choice.sha256 for choice in planned.plan.pictures]


@pytest.mark.slow
@EVERY
def test_cheap_maps_made_again_are_the_same(run: ReadyRun) -> None:
    recording = read(run.folder / "settings.json")
    cheap = {place for place, choice in enumerate(recording.plan.methods) if choice.name not in ("de-cam", "rise")}
    few = type(recording)(
        recording.folder,
        recording.plan,
        recording.views,
        tuple(one for one in recording.maps if one.cell.method in cheap)[:6],
        recording.threads,
        (),
    )
    assert few.maps
    for event in remake(few, models_by(runs.exact)):
        if isinstance(event, Remade):
            kept = runs.load(run.name).cells[event.recorded.cell].explanation
            assert kept is not None
            assert event.difference is not None
            assert event.difference <= 1e-3 * float(np.ptp(kept.saliency)), event.verdict


@pytest.mark.slow
def test_a_search_made_again_finds_the_same_map_and_its_generations_are_stored() -> None:
    run = RUNS["star"]
    recording = read(run.folder / "settings.json")
    one = type(recording)(recording.folder, recording.plan, recording.views, recording.maps[:1], recording.threads, ())
    made = next(event for event in remake(one, models_by(runs.exact)) if isinstance(event, Remade))
    cell = runs.load("star").cells[made.recorded.cell]
    assert cell.explanation is not None
    # Another processor rounds otherwise, and a search goes on from what was rounded: the ranking is what must stay.
    assert made.identical or spearman(made.explanation.saliency, cell.explanation.saliency) > 0.9
    best = [frame.curves["best"] for frame in cell.frames if frame.trace is not None]
    assert len(best) > 3
    assert cell.frames[-1].evaluations == cell.explanation.evaluations


@pytest.mark.slow
def test_what_is_made_is_what_is_stored(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    run = RUNS["forgetting"]
    grid = make.made(run)
    make.store(run, grid)
    runs.load.cache_clear()
    again = runs.load(run.name)
    runs.load.cache_clear()
    for key, cell in grid.cells.items():
        assert cell.explanation is not None
        other = again.cells[key].explanation
        assert other is not None
        assert np.array_equal(cell.explanation.saliency, other.saliency)
        for name, measurement in cell.measurements.items():
            kept = again.cells[key].measurements[name]
            assert kept.value == pytest.approx(measurement.value, abs=1e-8, nan_ok=True)
