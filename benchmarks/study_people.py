"""People of `benchmarks.study_load` and `benchmarks.study_kills`: a study, and threads that take it as browsers do.

Each answer has an id of its own and is posted until the server acknowledges it, the same id again after whatever went
wrong. Who has finished makes room for somebody new. What was acknowledged is then looked for in the database.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import random
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from decam.errors import DecamError
from decam.images.scenes import scene
from decam.studies import blocks, frozen, tasks
from decam.studies.assignment import Assignment
from decam.studies.design import Block, Condition, Entrance, FrozenMap, Stage, Stimulus, Study, TaskChoice
from decam.studies.responses import Lane, StudyRecord, StudyStore
from tests.tools import postgresql

CHOICE = "forced-choice"
SIZE = 224
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.5  # before an answer is posted again


class TakingPartError(DecamError):
    """A server that refuses what it must not refuse."""


@contextlib.contextmanager
def database_at(named: str) -> Iterator[str]:
    """The URL of a database: of "sqlite" (empty: a file in the directory), of a server of its own, or as given."""
    if named == "sqlite":
        yield ""
    elif named == "postgresql":
        programs = postgresql.find()
        if programs is None:
            raise TakingPartError("There is no PostgreSQL here; install it (Debian: apt-get install postgresql).")
        server = postgresql.PostgreSQL(programs)
        try:
            yield server.start().make_database()
        finally:
            server.stop()
    else:
        yield named


def open_study(directory: Path, url: str, stimuli: int = 24) -> StudyRecord:
    """A live study of forced choices between maps that were drawn by chance, with its pictures."""
    store = StudyStore(directory, url)
    try:
        pictures = _pictures(stimuli)
        record = store.add(_study(stimuli, {key: frozen.digest_of(content) for key, content in pictures.items()}))
        for content in pictures.values():
            frozen.keep(store.folder(record.id), content, frozen.PICTURE)
        store.set_stage(record.id, Stage.PILOT)
        return store.set_stage(record.id, Stage.LIVE)
    finally:
        store.close()


def _pictures(stimuli: int) -> dict[tuple[int, str], bytes]:
    """A scene, and two maps of noise, by the stimulus and the condition."""
    pictures = {}
    for number in range(stimuli):
        shown = np.asarray(Image.fromarray(scene.scene(number).image).resize((SIZE, SIZE)))
        pictures[number, ""] = _png(shown)
        rng = np.random.default_rng(number)
        for condition in "ab":
            noise = np.kron(rng.integers(0, 255, (14, 14), dtype=np.uint8), np.ones((16, 16), dtype=np.uint8))
            pictures[number, condition] = _png(shown // 2 + noise[..., None] // 2)
    return pictures


def _png(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _study(stimuli: int, names: Mapping[tuple[int, str], str]) -> Study:
    conditions = tuple(Condition(key, f"Noise {key}", letter=key.upper()) for key in "ab")
    return Study(
        "A study under load",
        conditions=conditions,
        stimuli=tuple(
            Stimulus(
                f"s{number}", f"scene-{number}", names[number, ""], SIZE, SIZE, "embedded", 0, "star",
                (("star", 0.9),), tuple(FrozenMap(key, 0, "star", names[number, key], "0" * 64) for key in "ab"),
            )
            for number in range(stimuli)
        ),
        blocks=(
            Block("consent", blocks.get("consent").settings.from_mapping({"text": "Answers are kept."})),
            Block("trials", blocks.get("trials").settings(), task=TaskChoice(CHOICE, tasks.get(CHOICE).settings())),
            Block("debriefing", blocks.get("debriefing").settings()),
        ),
        assignment=Assignment(),
        entrance=Entrance(completed="DONE"),
    )  # fmt: skip


@dataclass
class Seen:
    """What the people of one benchmark saw; `acknowledged` has the values by participant, step, attempt and id."""

    sent: int = 0
    tries: int = 0
    acknowledged: dict[tuple[str, str, int, str], Mapping[str, Any]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    completed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Verdict:
    """What the database holds of what was acknowledged."""

    sent: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    refused: int

    @property
    def sound(self) -> bool:
        """True where nothing was lost, doubled or refused, and something was answered."""
        return not (self.lost or self.doubled or self.refused) and self.acknowledged > 0


class Crowd:
    """So many people at once at the link of a study, until `stop`; a lost server is tried again and again."""

    def __init__(self, port: int, link: str, people: int, pace: float, pictures: bool = True, seed: int = 0) -> None:
        self.seen = Seen()
        self._port, self._link, self._pace, self._with_pictures = port, link, pace, pictures
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._person, args=(random.Random(seed * 100_003 + number), number), daemon=True)
            for number in range(people)
        ]

    def start(self) -> None:
        """Let everybody in, spread over one pace so that they do not answer in step."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody finish the answer at hand and wait for them."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _person(self, chance: random.Random, number: int) -> None:
        browser = _Browser(self._port)
        self._ending.wait(chance.uniform(0, self._pace))
        turn = 0
        while not self._ending.is_set():
            try:
                self._take_part(browser, chance, f"p{number}-{turn}")
            except TakingPartError as error:
                with self.seen.lock:
                    self.seen.refused.append(str(error))
                return
            turn += 1
        browser.close()

    def _take_part(self, browser: _Browser, chance: random.Random, identity: str) -> None:
        """One participant from coming in to the end, or until it is time to stop."""
        asked = {"parameters": {"PROLIFIC_PID": identity}, "device": {"width": 1280, "height": 720}, "code": ""}
        visit = self._insist(browser, "enter", asked)
        if visit is None:
            return
        position, outcome = visit["position"], visit["outcome"]
        while outcome == "taking part" and not self._ending.is_set():
            step = visit["steps"][position]
            if self._with_pictures:
                self._look(browser, step)
            shown = time.time()
            self._ending.wait(chance.uniform(0.5, 1.5) * self._pace)
            values = {one["name"]: chosen(one, chance) for one in step["elements"] if one.get("name")}
            spent = 1000 * (time.time() - shown)
            answer = {
                "id": str(uuid.UUID(int=chance.getrandbits(128))), "code": visit["code"], "step": step["id"],
                "attempt": 1, "values": values, "started": round(1000 * shown), "ended": round(1000 * shown + spent),
                "duration": spent, "blurred": 0, "events": [],
            }  # fmt: skip
            with self.seen.lock:
                self.seen.sent += 1
            reply = self._insist(browser, "answers", answer)
            if reply is None:
                return
            with self.seen.lock:
                self.seen.acknowledged[visit["code"], step["id"], 1, answer["id"]] = values
            position, outcome = reply["position"], reply["outcome"]
        with self.seen.lock:
            self.seen.completed += outcome == "completed"

    def _look(self, browser: _Browser, step: Mapping[str, Any]) -> None:
        """Load the pictures of a screen."""
        for digest in sorted(set(digests(step))):
            began = time.perf_counter()
            with contextlib.suppress(OSError, http.client.HTTPException):  # the server is gone: a page shows it later
                status, _ = browser.ask("GET", f"/study/{self._link}/images/{digest}.png")
                if status == 200:
                    with self.seen.lock:
                        self.seen.pictures.append(time.perf_counter() - began)

    def _insist(self, browser: _Browser, what: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Post until the server answers; None where it does not before long after the end."""
        patience = 0.0
        while True:
            began = time.perf_counter()
            with self.seen.lock:
                self.seen.tries += 1
            try:
                status, content = browser.ask("POST", f"/study/{self._link}/{what}", json.dumps(body))
            except (OSError, http.client.HTTPException):
                status, content = 0, b""  # nobody answers: the server is gone, or not there yet
            took = time.perf_counter() - began
            if status == 200:
                if what == "answers":
                    with self.seen.lock:
                        self.seen.seconds.append(took)
                answered: dict[str, Any] = json.loads(content)
                return answered
            if 400 <= status < 500:
                raise TakingPartError(f"{what} was refused with {status}: {content.decode(errors='replace')[:200]}")
            patience = patience + took + PAUSE_SECONDS if self._ending.is_set() else 0.0
            if patience > PATIENCE_SECONDS:
                return None
            time.sleep(PAUSE_SECONDS)


class _Browser:
    """One connection that stays open between requests, as browsers have it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, bytes]:
        """The status and content of an answer; raises OSError or HTTPException where there is none."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            self._connection.request(method, path, body or None, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def chosen(element: Mapping[str, Any], chance: random.Random) -> str:
    """An answer to a question of the study; everybody consents."""
    values = [option["value"] for option in element["options"]]
    return "yes" if element["name"] == "consent" else str(chance.choice(values))


def digests(shown: object) -> Iterator[str]:
    """The digests of all pictures in what a page is given."""
    if isinstance(shown, Mapping):
        if isinstance(shown.get("image"), str):
            yield shown["image"]
        for value in shown.values():
            yield from digests(value)
    elif isinstance(shown, Sequence) and not isinstance(shown, str):
        for value in shown:
            yield from digests(value)


def verdict(directory: Path, url: str, record: StudyRecord, seen: Seen) -> Verdict:
    """Look for everything that was acknowledged in the database, opened anew."""
    store = StudyStore(directory, url)
    try:
        answers = store.answers(record.id, Lane.LIVE)
        people = store.participants(record.id, Lane.LIVE)
    finally:
        store.close()
    kept = {(one.participant, one.step, one.attempt, one.id): dict(one.values) for one in answers}
    lost = sum(kept.get(key) != dict(values) for key, values in seen.acknowledged.items())
    screens = {(one.participant, one.step, one.attempt) for one in answers}
    doubled = len(answers) - len(screens) + len(people) - len({one.identity for one in people})
    return Verdict(seen.sent, len(seen.acknowledged), len(answers), lost, doubled, len(seen.refused))


def percentiles(seconds: Sequence[float]) -> tuple[str, str, str]:
    """The median, the 95th percentile and the most, in milliseconds; dashes without values."""
    if len(seconds) < 2:
        return ("–",) * 3
    marks = statistics.quantiles(seconds, n=20, method="inclusive")
    return tuple(f"{1000 * value:.0f}" for value in (marks[9], marks[18], max(seconds)))  # type: ignore[return-value]


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A directory that goes when it is no longer needed."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
