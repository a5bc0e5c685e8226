"""GET /live/{run}: in order, resumable, encoded once for all watchers, and with an end."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from decam.errors import StoreError
from decam.experiments.cells import CellKey
from decam.experiments.status import CellState
from decam.export import live, wire
from decam.runs.service import Runs
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.ui.components.grid.grid import GridColumn, payload
from decam.web import lifespan, server
from decam.web import live as route
from tests.tools.colours import views
from tests.web.watched import RUN, Answer, Moments, a_plan, ask, colours, life, merge

PATH = f"/live/{RUN}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every look is a new one, and nothing is served beyond a test."""
    for module in (live, route):
        monkeypatch.setattr(module, "PACE", 0.0)
    for pause in ("PROGRESS", "SELDOM"):
        monkeypatch.setattr(live, pause, 0.0)
    yield
    live.offer(None)


def get(path: str = PATH, query: str = "", **headers: str) -> Answer:
    return anyio.run(lambda: ask(path, query, {name.replace("_", "-"): value for name, value in headers.items()}))


def known(answer: Answer) -> dict[tuple[str, str], Any]:
    """The cells as a client has them when the stream is over."""
    cells: dict[tuple[str, str], Any] = {}
    for name, _, value in answer.events:
        if name == "cell":
            merge(cells, value)
    return cells


def as_drawn(snapshot: RunSnapshot) -> dict[tuple[str, str], Any]:
    """The cells as the page's grid is sent them, by a way of its own."""
    columns = [GridColumn(str(index), title) for index, title in enumerate(snapshot.plan.titles())]
    cells = list(wire.grid_cells(snapshot).values())
    sent = payload((), columns, cells, key="k", metrics=wire.grid_metrics(snapshot.plan))
    return {(cell["row"], cell["column"]): cell for cell in json.loads(json.dumps(sent["cells"]))}


def points(snapshot: RunSnapshot, key: tuple[str, str]) -> list[Any]:
    """The curves of a search that goes on, from the run's frames."""
    cell = snapshot.cells[CellKey(int(key[0]), int(key[1]))]
    frames = [] if cell.explanation is not None else [frame for frame in cell.frames if frame.curves]
    return [frame.evaluations for frame in frames]


def test_a_stream_is_everything_then_what_changed_and_then_the_end() -> None:
    moments = life()
    live.offer(Moments(moments))
    answer = get()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    names = [name for name, _, _ in answer.events]
    first = names.index("run")
    assert names[: first + 1] == ["cell"] * len(moments[0].cells) + ["run"]
    assert names[-1] == "end" and names.count("end") == 1
    assert "cell" in names[first:]
    versions = [int(mark) for name, mark, _ in answer.events if name == "run"]
    assert versions == [moment.version for moment in moments]
    assert all(mark == "" for name, mark, _ in answer.events if name != "run")
    later = [value["cell"] for name, _, value in answer.events[first + 1 :] if name == "cell"]
    assert len(later) < len(moments) * len(moments[0].cells) / 2, "only what changed is sent"


def test_the_run_says_how_it_stands_and_which_classes_its_rows_ask_about() -> None:
    moments = life()
    live.offer(Moments(moments))
    runs = [value for name, _, value in get().events if name == "run"]
    assert (runs[0]["title"], runs[0]["share"], runs[0]["ahead"]) == ("Waiting", 0.0, 2)
    assert "2 runs ahead of yours" in runs[0]["facts"]
    assert [row["label"] for row in runs[0]["rows"]] == ["", ""]
    assert (runs[-1]["title"], runs[-1]["share"], runs[-1]["active"]) == ("Finished", 1.0, False)
    assert [row["label"] for row in runs[-1]["rows"]] == ["red", "green"]
    assert all(0 < row["probability"] < 1 for row in runs[-1]["rows"])
    assert all(0 <= run["share"] <= 1 for run in runs)
    measured = [run["measured"] for run in runs]
    assert measured == sorted(measured) and measured[-1] == 6 * 3


def test_the_cells_of_a_stream_merged_are_those_of_the_page_at_every_version() -> None:
    moments = life()
    live.offer(Moments(moments))
    by_version = {moment.version: moment for moment in moments}
    cells: dict[tuple[str, str], Any] = {}
    searched = 0
    for name, mark, value in get().events:
        if name == "cell":
            merge(cells, value)
        if name != "run":
            continue
        snapshot = by_version[int(mark)]
        assert {key: known["cell"] for key, known in cells.items()} == as_drawn(snapshot)
        for key, each in cells.items():
            assert (each["search"] is not None) == (key[1] == "0")
            if each["search"]:
                assert [evaluations for evaluations, _ in each["search"]["points"]] == points(snapshot, key)
                searched = max(searched, len(each["search"]["points"]))
    assert searched > 5


@pytest.mark.parametrize("stride", [1, 2, 7])
def test_a_client_that_comes_back_again_and_again_knows_what_the_page_would_draw(stride: int) -> None:
    """By the version that it has: whether the feed has just left that, has left it long ago or has forgotten it."""
    moments = life()[::stride]
    feeds = live.Feeds(Moments(moments))
    cells: dict[tuple[str, str], Any] = {}
    since: int | None = None
    for number, moment in enumerate(moments):
        if number % 5 == 4:
            feeds.note(moment)  # somebody else has opened the page
        if number % 11 == 10:
            feeds.forget(RUN)
        news = feeds.of(RUN).news(since)
        for event in news.cells:
            merge(cells, json.loads(event))
        since = news.version
        snapshot = next(moment for moment in life() if moment.version == since)
        assert {key: known["cell"] for key, known in cells.items()} == as_drawn(snapshot)
        for key, each in cells.items():
            assert [place for place, _ in (each["search"] or {"points": []})["points"]] == (
                points(snapshot, key) if key[1] == "0" else []
            )


def test_a_client_is_not_sent_again_what_it_has() -> None:
    moments = life()
    live.offer(Moments(moments[-1:]))
    version = str(moments[-1].version)
    assert len(known(get())) == 6
    for answer in (get(last_event_id=version), get(query=f"since={version}")):
        assert [name for name, _, _ in answer.events] == ["end"]
    stale = get(query="since=1", last_event_id=version)
    assert [name for name, _, _ in stale.events] == ["end"], "the header is newer than the address"


def test_what_a_page_has_drawn_is_not_sent_again_but_for_the_curves_it_has_not() -> None:
    moments = life()
    middle = next(n for n, moment in enumerate(moments) if len(points(moment, ("0", "0"))) > 3)
    live.offer(Moments(moments[middle + 1 :]))
    feeds = live.feeds()
    assert feeds is not None
    feeds.note(moments[middle])
    answer = get(query=f"drawn={moments[middle].version}")
    first = [value for name, _, value in answer.events[: [n for n, _, _ in answer.events].index("run")]]
    changed = [key for key, cell in moments[middle + 1].cells.items() if cell is not moments[middle].cells[key]]
    assert [(each["cell"]["row"], each["cell"]["column"]) for each in first] == [("0", "0")]
    assert len(changed) == 1
    assert len(first[0]["search"]["points"]) == len(points(moments[middle + 1], ("0", "0")))


def encodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cells that are encoded from now on, one after the other."""
    made: list[str] = []
    whole = wire.cell_object

    def counted(cell: wire.GridCell, *rest: Any) -> dict[str, Any]:
        made.append(cell.row + cell.column)
        return whole(cell, *rest)

    monkeypatch.setattr(wire, "cell_object", counted)
    return made


def test_a_cell_is_encoded_once_for_all_who_lack_it_whatever_else_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    moments, made = life(), encodings(monkeypatch)
    feed = live.RunFeed(Moments(moments[-1:]), RUN)
    for moment in moments:
        feed.note(moment)
    assert not made, "nobody has asked yet"
    for moment in [*moments[:-2], *moments[:-2]]:
        feed.news(moment.version)
    assert sorted(made) == ["00", "01", "02", "10", "11", "12"]


@pytest.mark.slow
def test_two_watchers_share_one_look_and_one_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (live, route):
        monkeypatch.setattr(module, "PACE", 0.02)
    made = encodings(monkeypatch)
    moments = (*life()[::4], life()[-1])

    async def watch(count: int) -> list[Answer]:
        answers: list[Answer] = []

        async def one() -> None:
            answers.append(await ask(PATH))

        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(one)
        return answers

    counts, looks = [], []
    for count in (1, 8):
        source = Moments(moments)
        live.offer(source)
        made.clear()
        answers = anyio.run(watch, count)
        counts.append(len(made))
        looks.append(source.looks)
        for answer in answers:
            assert {key: each["cell"] for key, each in known(answer).items()} == as_drawn(moments[-1])
    assert looks[1] <= looks[0] + 2
    assert counts[1] <= 2 * counts[0], "a step and, for whoever missed one, the whole: no more, however many watch"


def test_mere_progress_waits_for_its_turn_and_all_else_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PROGRESS", 1e9)
    moments = life()
    live.offer(Moments(moments))
    answer = get()

    def milestones(run: RunSnapshot) -> tuple[object, ...]:
        states = [cell.state for _, cell in sorted(run.cells.items())]
        return run.status, run.ahead, run.predictions, run.labels, states, wire.measured(run)

    changes = sum(milestones(one) != milestones(other) for one, other in itertools.pairwise(moments))
    sent = [value for name, _, value in answer.events if name == "run"]
    assert len(sent) == 1 + changes < len(moments)
    assert {key: each["cell"] for key, each in known(answer).items()} == as_drawn(moments[-1])


@pytest.mark.parametrize(("age", "pause"), [(2, 1), (10, 1), (25, 2.5), (30, 3), (600, 3)])
def test_the_longer_a_run_takes_the_more_seldom_its_mere_progress_is_sent(
    monkeypatch: pytest.MonkeyPatch, age: float, pause: float
) -> None:
    monkeypatch.undo()
    now = [-1000.0]
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: now[0]))
    seen = [life()[0]]
    feed = live.RunFeed(SimpleNamespace(snapshot=lambda _: seen[-1]), RUN)

    def told(moment: float, run: RunSnapshot) -> bool:
        now[0] = moment
        seen.append(run)
        return feed.news().version == run.version

    first, second, third = _steps_of_a_search()
    assert told(-1000.0, seen[0]), "the run waits in the queue, which does not count"
    assert told(0.0, first)
    assert told(age, second)
    assert not told(age + pause * 0.95, third)
    assert told(age + pause * 1.2 + live.PACE, third)


def _steps_of_a_search() -> list[RunSnapshot]:
    """Three moments between which nothing but a map's progress is new."""
    running = [run for run in life() if run.cells[CellKey(0, 0)].state is CellState.RUNNING]
    assert len({run.version for run in running}) == len(running) > 3
    return running[1:4]


@pytest.mark.slow
def test_one_look_has_the_same_objects_as_the_stream() -> None:
    moments = life()
    live.offer(Moments(moments))
    cells: dict[tuple[str, str], Any] = {}
    query = "once=1"
    for moment in moments:
        answer = get(query=query)
        assert answer.headers["content-type"] == "application/json"
        for event in answer.json["cells"]:
            merge(cells, event)
        assert {key: each["cell"] for key, each in cells.items()} == as_drawn(moment)
        assert answer.json["ended"] == (not moment.active)
        query = f"once=1&since={answer.json['run']['version']}"


def test_a_quiet_run_is_heard_to_be_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "BEAT_SECONDS", 0.0)
    live.offer(Moments(life()[:1]))
    answer = anyio.run(lambda: ask(PATH, enough=lambda so_far: so_far.body.count(b"event: beat") > 2))
    names = [name for name, _, _ in answer.events]
    assert names[:7] == ["cell"] * 6 + ["run"]
    assert set(names[7:]) == {"beat"}


def test_a_stream_ends_when_the_server_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    live.offer(Moments(life()[:1]))
    asked = iter(range(100))
    monkeypatch.setattr(route, "ending", lambda: next(asked) > 2)
    assert [name for name, _, _ in get().events][-1] == "run"


def test_a_link_to_no_run_a_server_without_runs_and_a_wrong_version_are_answered_in_a_sentence() -> None:
    assert (get().status, get().json["error"][:24]) == (503, "No page of this server h")
    live.offer(Moments(life()))
    missing = get("/live/another")
    assert missing.status == 404
    assert "There is no run 'another'" in missing.json["error"]
    assert RUN not in missing.body.decode()
    assert get(query="since=-1").status == 400
    assert get(query="since=" + "9" * 4000).status == 400
    assert get(last_event_id="x").status == 400


def test_nothing_is_listed() -> None:
    live.offer(Moments(life()))
    for path in ("/live", "/live/"):
        assert get(path).status == 404


def test_a_run_that_cannot_be_read_any_longer_ends_its_stream_with_the_reason() -> None:
    class Gone(Moments):
        def snapshot(self, run_id: str, /) -> RunSnapshot:
            if self.looks > 3:
                raise StoreError("The disk is away.")
            return super().snapshot(run_id)

    live.offer(Gone(life()))
    assert get().events[-1] == ("end", "", {"error": "The disk is away."})


def test_routes_are_below_the_path_that_the_app_is_served_under() -> None:
    live.offer(Moments(life()[-1:]))
    assert anyio.run(lambda: ask(f"/class/decam{PATH}", base="/class/decam/")).status == 200
    assert anyio.run(lambda: ask(PATH, base="/class/decam/")).status == 404


def test_streams_are_open_while_the_server_runs_and_no_longer() -> None:
    async def serve() -> list[bool]:
        seen = [live.streams()]
        async with lifespan(lambda: None)(None):
            seen.append(live.streams())
        return [*seen, live.streams()]

    assert anyio.run(serve) == [False, True, False]


def test_a_server_that_ends_while_something_is_made_ready_complains_of_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def prepare() -> None:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    with pytest.raises(RuntimeError, match="cannot schedule"):
        server._made_ready(prepare)
    monkeypatch.setattr(server, "ending", lambda: True)
    server._made_ready(prepare)


def test_what_visits_need_is_made_ready_beside_the_serving() -> None:
    asked, told = threading.Event(), threading.Event()

    def prepare() -> None:
        assert asked.wait(30)
        told.set()

    async def serve() -> bool:
        async with lifespan(prepare)(None):
            ready = told.is_set()
            asked.set()
        return ready

    assert anyio.run(serve) is False, "nobody waits for it"
    assert told.wait(30)


@pytest.mark.slow
def test_a_real_run_is_watched_from_its_start_to_its_end(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path / "data"), colours)
    try:
        live.offer(runs)
        link = runs.start(a_plan(), views(2))
        answer = get(f"/live/{link}")
        final = runs.snapshot(link)
        assert final.status == "done"
        assert {key: each["cell"] for key, each in known(answer).items()} == as_drawn(final)
        assert answer.events[-1] == ("end", "", {"error": ""})
    finally:
        runs.close()
