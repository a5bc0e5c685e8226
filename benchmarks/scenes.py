"""Whether metrics of faithfulness and ground truth agree: every method and every metric on scenes with known objects.

The embedded model is asked about the object of scenes with one, and about one object of scenes with two; the other
models of scenes are explained by the methods that were made for them. Every map is judged by every metric at its usual
settings, the truth being the visible pixels of the object asked about. Metrics that make each map again many times are
measured on the first `--remade` scenes of each kind, for all methods alike.

Tables: means with bootstrap 95 % intervals over scenes, then Spearman's correlation over the embedded model's methods
between each metric of faithfulness and each of localisation, once of the methods' means and once within each scene,
with and without the controls. Values are turned so that more is better, so +1 says that both rank alike.

A whole run takes hours on few cores; how many is said before it starts. Every result is written to --out the moment it
is there, the same call goes on where it was stopped, and --table prints what is there already. Several processes may
share a file: give them `--share 1/2` and `--share 2/2`, and other machines files of their own, put together by `cat`.

    .venv/bin/python -m benchmarks.scenes --out scenes.jsonl
    .venv/bin/python -m benchmarks.scenes --out scenes.jsonl --table
    .venv/bin/python -m benchmarks.scenes --scenes 5 --pairs 5 --remade 0 --methods 'de-cam*' rise --metrics '*drop' iou
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from benchmarks.faithfulness import Watch, duration
from benchmarks.forwards import bare
from benchmarks.machine import machine
from benchmarks.scene_file import Asked, Journal, Judged
from benchmarks.scene_rows import (
    Place,
    Row,
    all_rows,
    costly,
    few,
    key,
    known,
    metrics,
    models,
    places,
    selected,
)
from benchmarks.scene_tables import tables
from decam.classifier import TorchClassifier
from decam.experiments.evaluate import case_of
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, last
from decam.images.scenes.scene import Scene, scene
from decam.methods.controls.maps import RandomSettings
from decam.metrics import Case, Metric, Request, evaluate
from decam.models import load_classifier

TRIAL_BATCHES = 8


@dataclass(frozen=True)
class Portion:
    """Maps that one metric judges together, whose values are written at once."""

    metric: Metric
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Task:
    """What is missing of one question."""

    asked: Asked
    portions: tuple[Portion, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All whose maps it takes."""
        return tuple(dict.fromkeys(row for portion in self.portions for row in portion.rows))


@dataclass(frozen=True)
class Rates:
    """Seconds, found by a trial: for one evaluation, and for one map judged by each metric."""

    evaluation: float
    metrics: Mapping[str, float]

    def maps(self, rows: Sequence[Row], classifier: TorchClassifier) -> float:
        """Seconds for a map of each row, as far as they go into asking the model."""
        return self.evaluation * sum(row.cost(classifier) for row in rows)

    def portion(self, portion: Portion, classifier: TorchClassifier) -> float:
        """Seconds to judge a portion."""
        metric, settings, count = portion.metric, portion.metric.settings(), len(portion.rows)
        one, all_of_them = metric.evaluations(settings, 1), metric.evaluations(settings, count)
        own = self.metrics[metric.name] * (all_of_them / one if one else count)
        return own + metric.remakes(settings) * self.maps(portion.rows, classifier)


@dataclass(frozen=True)
class Plan:
    """What is wanted: scenes, fewer of them for the metrics that make maps again many times, methods and metrics."""

    places: tuple[Place, ...]
    few: tuple[Place, ...]
    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]


def tasks(plan: Plan, journal: Journal) -> Iterator[Task]:
    """What is not in the file yet: first what is cheap of all scenes, then what makes maps again many times."""
    for dear, where in ((False, plan.places), (True, plan.few)):
        wanted = [metric for metric in plan.metrics if costly(metric) == dear]
        for place in where:
            for model in dict.fromkeys(row.model for row in plan.rows):
                own = [row for row in plan.rows if row.model == model]
                portions = _portions(place.asked(model), own, wanted, journal)
                if portions:
                    yield Task(place.asked(model), portions)


def _portions(asked: Asked, rows: Sequence[Row], judges: Sequence[Metric], journal: Journal) -> tuple[Portion, ...]:
    """All maps together, for metrics share what they ask; those that are dear one by one, so that less can be lost."""
    found = []
    for metric in judges:
        missing = tuple(row for row in rows if key(asked, metric, row) not in journal)
        if costly(metric):
            found += [Portion(metric, (row,)) for row in missing]
        elif missing:
            found.append(Portion(metric, missing))
    return tuple(found)


class Subject:
    """One question with the maps that were made for it."""

    def __init__(self, classifier: TorchClassifier, asked: Asked) -> None:
        self._classifier, self._asked = classifier, asked
        self._drawn = drawn(asked)
        self._view = classifier.view(Image.fromarray(self._drawn.image))
        self._maps: dict[Row, Explanation] = {}
        self._cases: dict[tuple[Row, ...], Case] = {}

    def explain(self, row: Row) -> Explanation:
        """A row's map, made once; chance begins at the scene's number, or one random map would judge all scenes."""
        if row not in self._maps:
            target = self._drawn.labels[self._asked.which]
            steps = explain_view(self._classifier, self._view, row.method, row.settings, target, self._asked.number)
            self._maps[row] = last(steps)
        return self._maps[row]

    def judge(self, portion: Portion) -> Judged:
        """What a metric says of maps."""
        if portion.rows not in self._cases:
            maps = [self.explain(row) for row in portion.rows]
            truth = self._drawn.masks[self._asked.which]
            case = case_of(self._classifier, self._view, maps, truth, self._asked.number)
            self._cases[portion.rows] = case
        request = Request(portion.metric, portion.metric.settings())
        (found,) = last(evaluate(self._cases[portion.rows], [request]))
        names = tuple(row.known for row in portion.rows)
        return Judged(self._asked, known(portion.metric), names, tuple(one.value for one in found))


def drawn(asked: Asked) -> Scene:
    """The scene that a question is about."""
    return scene(asked.number, objects=asked.objects)


def trial(classifier: TorchClassifier, judges: Sequence[Metric]) -> Rates:
    """How fast this machine is now: some forward passes, and one random map judged by every metric."""
    rate = bare(classifier, classifier.execution, TRIAL_BATCHES)
    subject = Subject(classifier, Asked(classifier.name, 1, 0, 0))
    row = Row("random", classifier.name, "random", RandomSettings())
    seconds = {}
    for metric in judges:
        began = time.perf_counter()
        subject.judge(Portion(metric, (row,)))
        seconds[metric.name] = time.perf_counter() - began
    return Rates(1 / rate, seconds)


def run(classifiers: Mapping[str, TorchClassifier], plan: Plan, journal: Journal) -> None:
    """Do all that is missing, and keep each result as soon as it is there."""
    todo = list(tasks(plan, journal))
    asked = dict.fromkeys(task.asked.model for task in todo)
    rates = {model: trial(classifiers[model], plan.metrics) for model in asked}
    total = sum(_milliseconds(task, rates[task.asked.model], classifiers[task.asked.model]) for task in todo)
    print(f"{len(todo)} questions are left, about {duration(total / 1000)} of work", file=sys.stderr, flush=True)
    watch = Watch(total)
    for task in todo:
        _do(task, classifiers[task.asked.model], rates[task.asked.model], journal, watch)


def _do(task: Task, classifier: TorchClassifier, rates: Rates, journal: Journal, watch: Watch) -> None:
    """One task; what another process has done by now is left out."""
    subject = Subject(classifier, task.asked)
    where = f"{task.asked.model}, scene {task.asked.number}"
    for row in task.rows:
        subject.explain(row)
    watch.tell(f"{where}, {len(task.rows)} maps", _maps_milliseconds(task, rates, classifier))
    for portion in task.portions:
        journal.refresh()
        missing = tuple(row for row in portion.rows if key(task.asked, portion.metric, row) not in journal)
        if missing:
            journal.add(subject.judge(Portion(portion.metric, missing)))
        of = f"{len(portion.rows)} maps" if len(portion.rows) > 1 else portion.rows[0].name
        watch.tell(f"{where}, {portion.metric.name} of {of}", round(1000 * rates.portion(portion, classifier)))


def _maps_milliseconds(task: Task, rates: Rates, classifier: TorchClassifier) -> int:
    return round(1000 * rates.maps(task.rows, classifier))


def _milliseconds(task: Task, rates: Rates, classifier: TorchClassifier) -> int:
    judging = (round(1000 * rates.portion(portion, classifier)) for portion in task.portions)
    return _maps_milliseconds(task, rates, classifier) + sum(judging)


def exactly(model: str) -> TorchClassifier:
    """A model in float32 and one layout, so that machines differ in speed alone; channels last is the faster one."""
    classifier = load_classifier(model, exact=True)
    classifier.configure(replace(classifier.execution, channels_last=True))
    return classifier


def share(text: str) -> tuple[int, int]:
    """Which part of how many: '1/2' is the first half; raises ValueError for anything else."""
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise ValueError(f"{text!r} is no share: give the first or second half, say, as 1/2 or 2/2.")
    return int(part), int(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100, help="with one object (%(default)s)")
    parser.add_argument("--pairs", type=int, default=100, help="with two objects (%(default)s)")
    parser.add_argument(
        "--remade", type=int, default=10, help="of each, for metrics that make maps again (%(default)s)"
    )
    parser.add_argument("--methods", nargs="+", default=["*"], metavar="NAME", help="names or patterns: '*cam'")
    parser.add_argument("--metrics", nargs="+", default=["*"], metavar="NAME", help="names or patterns")
    parser.add_argument(
        "--share", type=share, default=(1, 1), metavar="PART/PARTS", help="do only this share: 1/2, 2/2"
    )
    parser.add_argument("--out", type=Path, default=Path("scenes.jsonl"), help="%(default)s")
    parser.add_argument("--table", action="store_true", help="only print the tables from what is there")
    asked = parser.parse_args(arguments)
    journal = Journal(asked.out)
    classifiers = {name: exactly(name) for name in models()}
    rows, judges = selected(all_rows(classifiers), asked.methods), metrics(asked.metrics)
    chosen = places(asked.scenes, asked.pairs)
    if not chosen:
        parser.error("There is no scene to ask about: --scenes or --pairs must be at least 1.")
    if not asked.table:
        print(machine(), file=sys.stderr)
        part, parts = asked.share
        once, often = (
            tuple(place for place in where if place.number % parts == part - 1)
            for where in (chosen, few(chosen, asked.remade))
        )
        run(classifiers, Plan(once, often, rows, judges), journal)
        journal.refresh()
    print(f"{machine()}\n\n{tables(journal, chosen, rows, judges)}")


if __name__ == "__main__":
    main()
