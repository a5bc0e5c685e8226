"""Work that is no run is followed as cells of one feed: what changed, once, and an end when all have ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from decam.experiments.status import Status
from decam.explanation import Progress
from decam.export import live
from decam.export.standing import STATUS, Standing, awaiting
from decam.web import live as route
from tests.web.watched import Answer, Moments, ask, life


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (live, route):
        monkeypatch.setattr(module, "PACE", 0.0)
    yield
    live.offer(None)


def cells(news: live.News) -> dict[str, Any]:
    return {each["cell"]["row"]: each["cell"] for each in map(json.loads, news.cells)}


def test_a_line_on_work_says_whether_it_waits_or_how_far_it_has_come() -> None:
    waiting, running = awaiting(2, None), awaiting(0, Progress(3, 4, 60))
    assert waiting == Standing(STATUS[Status.QUEUED].icon, "Waiting", ("2 jobs ahead",), 0.0)
    assert (running.title, running.facts, running.share) == ("Running", ("60 evaluations",), 0.75)
    assert awaiting(0, Progress(9, 4, 0)).share == 1.0
    assert awaiting(0, Progress(1, 0, 0)).share == 0.0


def test_only_what_changed_is_sent_and_an_ended_piece_is_not_asked_for_again() -> None:
    standings: dict[str, Standing | None] = {"one": awaiting(1, None), "two": awaiting(2, None)}
    looks: list[str] = []

    def look(name: str) -> Standing | None:
        looks.append(name)
        return standings[name]

    feed = live.WorkFeed(look)
    for name in standings:
        feed.follow(name)
    first = feed.news(0, True)
    assert {name: cell["state"] for name, cell in cells(first).items()} == {"one": "running", "two": "running"}
    assert feed.news(first.version).cells == ()
    standings["one"] = None
    second = feed.news(first.version)
    assert cells(second) == {"one": {"row": "one", "column": "", "state": "ended"}}
    assert second.version > first.version and not second.ended
    looks.clear()
    standings["two"] = None
    assert feed.news(second.version).ended
    assert looks == ["two"]
    assert cells(feed.news()).keys() == {"one", "two"}, "whoever comes late hears of both"


def test_the_route_streams_work_to_its_end_and_tells_it_to_whoever_comes_later() -> None:
    live.offer(Moments(life()))
    feeds = live.feeds()
    assert feeds is not None
    left = [awaiting(1, None), awaiting(0, Progress(1, 2, 10))]
    feeds.work("works-secret", lambda _: left.pop(0) if left else None).follow("job")
    answer: Answer = anyio.run(lambda: ask("/live/works-secret"))
    stands = [value["cell"] for name, _, value in answer.events if name == "cell"]
    assert [cell.get("title") for cell in stands] == ["Waiting", "Running", None]
    assert stands[-1]["state"] == "ended"
    assert answer.events[-1][0] == "end"
    later: Answer = anyio.run(lambda: ask("/live/works-secret"))  # drawn before the end, connected after it
    assert later.status == 200
    assert [value["cell"]["state"] for name, _, value in later.events if name == "cell"] == ["ended"]
    assert later.events[-1][0] == "end"
    assert anyio.run(lambda: ask("/live/works-unknown")).status == 404
