"""A run in the making shows what happened, keeps its history small, and never shows the same version twice."""

from __future__ import annotations

import dataclasses
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from decam.evolution.trace import Trace
from decam.experiments.cells import CellKey
from decam.experiments.events import Explained, Failed, Measured, Predicted, Progressed
from decam.experiments.grid import Grid, top_guesses
from decam.experiments.history import FRAMES, TRACE_BYTES, TRACES, History, frame_of, shrink
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice
from decam.experiments.status import CellState, Status
from decam.explanation import Explanation, Progress
from decam.metrics import Measurement
from decam.runs.snapshots import RunSnapshot
from decam.runs.state import RunState

FIRST, SECOND = CellKey(0, 0), CellKey(0, 1)
ONE, OTHER = MetricChoice.default("deletion"), MetricChoice.default("sparsity")


def a_state() -> RunState:
    methods = (MethodChoice.default("random"), MethodChoice.default("centre"))
    plan = comparison.plan("colours", "cpu", (PictureChoice("a.png"),), methods, metrics=(ONE, OTHER))
    grid = Grid.empty(plan, (np.zeros((8, 8, 3), np.uint8),))
    return RunState(RunSnapshot("run", datetime(2026, 1, 1, tzinfo=UTC), Status.QUEUED, grid))


def an_explanation() -> Explanation:
    settings = MethodChoice.default("random").settings
    return Explanation("random", np.ones((8, 8), np.float32), 0, "red", 0.5, settings, 0, 77, 1.25)


def explaining(key: CellKey, progress: Progress, seconds: float = 0.0) -> Progressed:
    return Progressed(key, CellState.RUNNING, progress, seconds)


def measured(key: CellKey, choice: MetricChoice, **changes: object) -> Measured:
    return Measured(choice.key, {key: dataclasses.replace(Measurement(choice.name, 0.5), **changes)})


def test_guesses_are_the_five_likeliest_in_order() -> None:
    values = np.array([0.1, 0.4, 0.05, 0.2, 0.0, 0.25], np.float32)
    assert top_guesses(values) == tuple((i, float(values[i])) for i in (1, 5, 3, 0, 2))
    assert top_guesses(values[:2]) == ((1, float(values[1])), (0, float(values[0])))


@pytest.mark.parametrize("size", [(7, 7), (56, 56), (57, 20), (128, 128), (224, 224), (300, 61)])
def test_shrinking_averages_blocks_and_stays_within_56(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    small = shrink(values)
    assert max(small.shape) <= 56
    rows, columns = (-(-side // 56) for side in size)
    slow = [
        [values[y : y + rows, x : x + columns].mean() for x in range(0, size[1] - columns + 1, columns)]
        for y in range(0, size[0] - rows + 1, rows)
    ]
    np.testing.assert_allclose(small, slow, atol=1e-5)


def test_a_frame_gives_back_values_to_a_255th_of_their_range() -> None:
    saliency = np.linspace(-3, 5, 7 * 9, dtype=np.float32).reshape(7, 9)
    mask = np.linspace(0, 1, 49, dtype=np.float32).reshape(7, 7)
    frame = frame_of(Progress(1, 2, 3, saliency=saliency, mask=mask, curves={"best": 0.5}))
    assert (frame.evaluations, dict(frame.curves), frame.low, frame.high) == (3, {"best": 0.5}, -3.0, 5.0)
    values = frame.values()
    assert values is not None
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, saliency, atol=8 / 255 / 2 + 1e-6)
    assert frame.mask is not None
    np.testing.assert_allclose(frame.mask / 255, mask, atol=0.5 / 255 + 1e-6)


def test_constant_and_infinite_maps_make_frames_too() -> None:
    assert frame_of(Progress(0, 1, 0, saliency=np.full((4, 4), 2.5, np.float32))).values() == pytest.approx(
        np.full((4, 4), 2.5)
    )
    odd = np.array([[np.nan, np.inf], [-np.inf, 1.0]], np.float32)
    values = frame_of(Progress(0, 1, 0, saliency=odd)).values()
    assert values is not None
    assert np.isfinite(values).all()
    assert frame_of(Progress(0, 1, 0)).values() is None


def searched(generations: int, batches: int, pictured: bool) -> History:
    """The history of a search whose generations take so many batches each, which have pictures too or have none."""
    history, saliency = History(), np.zeros((2, 2), np.float32)
    for number in range(generations):
        for batch in range(batches):
            evaluations = number * 1000 + batch
            history.add(Progress(number, generations, evaluations, saliency=saliency if pictured else None))
        picture = np.full((2, 2), number, np.float32)
        curves = {"best": float(number)}
        history.add(Progress(number, generations, number * 1000 + 999, saliency=picture, mask=saliency, curves=curves))
    return history


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=3))
@example(8, [(1, False), (2, False), (4, False), (8, False), (32, False), (32, True)])
@example(FRAMES + 1, [(0, False), (1, True)])
def test_the_generations_that_keep_their_pictures_do_not_depend_on_the_batch_size(
    generations: int, batchings: list[tuple[int, bool]]
) -> None:
    kept = set()
    for batches, pictured in batchings:
        frames = [frame for frame in searched(generations, batches, pictured).frames() if frame.curves]
        assert [frame.curves["best"] for frame in frames] == list(range(generations))
        assert all((frame.mask is None) == (frame.saliency is None) for frame in frames)
        assert all(frame.low == frame.curves["best"] for frame in frames if frame.saliency is not None)
        kept.add(tuple(number for number, frame in enumerate(frames) if frame.saliency is not None))
    assert len(kept) == 1
    (numbers,) = kept
    assert (numbers[0], numbers[-1]) == (0, generations - 1)
    assert min(generations, FRAMES // 2) <= len(numbers) <= FRAMES
    assert len(set(np.diff(numbers[:-1]).tolist())) <= 1
    if generations <= FRAMES:
        assert numbers == tuple(range(generations))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500))
def test_pictures_between_generations_are_bounded_even_and_end_with_the_newest(count: int) -> None:
    history = History()
    for number in range(count):
        history.add(Progress(number, count, 2 * number, saliency=np.zeros((2, 2), np.float32)))
        history.add(Progress(number, count, 2 * number + 1))
    places = [frame.evaluations // 2 for frame in history.frames()]
    assert (places[0], places[-1]) == (0, count - 1)
    assert min(count, FRAMES // 2) <= len(places) <= FRAMES
    assert len(set(np.diff(places[:-1]).tolist())) <= 1


@pytest.mark.slow
def test_a_long_history_stays_small() -> None:
    saliency = np.random.default_rng(0).random((224, 224)).astype(np.float32)
    tracemalloc.start()
    history = History()
    for number in range(2000):
        history.add(Progress(number, 2000, number, saliency=saliency, mask=saliency, curves={"best": 0.0}))
    assert len(history.frames()) == 2000
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 3_000_000


def test_a_cell_goes_from_waiting_to_done_and_shows_its_parts() -> None:
    state = a_state()
    assert state.snapshot().cells[FIRST].state == "waiting"
    state.begin(state.plan, ("red", "green"))
    state.apply(Predicted(0, np.array([0.25, 0.75], np.float32)))
    state.apply(explaining(FIRST, Progress(1, 4, 16, saliency=np.ones((2, 2), np.float32), curves={"best": 1.0})))
    run = state.snapshot()
    shown = run.cells[FIRST]
    assert (run.status, run.labels, run.predictions) == ("running", ("red", "green"), (((1, 0.75), (0, 0.25)),))
    assert (shown.state, shown.step, shown.total, shown.evaluations) == ("running", 1, 4, 16)
    assert shown.saliency is not None
    assert len(shown.frames) == 1

    state.apply(Explained(FIRST, an_explanation()))
    shown = state.snapshot().cells[FIRST]
    assert (shown.state, shown.evaluations, shown.seconds, len(shown.frames)) == ("measuring", 77, 1.25, 1)
    state.apply(Progressed(FIRST, CellState.MEASURING, Progress(5, 10, 5), 0.0))
    assert state.snapshot().cells[FIRST].step == 5
    state.apply(measured(FIRST, OTHER))
    assert state.snapshot().cells[FIRST].state == "measuring"
    state.apply(measured(FIRST, ONE))
    shown = state.snapshot().cells[FIRST]
    assert (shown.state, set(shown.measurements)) == ("done", {ONE.key, OTHER.key})
    assert state.ending(Status.DONE) == "stopped"
    state.apply(Failed(SECOND, "No."))
    assert (state.snapshot().cells[SECOND].state, state.snapshot().cells[SECOND].error) == ("failed", "No.")
    assert state.ending(Status.DONE) == "done"


def test_a_map_is_measured_again_when_its_plan_asks_for_more() -> None:
    state = a_state()
    state.begin(state.plan, ())
    state.apply(Explained(FIRST, an_explanation()))
    for choice in (ONE, OTHER):
        state.apply(measured(FIRST, choice))
    assert state.snapshot().cells[FIRST].state == "done"
    more = (*state.plan.metrics, MetricChoice.default("entropy"))
    state.replan(dataclasses.replace(state.plan, metrics=more))
    assert state.snapshot().cells[FIRST].state == "measuring"


def test_a_snapshot_does_not_change_afterwards_and_is_the_same_until_something_does() -> None:
    state = a_state()
    state.begin(state.plan, ())
    state.apply(explaining(FIRST, Progress(1, 4, 16, curves={"best": 0.5})))
    before = state.snapshot()
    assert state.snapshot() is before
    state.apply(explaining(FIRST, Progress(2, 4, 32, curves={"best": 0.6})))
    after = state.snapshot()
    assert after is not before
    assert after.version > before.version
    assert (before.cells[FIRST].step, after.cells[FIRST].step) == (1, 2)
    assert (len(before.cells[FIRST].frames), len(after.cells[FIRST].frames)) == (1, 2)
    assert state.snapshot(ahead=2).version > after.version


def test_a_map_in_the_making_is_a_copy_of_what_the_method_goes_on_changing() -> None:
    state, growing = a_state(), np.zeros((4, 4), np.float32)
    state.begin(state.plan, ())
    state.apply(explaining(FIRST, Progress(1, 4, 16, saliency=growing)))
    run = state.snapshot()
    growing += 1
    saliency = run.cells[FIRST].saliency
    assert saliency is not None
    assert not saliency.any()


def test_the_time_left_follows_the_recent_rate() -> None:
    state = a_state()
    state.begin(state.plan, ())
    state.apply(explaining(FIRST, Progress(0, 1000, 0)))
    assert state.snapshot().cells[FIRST].seconds_left is None
    for second in range(1, 101):
        state.apply(explaining(FIRST, Progress(second, 1000, second), float(second)))
    assert state.snapshot().cells[FIRST].seconds_left == pytest.approx(900)
    assert state.snapshot().cells[FIRST].seconds == 100
    for second in range(101, 131):
        state.apply(explaining(FIRST, Progress(100 + 10 * (second - 100), 1000, second), float(second)))
    assert state.snapshot().cells[FIRST].seconds_left == pytest.approx(600 / 10)


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [("stopped", "stopped", ""), ("interrupted", "stopped", ""), ("failed", "failed", "Bad.")],
)
def test_what_a_run_did_not_finish_ends_with_it(status: str, state: str, error: str) -> None:
    live = a_state()
    live.begin(live.plan, ())
    live.apply(Explained(FIRST, an_explanation()))
    for choice in (ONE, OTHER):
        live.apply(measured(FIRST, choice))
    live.apply(explaining(SECOND, Progress(1, 4, 16)))
    live.end(Status(status), error)
    run = live.snapshot()
    assert (run.status, run.note) == (status, error)
    assert (run.cells[FIRST].state, run.cells[SECOND].state, run.cells[SECOND].error) == ("done", state, error)


def test_queueing_again_waits_for_what_is_missing_alone() -> None:
    state = a_state()
    state.begin(state.plan, ())
    state.apply(Explained(FIRST, an_explanation()))
    state.apply(measured(FIRST, ONE))
    state.apply(measured(FIRST, OTHER, value=float("nan"), failed=True))
    state.apply(Failed(SECOND, "Map failed."))
    state.end(Status.DONE)
    state.queue(maps=False)
    cells = state.snapshot().cells
    assert (cells[FIRST].state, cells[SECOND].state, len(cells[FIRST].measurements)) == ("done", "failed", 2)
    state.queue(maps=True)
    cells = state.snapshot().cells
    assert (cells[FIRST].state, cells[SECOND].state, set(cells[FIRST].measurements)) == (
        *("measuring", "waiting"),
        {ONE.key},
    )
    assert cells[FIRST].explanation is not None


@pytest.mark.parametrize(("count", "size"), [(5, 4), (120, 4), (700, 4), (60, 256)])
def test_traces_are_bounded_in_number_and_memory_and_end_with_the_newest(count: int, size: int) -> None:
    def trace(number: int) -> Trace:
        grids = np.full((size, 16, 16), number, np.float16)
        none = np.zeros(size, np.float32)
        parents = np.zeros((0, size), np.int16)
        crossed, accepted = np.ones(grids.shape, np.bool_), np.ones(size, np.bool_)
        return Trace(grids, grids[:0], (), parents, grids, crossed, none, none, none, none, accepted)

    history = History()
    for number in range(count):
        history.add(Progress(number, count, 2 * number))
        history.add(Progress(number, count, 2 * number + 1, curves={"best": 1.0}, trace=trace(number)))
    history.add(Progress(count, count, 2 * count))
    frames = history.frames()
    kept = [frame for frame in frames if frame.trace is not None]
    assert all(
        frame.trace.targets[0, 0, 0] == np.float16((frame.evaluations - 1) // 2) for frame in kept if frame.trace
    )
    assert len(kept) <= TRACES
    assert sum(frame.trace.nbytes for frame in kept if frame.trace) <= TRACE_BYTES
    places = [frame.evaluations for frame in kept]
    assert places[0] == 1 and places[-1] == 2 * count - 1
    assert len(set(np.diff(places[:-1]).tolist())) <= 1
    if size == 4:
        assert len(kept) >= min(count, TRACES // 2)
