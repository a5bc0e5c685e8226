"""A small run at every moment of its life, something that gives them out, and a client that reads what is streamed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import anyio
import numpy as np
from starlette.applications import Starlette

from decam import web
from decam.classifier import Classifier, wrap
from decam.errors import NoSuchRunError
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Explained, Measured, Predicted, Progressed
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.status import CellState, Status
from decam.explanation import Explanation, Progress
from decam.methods import METHODS
from decam.metrics.base import Measurement
from decam.runs.snapshots import RunSnapshot
from decam.runs.state import RunState
from tests.tools.colours import LABELS, SIZE, brightness, views

RUN = "an-unguessable_link"
FIRST = "start"  # the name of the first page


def colours(_model: str = "colours", _device: str = "cpu") -> Classifier:
    return wrap(brightness, labels=LABELS, input_size=SIZE)


def a_plan(pictures: int = 2, budget: int = 260) -> Plan:
    """A search and two cheap methods, measured by deletion and insertion in four steps."""
    search = METHODS["de-cam"].settings.from_mapping({"budget": budget, "population": 6})
    methods = [MethodChoice("de-cam", search), *(MethodChoice.default(name) for name in ("random", "centre"))]
    named = [PictureChoice(f"{number}.png") for number in range(pictures)]
    return comparison.plan("colours", "cpu", named, methods, metrics=usual_metrics((("mean", "blur"),), steps=4))


def _explanation(name: str, question: int) -> Explanation:
    saliency = np.random.default_rng(question).normal(size=SIZE).astype(np.float32)
    choice = next(choice for choice in a_plan().methods if choice.name == name)
    label = ("red", "green", "blue")[question]
    return Explanation(
        name, saliency, question, label, 0.6, choice.settings, 0, 260, 1.5, ("A note.",), name == "random"
    )


def _search(key: CellKey) -> Iterator[Event]:
    """A map that grows over twelve events, ten of them generations."""
    for step in range(1, 13):
        dice = np.random.default_rng(100 * key.question + step)
        curves = {} if step < 3 else {"best": 0.01 * step, "mean": float("nan") if step == 5 else 0.005 * step}
        mask = dice.random((7, 7)).astype(np.float32) if step > 2 else None
        progress = Progress(step, 12, 20 * step, dice.normal(size=SIZE).astype(np.float32), mask, curves)
        yield Progressed(key, CellState.RUNNING, progress, 0.1 * step)


def _events() -> Iterator[Event]:
    plan = a_plan()
    for question in range(2):
        yield Predicted(question, np.roll(np.array([0.6, 0.3, 0.1], np.float32), question))
        for method in (1, 2, 0):
            key = CellKey(question, method)
            if method == 0:
                yield from _search(key)
            yield Explained(key, _explanation(plan.methods[method].name, question))
    for number, choice in enumerate(plan.metrics):
        for question in range(2):
            for step in range(3):
                yield Progressed(CellKey(question, 0), CellState.MEASURING, Progress(step, 3, 0), 0.1)
            for place, value in enumerate((0.1 + number, 0.2, float("nan"))):  # one by one: the best may change
                key = CellKey(question, place)
                yield Measured(choice.key, {key: Measurement(choice.name, value)})


@cache
def life() -> tuple[RunSnapshot, ...]:
    """The run after each of its events, from queued to done."""
    plan, pictures = a_plan(), views(2)
    state = RunState(RunSnapshot(RUN, datetime.now(UTC), Status.QUEUED, Grid.empty(plan, pictures)))
    moments = [state.snapshot(2)]
    state.begin(plan, ("red", "green", "blue"))
    moments.append(state.snapshot())
    for event in _events():
        state.apply(event)
        moments.append(state.snapshot())
    state.end(Status.DONE)
    return (*moments, state.snapshot())


@dataclass
class Moments:
    """Runs of which one is known: each look shows the next moment, and the last one for ever."""

    moments: Sequence[RunSnapshot]
    looks: int = 0

    def snapshot(self, run_id: str, /) -> RunSnapshot:
        if run_id != self.moments[0].id:
            raise NoSuchRunError(run_id)
        self.looks += 1
        return self.moments[min(self.looks, len(self.moments)) - 1]


@dataclass
class Answer:
    """What the server answered, and the events in it: name, id and value of each."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    taken: int = 0

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        found = []
        for block in self.body.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            if "event" in fields:
                found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
        return found

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    path: str,
    query: str = "",
    headers: dict[str, str] | None = None,
    enough: Callable[[Answer], bool] = lambda _: False,
    base: str = "",
    method: str = "GET",
    body: Sequence[bytes] = (b"",),
) -> Answer:
    """The answer to a GET, read to its end or until it is enough: then the client is gone.

    With another method, `body` is sent in parts; how many of them the server took is in `taken`.
    """
    answer, gone = Answer(), anyio.Event()
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        if answer.taken < len(body):
            answer.taken += 1
            return {"type": "http.request", "body": body[answer.taken - 1], "more_body": answer.taken < len(body)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")
            if enough(answer):
                gone.set()

    with anyio.fail_after(60):
        await Starlette(routes=web.routes(base, FIRST))(scope, receive, send)
    return answer


def merge(cells: dict[tuple[str, str], Any], event: Any) -> None:
    """Take a cell into what a client knows, as the browser does."""
    cell, search = event["cell"], event["search"]
    key = (cell["row"], cell["column"])
    if search is not None:
        before = cells[key]["search"]["points"] if key in cells and cells[key]["search"] else []
        assert search["from"] <= len(before), "points are missing in between"
        search = {**search, "from": 0, "points": before[: search["from"]] + search["points"]}
    cells[key] = {"cell": cell, "search": search}
