"""Whether metrics of faithfulness and ground truth agree: every method and every metric on scenes with known objects.

The embedded model is asked about the object of scenes with one, and about one object of scenes with two; the other
models of scenes are explained by the methods that were made for them. Every map is measured by every metric at its
usual settings, the truth being the visible pixels of the object asked about. Metrics that make each map again many
times are measured on the first `--remade` scenes of each kind, for all methods alike.

Tables: means with bootstrap 95 % intervals over scenes, then Spearman's correlation over the embedded model's methods
between each metric of faithfulness and each of localisation, once of the methods' means and once within each scene,
with and without the controls. Values are turned so that more is better, so +1 says that both rank alike.

A whole run takes hours on few cores; how long is said while it runs. Every result is in the directory --out the moment
it is there, the same call goes on where it was stopped, and --table prints what is there already. Several processes
may share a directory: each takes scenes that no other is busy with.

    .venv/bin/python -m benchmarks.scenes --out scenes
    .venv/bin/python -m benchmarks.scenes --out scenes --table
    .venv/bin/python -m benchmarks.scenes --scenes 5 --pairs 5 --remade 0 --methods 'de-cam*' rise --metrics '*drop' iou
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from benchmarks.scene_rows import candidates, costly, metrics, models
from decam.benchmark.candidates import Candidate, selected
from decam.benchmark.datasets import Place, Subject, few, places
from decam.benchmark.local import compute
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.shards import Asked, grid_of, shards
from decam.benchmark.statistics import of_means, within
from decam.benchmark.tables import Scores, complete, correlation_table, means_table, origin, scores
from decam.classifier import Classifier, TorchClassifier
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.models import EMBEDDED, load_classifier
from decam.runs.store import Store


@dataclass(frozen=True)
class Wanted:
    """Scenes, fewer of them for the metrics that make maps again many times, candidates and metrics."""

    places: tuple[Place, ...]
    few: tuple[Place, ...]
    candidates: tuple[Candidate, ...]
    metrics: tuple[MetricChoice, ...]

    def of(self, model: str) -> tuple[Candidate, ...]:
        """The candidates of one model."""
        return tuple(one for one in self.candidates if one.model == model)


def parts(classifiers: Mapping[str, Classifier], wanted: Wanted) -> list[Grid]:
    """First what is cheap of all scenes, then, map by map, what makes maps again many times."""
    todo = []
    for dear, where in ((False, wanted.places), (True, wanted.few)):
        chosen = [metric for metric in wanted.metrics if costly(metric) == dear]
        if where and chosen:
            todo += _parts(classifiers, wanted, where, chosen, apart=dear)
    return todo


def _parts(
    classifiers: Mapping[str, Classifier],
    wanted: Wanted,
    where: Sequence[Place],
    chosen: Sequence[MetricChoice],
    *,
    apart: bool,
) -> list[Grid]:
    """The parts of all models, scene after scene."""
    by_model = []
    for model in dict.fromkeys(one.model for one in wanted.candidates):
        subjects = [Subject.of(classifiers[model], place.source()) for place in where]
        methods = [one.choice for one in wanted.of(model)]
        grids = shards(grid_of(classifiers[model], subjects, methods, chosen), apart=apart)
        count = len(grids) // len(subjects)
        by_model.append([grids[start : start + count] for start in range(0, len(grids), count)])
    return [grid for of_scene in zip(*by_model, strict=True) for grid in itertools.chain(*of_scene)]


def questions(classifiers: Mapping[str, Classifier], wanted: Wanted) -> list[list[Asked]]:
    """What each candidate is asked about each scene."""
    by_model = {}
    for model in dict.fromkeys(one.model for one in wanted.candidates):
        subjects = [Subject.of(classifiers[model], place.source()) for place in wanted.places]
        plan = grid_of(classifiers[model], subjects, [wanted.of(model)[0].choice], []).plan
        by_model[model] = [Asked.by(plan, place) for place in range(len(subjects))]
    return [[by_model[one.model][place] for one in wanted.candidates] for place in range(len(wanted.places))]


def tables(outcomes: Outcomes, asked: Sequence[Sequence[Asked]], wanted: Wanted) -> list[str]:
    """All tables, as Markdown, from what the store holds of this."""
    found = [scores(outcomes, asked, wanted.candidates, metric) for metric in wanted.metrics]
    said = []
    for family in dict.fromkeys(one.metric.family for one in found):
        own = [one for one in found if one.metric.family == family]
        if any(one.measured.any() for one in own):
            said += [f"{family.capitalize()}, mean [95 %]:", means_table(own, wanted.candidates)]
    embedded = [place for place, one in enumerate(wanted.candidates) if one.model == EMBEDDED]
    for title, columns in (
        ("all methods", embedded),
        ("the methods without the controls", [place for place in embedded if not wanted.candidates[place].control]),
    ):
        said += _correlations(found, title, columns)
    return said


def _correlations(found: Sequence[Scores], title: str, columns: Sequence[int]) -> list[str]:
    """How alike each metric of faithfulness and each of localisation rank the candidates in these columns."""
    kept = [replace(one, values=one.values[:, columns], measured=one.measured[:, columns]) for one in found]
    faithful, local = (
        [one for one in kept if one.metric.family == family] for family in ("faithfulness", "localisation")
    )
    if not faithful or not local:
        return []
    scenes, methods = complete(faithful[0], local[0])[0].shape
    extent = f"{methods} on {scenes} scenes; +1: both find the same methods better"
    said = []
    for what, measure in (("of the means over scenes", of_means), ("within a scene, mean over scenes", within)):
        said.append(f"Spearman [95 %] {what}, {title} of the embedded model ({extent}):")
        said.append(correlation_table(faithful, local, measure))
    return said


def exactly(model: str) -> TorchClassifier:
    """A model in float32 and one layout, so that machines differ in speed alone; channels last is the faster one."""
    classifier = load_classifier(model, exact=True)
    classifier.configure(replace(classifier.execution, channels_last=True))
    return classifier


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing and print the tables."""
    parser = parser_of(__doc__, out="scenes")
    parser.add_argument("--scenes", type=int, default=100, help="with one object (%(default)s)")
    parser.add_argument("--pairs", type=int, default=100, help="with two objects (%(default)s)")
    parser.add_argument(
        "--remade", type=int, default=10, help="of each, for metrics that make maps again (%(default)s)"
    )
    parser.add_argument("--methods", nargs="+", default=["*"], metavar="NAME", help="names or patterns: '*cam'")
    parser.add_argument("--metrics", nargs="+", default=["*"], metavar="NAME", help="names or patterns")
    asked = parser.parse_args(arguments)
    chosen = places(asked.scenes, asked.pairs)
    if not chosen:
        parser.error("There is no scene to ask about: --scenes or --pairs must be at least 1.")
    report = Report("Metrics and ground truth", "benchmarks.scenes", __doc__, arguments)
    classifiers = {name: exactly(name) for name in models()}
    rows = selected(candidates(classifiers), asked.methods)
    wanted = Wanted(chosen, few(chosen, asked.remade), rows, metrics(asked.metrics))
    with closing(Store(asked.out)) as store:
        if not asked.table:
            compute(store, classifiers, parts(classifiers, wanted))
        outcomes = Outcomes(store)
        for said in (*tables(outcomes, questions(classifiers, wanted), wanted), origin(outcomes)):
            report.say(f"\n{said}")
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
