"""Parts of a benchmark computed one after another into a store, by as many processes as like."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime

from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked, link_of
from decam.classifier import Classifier
from decam.durations import duration
from decam.errors import NoSuchRunError, RunTakenError
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Explained, Failed, Measured, Progressed
from decam.experiments.execute import Models, execute
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice, MetricChoice, Plan
from decam.experiments.status import Status
from decam.experiments.variants import models_by
from decam.methods import described
from decam.metrics import get as get_metric
from decam.runs.recorder import Recorder
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot
from decam.runs.store import Store

POLL_SECONDS = 0.5
TELLING = 0.01  # share of the work after which its pace says how long the rest will take


class Watch:
    """Says on stderr how far the work is and how long the rest will take, both counted in evaluations."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._skipped, self._began = total, 0, 0, time.perf_counter()

    def tell(self, what: str, cost: int) -> None:
        """Count so many evaluations as done."""
        self._done += cost
        rest = max(0, self._total - self._done - self._skipped)
        seconds = (time.perf_counter() - self._began) * rest / max(1, self._done)
        share = 1 - rest / max(1, self._total)
        left = f", {duration(seconds)} left" if self._done >= TELLING * self._total else ""
        print(f"{share:6.1%}{left}: {what}", file=sys.stderr, flush=True)

    def skip(self, cost: int) -> None:
        """Count so many evaluations as nobody's here: they were done before, or by another process."""
        self._skipped += cost


def map_cost(method: MethodChoice, classifier: Classifier) -> int:
    """Evaluations for one map."""
    return described(method.name).cost(method.settings, classifier)


def metric_cost(metric: MetricChoice, methods: Sequence[MethodChoice], classifier: Classifier) -> int:
    """Evaluations to measure the maps of one question by these methods; maps that it makes again included."""
    row = get_metric(metric.name)
    again = row.remakes(metric.settings) * sum(map_cost(method, classifier) for method in methods)
    return row.cost(metric.settings, len(methods)) + again


def cost_of(plan: Plan, classifier: Classifier) -> int:
    """Evaluations for a plan of one model, in which nothing is done yet."""
    maps = sum(map_cost(method, classifier) for method in plan.methods)
    measured = sum(metric_cost(metric, plan.methods, classifier) for metric in plan.metrics)
    return len(plan.questions) * (maps + measured)


class LocalRun:
    """Computes parts of a benchmark in this process, each event on disk before the next is asked for.

    Each part is a run with a link made from its plan. Several processes may work on one store: a part that another
    living process computes is left to it, and taken over where that process dies. Maps and measurements that any
    run of the store holds already are copied instead of computed.
    """

    def __init__(self, store: Store, models: Models) -> None:
        self._store = store
        self._recorder = Recorder(store)
        self._models = models
        self._outcomes = Outcomes(store)

    def run(self, shards: Sequence[Grid]) -> tuple[str, ...]:
        """Compute what is missing of all parts, and wait for those that others compute; a sentence for each failure.

        A part that ended with a failure in an earlier call is tried once more. Raises StoreError where the disk
        refuses, and what `execute` raises; what is finished by then is kept.
        """
        watch = Watch(sum(self._cost(shard.plan) for shard in shards))
        failures: list[str] = []
        left = list(shards)
        while left:
            left = [shard for shard in left if not self._settled(shard, watch, failures)]
            if left:
                time.sleep(POLL_SECONDS)
        return tuple(failures)

    def _cost(self, plan: Plan) -> int:
        return cost_of(plan, self._models(plan.questions[0].model))

    def _settled(self, shard: Grid, watch: Watch, failures: list[str]) -> bool:
        """Compute a part unless that is done; False where another process is about to."""
        link = link_of(shard.plan)
        try:
            status = self._store.version(link)[1]
        except NoSuchRunError:
            status = None
        if status is Status.DONE:
            watch.skip(self._cost(shard.plan))
            return True
        if status is not None and status.active:
            return False
        try:
            grid = self._begun(link, shard) if status is None else self._claimed(link)
        except RunTakenError:
            return False
        failures += self._computed(link, grid, watch)
        return True

    def _begun(self, link: str, shard: Grid) -> Grid:
        run = RunSnapshot(link, datetime.now(UTC), Status.RUNNING, shard, owner=SYSTEM_OWNER)
        self._store.add(run)
        return shard

    def _claimed(self, link: str) -> Grid:
        self._store.claim(link)
        return self._store.load(link).grid.waiting(maps=True)

    def _computed(self, link: str, grid: Grid, watch: Watch) -> list[str]:
        """Compute what is missing of a part that is this process's own; a sentence for each failure."""
        status, failures = Status.STOPPED, list[str]()
        classifier = self._models(grid.plan.questions[0].model)
        before = self._cost(grid.plan)
        try:
            plan = dataclasses.replace(grid.plan, execution=classifier.execution)
            self._store.begin(link, plan, classifier.labels)
            grid = dataclasses.replace(grid, plan=plan, labels=tuple(classifier.labels))
            for event in self._copied(link, grid):
                grid = self._record(link, grid, event)
            watch.skip(before - _missing(grid, classifier))
            with closing(execute(grid, self._models)) as events:
                for event in events:
                    if not isinstance(event, Progressed):  # without it no frames are kept: maps stay small
                        grid = self._record(link, grid, event)
                        failures += _failures(event, plan)
                        _tell(event, plan, classifier, watch)
            status = Status.FAILED if failures else Status.DONE
        finally:
            self._store.save_status(link, status, failures[0] if failures else "")
        return failures

    def _record(self, link: str, grid: Grid, event: Event) -> Grid:
        grid = grid.after(event)
        self._recorder.record(link, event, grid)
        return grid

    def _copied(self, link: str, grid: Grid) -> Iterator[Event]:
        """What other runs of the store hold of the missing cells, as the events that would have made it."""
        self._outcomes.refresh()
        for key, cell in sorted(grid.cells.items()):
            wanted = grid.plan.metric_keys(key.question)
            outcome = self._outcomes.get(Asked.by(grid.plan, key.question), grid.plan.methods[key.method])
            if outcome is None or cell.answers(wanted):
                continue
            explained = cell.explanation is not None
            for other, place in outcome.places:
                if other == link:
                    continue
                source = self._store.cell(other, place)
                if source.explanation is None:  # its file is damaged
                    continue
                if not explained:
                    yield Explained(key, source.explanation)
                    explained = True
                for choice, measurement in source.measurements.items():
                    if choice in wanted and choice not in cell.measurements and not measurement.failed:
                        yield Measured(choice, {key: measurement})


def compute(store: Store, classifiers: Mapping[str, Classifier], shards: Sequence[Grid]) -> tuple[str, ...]:
    """What `LocalRun.run` does, with models by their names; failures are also said on stderr."""
    failures = LocalRun(store, models_by(classifiers.__getitem__)).run(shards)
    for sentence in failures:
        print(f"Failed: {sentence}", file=sys.stderr)
    return failures


def _missing(grid: Grid, classifier: Classifier) -> int:
    """Evaluations that a grid of one model still takes."""
    plan, total = grid.plan, 0
    for question in range(len(plan.questions)):
        cells = {choice: grid.cells[CellKey(question, place)] for place, choice in enumerate(plan.methods)}
        total += sum(map_cost(choice, classifier) for choice, cell in cells.items() if cell.explanation is None)
        for metric in plan.metrics_for(question):
            lacking = [choice for choice, cell in cells.items() if metric.key not in cell.measurements]
            if lacking:
                total += metric_cost(metric, lacking, classifier)
    return total


def _failures(event: Event, plan: Plan) -> list[str]:
    """What an event says went wrong."""
    found: Mapping[CellKey, str] = {}
    if isinstance(event, Failed):
        found = {event.cell: event.sentence}
    elif isinstance(event, Measured):
        found = {key: one.note for key, one in event.measurements.items() if one.failed}
    return [
        f"{plan.subject_of(key.question)}, {plan.methods[key.method].name}: {sentence}"
        for key, sentence in found.items()
    ]


def _tell(event: Event, plan: Plan, classifier: Classifier, watch: Watch) -> None:
    if isinstance(event, Explained | Failed):
        choice = plan.methods[event.cell.method]
        how = "failed" if isinstance(event, Failed) else "made"
        watch.tell(f"{_where(plan, event.cell.question)}, {choice.name} {how}", map_cost(choice, classifier))
    elif isinstance(event, Measured):
        metric = next(choice for choice in plan.metrics if choice.key == event.metric)
        methods = [plan.methods[key.method] for key in event.measurements]
        of = f"{len(methods)} maps" if len(methods) > 1 else methods[0].name
        where = _where(plan, next(iter(event.measurements)).question)
        watch.tell(f"{where}, {metric.name} of {of}", metric_cost(metric, methods, classifier))


def _where(plan: Plan, question: int) -> str:
    spec = plan.questions[question]
    return f"{spec.model.name}, {plan.subject_of(question)}, seed {spec.seed}"
