"""What survives `kill -9`: a comparison and a randomisation check killed at random moments, resumed and compared.

A process of its own computes a run and says what its snapshots show as finished. It is killed at a random moment, the
data directory is opened anew, and everything that the process had shown must be there. Another process resumes the run,
and is killed in turn. What a run has in the end must be, bit for bit, what one has that nobody disturbed.

    .venv/bin/python -m benchmarks.kills --kills 20 --seed 3
    .venv/bin/python -m benchmarks.kills --url postgresql+psycopg://…
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image

from decam.benchmark.report import Report, parser_of
from decam.benchmark.text import table
from decam.classifier import Classifier, Pixels
from decam.errors import NoSuchRunError
from decam.experiments.kinds import comparison, randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.status import Status
from decam.images.scenes import scene
from decam.methods import get as get_method
from decam.models import load_classifier
from decam.runs.service import Runs, RunSnapshot
from decam.runs.store import Store

KINDS = ("comparison", "randomisation")
LOOK_SECONDS = 0.005
HEAD = (
    "run",
    "killed",
    "shown before a kill, median (most)",
    "shown and lost",
    "not called interrupted",
    "runs resumed to the end",
    "of these not as an undisturbed one",
)
Fact: TypeAlias = tuple[str, ...]
"""Something finished: a prediction, a map with its fingerprint, or a measurement with its value."""


@dataclass
class Outcome:
    """What was seen of one kind of run; `shown` counts the facts that each killed process had shown."""

    kind: str
    shown: list[int] = field(default_factory=list)
    lost: int = 0
    not_interrupted: int = 0
    finished: int = 0
    different: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, resume, compare; print what was seen, and return 1 where anything was lost or different."""
    parser = parser_of(__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many processes are killed (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="where the random moments begin (%(default)s)")
    parser.add_argument("--url", default="", help="the database, by default a SQLite file in the directory")
    asked = parser.parse_args(arguments)
    # The page names the kind of database alone: an address may hold a password.
    repeated = ["--kills", str(asked.kills), "--seed", str(asked.seed)]
    report = Report("Killed servers", "benchmarks.kills", __doc__ or "", repeated)
    report.say(f"Database: {asked.url.partition(':')[0] or 'sqlite'}\n")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_often(Path(folder), asked.kills, asked.seed, asked.url)
    report.say(outcome_table(outcomes))
    report.write(asked.write)
    return int(any(each.lost or each.not_interrupted or each.different for each in outcomes))


def kill_often(folder: Path, kills: int, seed: int = 0, url: str = "") -> list[Outcome]:
    """Kill processes at random moments, the two kinds of run in turn; every run is resumed to its end."""
    _begin()
    moments = random.Random(seed)
    outcomes = []
    for place, kind in enumerate(KINDS):
        outcome = Outcome(kind)
        undisturbed, seconds = _undisturbed(folder, url, kind)
        number, missing = 0, len(range(place, kills, len(KINDS)))
        while missing or number == 0:
            killed, same = _one_run(folder, url, outcome, f"{kind}-{number}", missing, moments, seconds, undisturbed)
            missing -= killed
            number += 1
            outcome.finished += 1
            outcome.different += not same
        outcomes.append(outcome)
    return outcomes


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in Markdown."""
    rows = []
    for each in outcomes:
        middle = f"{statistics.median(each.shown):g} ({max(each.shown)})" if each.shown else "–"
        counts = (each.lost, each.not_interrupted, each.finished, each.different)
        rows.append((each.kind, len(each.shown), middle, *counts))
    return table(HEAD, rows)


def _undisturbed(folder: Path, url: str, kind: str) -> tuple[set[Fact], float]:
    """All that a run has in the end, and how long it takes."""
    link = f"{kind}-undisturbed"
    began = time.monotonic()
    _Worker(folder, url, link, kind).wait()
    seconds = time.monotonic() - began
    run = _load(folder, url, link)
    if run is None or run.status is not Status.DONE:
        raise RuntimeError(f"The {kind} that nobody disturbed did not end: {run}")
    return _facts(run), seconds


def _one_run(
    folder: Path,
    url: str,
    outcome: Outcome,
    link: str,
    kills: int,
    moments: random.Random,
    seconds: float,
    undisturbed: set[Fact],
) -> tuple[int, bool]:
    """Kill the processes of one run until it has ended or enough have been killed; how many were, and if it is whole.

    What has been shown once must be there after every later kill too.
    """
    killed, shown = 0, set[Fact]()
    while killed < kills:
        worker = _Worker(folder, url, link, outcome.kind)
        if worker.kill_after(moments.uniform(0, seconds)):
            killed += 1
            outcome.shown.append(len(worker.shown))
        shown |= worker.shown
        run = _load(folder, url, link)
        outcome.lost += len(shown - (set() if run is None else _facts(run)))
        if run is not None and run.status is Status.DONE:
            break
        outcome.not_interrupted += run is not None and run.status is not Status.INTERRUPTED
    _Worker(folder, url, link, outcome.kind).wait()
    whole = _load(folder, url, link)
    return killed, whole is not None and whole.status is Status.DONE and _facts(whole) == undisturbed


def _context() -> ForkServerContext:
    """Processes that begin with everything imported, which would take longer than the run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["decam.runs.service", "decam.models.sources.bundled", "decam.export"])
    return context


def _begin() -> None:
    """Let the first process wait for the imports, so that no time is taken of them."""
    first = _context().Process(target=_model, args=("embedded", "cpu"))
    first.start()
    first.join()


class _Worker:
    """A process that starts or resumes a run, and what it has shown so far."""

    def __init__(self, folder: Path, url: str, link: str, kind: str) -> None:
        context = _context()
        self._ear, mouth = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(folder, url, link, kind, mouth))
        self._process.start()
        mouth.close()
        self.shown: set[Fact] = set()

    def kill_after(self, seconds: float) -> bool:
        """Kill it after a while, unless it ends before; True if it was killed."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._ear.poll(left) and not self._hear():
                break
        self._process.kill()
        while self._hear():
            pass
        self._process.join()
        return self._process.exitcode != 0

    def wait(self) -> None:
        """Let it end; raises RuntimeError where it fails."""
        while self._hear():
            pass
        self._process.join()
        if self._process.exitcode != 0:
            raise RuntimeError(f"A process that nobody killed ended with {self._process.exitcode}.")

    def _hear(self) -> bool:
        """Take in the next fact; False once there are no more."""
        try:
            self.shown.add(self._ear.recv())
        except EOFError:
            return False
        return True


def _work(folder: Path, url: str, link: str, kind: str, mouth: Connection) -> None:
    """Compute what a run is missing and say what its snapshots show."""
    torch.set_num_threads(1)
    runs = Runs(Store(folder, url), _model)
    plan, views = _request(kind)
    runs.shared_run(link, plan, views, asker="somebody")
    shown: set[Fact] = set()
    active = True
    while active:
        run = runs.snapshot(link)
        active = run.active
        for fact in sorted(_facts(run) - shown):
            mouth.send(fact)
            shown.add(fact)
        time.sleep(LOOK_SECONDS)
    runs.close()


def _model(name: str, device: str) -> Classifier:
    return load_classifier(name, device=device, exact=True)


def _request(kind: str) -> tuple[Plan, list[Pixels]]:
    """A plan of a few seconds, and its pictures."""
    classifier = _model("embedded", "cpu")
    views = [classifier.view(Image.fromarray(scene.scene(seed).image)) for seed in (3, 8)]
    if kind == "randomisation":
        methods = [_method("grad-cam"), _method("rise", budget=100)]
        return randomisation.plan(classifier, PictureChoice("a.png"), methods), views[:1]
    methods = [_method("grad-cam"), _method("rise", budget=100), _method("de-cam", budget=200)]
    pictures = [PictureChoice("a.png"), PictureChoice("b.png")]
    metrics = (*usual_metrics(steps=10), MetricChoice.default("sparsity"))
    return comparison.plan("embedded", "cpu", pictures, methods, metrics=metrics), views


def _method(name: str, **values: object) -> MethodChoice:
    return MethodChoice(name, get_method(name).settings.from_mapping(values))


def _load(folder: Path, url: str, link: str) -> RunSnapshot | None:
    """The run as it is on the disk, opened anew; None where it was killed before it was there."""
    store = Store(folder, url)
    try:
        return store.load(link)
    except NoSuchRunError:
        return None
    finally:
        store.close()


def _facts(run: RunSnapshot) -> set[Fact]:
    """All that is finished of a run."""
    facts: set[Fact] = {("run", run.id[: run.id.rindex("-")])}
    for question, guesses in enumerate(run.predictions):
        if guesses is not None:
            facts.add(("prediction", str(question), repr(guesses)))
    for key, cell in run.cells.items():
        place = (str(key.question), str(key.method))
        if cell.explanation is not None:
            saliency = np.ascontiguousarray(cell.explanation.saliency)
            facts.add(("map", *place, hashlib.sha256(saliency.tobytes()).hexdigest()))
        for choice, measurement in cell.measurements.items():
            facts.add(("measurement", *place, choice, repr(measurement.value)))
    return facts


if __name__ == "__main__":
    sys.exit(main())
