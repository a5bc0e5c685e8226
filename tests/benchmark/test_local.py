"""A benchmark is computed once, whoever computes it and however often it is stopped."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.benchmark.local import LocalRun, compute, cost_of
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked, link_of
from decam.experiments.events import Measured
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds.benchmark import BENCHMARK
from decam.experiments.plan import MethodChoice, MetricChoice
from decam.experiments.status import Status
from decam.explanation import Progress, last
from decam.methods import METHODS
from decam.runs.store import Store
from tests.benchmark.conftest import METRICS, Colours, local, parts


def values(store: Store, shards: list[Grid]) -> list[float]:
    """All values of the parts, in the order of questions, methods and metrics."""
    outcomes = Outcomes(store)
    found = []
    for shard in shards:
        for question in range(len(shard.plan.questions)):
            for method in shard.plan.methods:
                outcome = outcomes.get(Asked.by(shard.plan, question), method)
                assert outcome is not None
                found += [outcome.values[metric.key] for metric in shard.plan.metrics]
    return found


def by_execution(shards: list[Grid], colours: Colours) -> list[float]:
    """The same values from `execute` alone."""
    found = []
    for shard in shards:
        grid = last(execute(shard, lambda _: colours.classifier))
        for key in shard.plan.cells():
            found += [grid.cells[key].measurements[metric.key].value for metric in shard.plan.metrics]
    return found


@pytest.mark.slow
def test_a_store_holds_what_the_execution_of_each_part_finds(store: Store, colours: Colours) -> None:
    shards = parts(colours, methods=("random", "centre", "rise"))
    assert local(store, colours).run(shards) == ()
    assert values(store, shards) == by_execution(shards, colours)
    assert {status for _, status in store.versions(BENCHMARK).values()} == {Status.DONE}


@pytest.mark.slow
def test_a_part_that_is_done_is_not_computed_again(store: Store, colours: Colours) -> None:
    local(store, colours).run(parts(colours))
    before = colours.asked
    assert local(store, colours).run(parts(colours)) == ()
    assert colours.asked == before


class Stopped(BaseException):
    """As a keyboard's interrupt."""


@pytest.mark.slow
@pytest.mark.parametrize("events", [1, 2, 3, 5])
def test_a_run_that_was_stopped_goes_on_with_what_is_missing(
    store: Store, colours: Colours, events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = parts(colours)
    seen = 0
    record = LocalRun._record

    def recorded(self: LocalRun, *given: object) -> Grid:
        nonlocal seen
        if seen == events:
            raise Stopped
        seen += 1
        return record(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalRun, "_record", recorded)
    with pytest.raises(Stopped):
        local(store, colours).run(shards)
    monkeypatch.setattr(LocalRun, "_record", record)
    made = sum(len(store.outline(link).cells) for link in store.versions(BENCHMARK))
    explained: list[str] = []
    run = METHODS["random"].run

    def counted(*given: object) -> Iterator[Progress]:
        explained.append("random")
        return run(*given)  # type: ignore[arg-type,return-value]

    monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=counted))
    assert local(store, colours).run(shards) == ()
    assert len(explained) == (2 if made == 0 else 1)
    assert values(store, shards) == by_execution(shards, colours)


@pytest.mark.slow
def test_what_another_living_process_computes_is_left_to_it(tmp_path: Path, colours: Colours) -> None:
    mine, others = Store(tmp_path), Store(tmp_path)
    shards = parts(colours)
    theirs = local(others, colours)
    grid = theirs._begun(link_of(shards[0].plan), shards[0])
    run = local(mine, colours)
    watch, failures = _NoWatch(), []
    assert [run._settled(shard, watch, failures) for shard in shards] == [False, True]  # type: ignore[arg-type]
    theirs._computed(link_of(shards[0].plan), grid, watch)  # type: ignore[arg-type]
    before = colours.asked
    assert run._settled(shards[0], watch, failures)  # type: ignore[arg-type]
    assert colours.asked == before
    mine.close()
    others.close()


@pytest.mark.slow
def test_what_a_process_that_died_was_computing_is_taken_over(tmp_path: Path, colours: Colours) -> None:
    mine, others = Store(tmp_path), Store(tmp_path)
    shards = parts(colours)
    local(others, colours)._begun(link_of(shards[0].plan), shards[0])
    others.close()
    assert local(mine, colours).run(shards) == ()
    assert values(mine, shards) == by_execution(shards, colours)
    mine.close()


class _NoWatch:
    def tell(self, *_: object) -> None: ...

    def skip(self, *_: object) -> None: ...


@pytest.mark.slow
def test_of_two_that_begin_a_part_at_once_one_has_it(tmp_path: Path, colours: Colours) -> None:
    from decam.errors import RunTakenError

    mine, others = Store(tmp_path), Store(tmp_path)
    (shard,) = parts(colours, 1)
    local(others, colours)._begun(link_of(shard.plan), shard)
    with pytest.raises(RunTakenError, match="another process"):
        local(mine, colours)._begun(link_of(shard.plan), shard)
    with pytest.raises(RunTakenError, match="another process"):
        mine.claim(link_of(shard.plan))
    mine.close()
    others.close()


@pytest.mark.slow
def test_maps_that_another_run_holds_are_copied_and_only_the_new_metric_is_asked(
    store: Store, colours: Colours
) -> None:
    local(store, colours).run(parts(colours, methods=("random", "rise"), metrics=METRICS[:1]))
    before = colours.asked
    grown = parts(colours, methods=("rise", "random", "centre"), metrics=METRICS)
    local(store, colours).run(grown)
    # A prediction a picture, and a curve of five points of the one map that is new.
    assert colours.asked - before == 2 * (1 + 5)
    assert values(store, grown) == by_execution(grown, colours)


@pytest.mark.slow
def test_maps_of_another_seed_or_settings_are_not_taken_for_the_same(store: Store, colours: Colours) -> None:
    first = parts(colours, 1, ("random",), seed=0)
    other = parts(colours, 1, ("random",), seed=1)
    local(store, colours).run([*first, *other])
    assert values(store, first) != values(store, other)


@pytest.mark.slow
def test_a_failure_is_said_and_tried_again_by_the_next_call(
    store: Store, colours: Colours, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = parts(colours, 1, ("centre", "rise"))
    colours.fail = True
    found = compute(store, {"colours": colours.classifier}, shards)
    assert len(found) == 2 and "0.png, rise: colours failed" in found[1]
    assert "Failed: 0.png, centre" in capsys.readouterr().err
    assert [status for _, status in store.versions(BENCHMARK).values()] == [Status.FAILED]
    colours.fail = False
    assert compute(store, {"colours": colours.classifier}, shards) == ()
    assert values(store, shards) == by_execution(shards, colours)


@pytest.mark.slow
def test_a_metric_that_failed_is_said_has_no_value_and_is_asked_again(
    store: Store, colours: Colours, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = parts(colours, 1, ("centre",))

    def broken(*_: object) -> Iterator[Measured]:
        raise ValueError("broken")
        yield

    with monkeypatch.context() as patch:
        patch.setattr("decam.experiments.measuring.get_metric", lambda name: _broken_if(name, "sparsity", broken))
        (sentence,) = local(store, colours).run(shards)
    assert sentence.startswith("0.png, centre: ")
    outcome = Outcomes(store).get(Asked.by(shards[0].plan, 0), MethodChoice.default("centre"))
    assert outcome is not None and set(outcome.values) == {METRICS[0].key}
    assert local(store, colours).run(shards) == ()
    assert values(store, shards) == by_execution(shards, colours)


def _broken_if(name: str, which: str, run: object) -> object:
    from decam.metrics import get

    return dataclasses.replace(get(name), run=run) if name == which else get(name)


@pytest.mark.slow
def test_the_cost_foreseen_is_what_the_model_is_asked(store: Store, colours: Colours) -> None:
    (shard,) = parts(colours, 1, ("rise", "random"), (MetricChoice.default("deletion", steps=4),))
    local(store, colours).run([shard])
    assert colours.asked == 1 + cost_of(shard.plan, colours.classifier)


@pytest.mark.slow
def test_small_maps_keep_no_frames(store: Store, colours: Colours) -> None:
    (shard,) = parts(colours, 1, ("rise",), ())
    local(store, colours).run([shard])
    (cell,) = store.load(link_of(shard.plan)).cells.values()
    assert cell.explanation is not None and cell.frames == ()


def work(directory: Path, count: int, seconds: float) -> None:
    """What each process does; every question to the model takes a while."""
    colours = Colours()
    answer = colours.classifier._function

    def slowly(images: object) -> object:
        time.sleep(seconds)
        return answer(images)  # type: ignore[arg-type]

    colours.classifier._function = slowly  # type: ignore[assignment]
    store = Store(directory)
    local(store, colours).run(parts(colours, count, ("random", "rise")))
    store.close()


@pytest.mark.slow
def test_processes_share_the_work_and_one_that_is_killed_loses_at_most_a_part(tmp_path: Path, colours: Colours) -> None:
    spawn = multiprocessing.get_context("spawn")
    shards = parts(colours, 4, ("random", "rise"))
    killed = spawn.Process(target=work, args=(tmp_path, 4, 0.02))
    killed.start()
    reader = Store(tmp_path)
    while not any(reader.outline(link).cells for link in reader.versions(BENCHMARK)):
        time.sleep(0.02)
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()
    both = [spawn.Process(target=work, args=(tmp_path, 4, 0.01)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(reader.versions(BENCHMARK)) == 4
    assert values(reader, shards) == by_execution(shards, colours)
    reader.close()
