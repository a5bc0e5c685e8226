"""How faithful the maps are: deletion and insertion of every method on a folder of images, paired by image.

The class asked about is the one predicted. Curves have 100 steps, in both fill settings: deletion by mean with
insertion from blur, and swapped. Differences are paired by image, after the mean over seeds, with bootstrap 95 %
intervals over images. Methods that do not depend on the seed run once. Then there are scenes with ground truth, on
which the embedded model is asked. ROAD and µFidelity are measured beside the curves: no method here searches by them.

A whole run takes hours on few cores. Every result is in the directory --out the moment it is there; the same call goes
on where it was stopped, and --table prints what is there already. Several processes may share a directory: each takes
images that no other is busy with. Results are known by the settings of their row: after a change of a method's code
that its settings do not show, name another directory. `--half develop` takes the first, third, … image in the order
of their names, `--half report` the others: choose settings on the one, report on the other.

    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --half report --out results
    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --half report --out results --table
    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --rows 'de-cam*' rise-4000 --seeds 1
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.paired import (
    SCENES,
    Result,
    agreement_table,
    aims_table,
    means_table,
    scenes_table,
    small,
    unsearched_table,
)
from benchmarks.rows import EQUAL, candidates, own_methods
from decam.benchmark.candidates import Candidate, selected
from decam.benchmark.datasets import ASKED_LATER, FIRST_SCENE, HALVES, Place, Subject, pictures
from decam.benchmark.local import compute
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.shards import Asked, grid_of, shards
from decam.benchmark.tables import origin
from decam.classifier import Classifier
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice, MetricChoice, usual_metrics
from decam.experiments.questions import ModelSpec
from decam.methods.de_cam.settings import DeCamSettings
from decam.models import EMBEDDED, load_classifier
from decam.runs.store import Store

STEPS = 100
FILLS = (("mean", "blur"), ("blur", "mean"))  # deletion by the first, insertion from the second; then swapped
COMPARED = ("de-cam-1000", "random-search-1000", "rise-1000", "rise-4000")  # whose seeds' maps are compared
UNSEARCHED = (MetricChoice.default("road"), MetricChoice.default("mu-fidelity"))
HIT = MetricChoice.default("pointing-game")
SCENE_METHOD = MethodChoice("de-cam", DeCamSettings(budget=500))


def parts(
    classifier: Classifier, subjects: Sequence[Subject], seeds: int, chosen: Sequence[Candidate], steps: int = STEPS
) -> Iterator[Grid]:
    """What is asked: the first seed of all pictures, then the next; rows without a seed with the first."""
    for seed in range(seeds):
        methods = [one.choice for one in chosen if one.seeded or seed == 0]
        if methods and subjects:
            yield from shards(grid_of(classifier, subjects, methods, (*usual_metrics(FILLS, steps), *UNSEARCHED), seed))


def scene_parts(classifier: Classifier, count: int) -> dict[str, list[Grid]]:
    """Scenes with one object, and one object of scenes with two, by their rows; all with the seed 0."""
    starts = zip(SCENES, (1, 2), (FIRST_SCENE, FIRST_SCENE + ASKED_LATER), strict=True)
    return {
        row: [
            grid_of(classifier, [Subject.of(classifier, Place(objects, number).source(0))], [SCENE_METHOD], [HIT])
            for number in range(start, start + count)
        ]
        for row, objects, start in starts
    }


def results(
    outcomes: Outcomes,
    model: str,
    chosen: Sequence[Candidate],
    pictures: Collection[str] = (),
    steps: int = STEPS,
    *,
    usual: Sequence[Candidate] = (),
) -> tuple[list[Result], int]:
    """The results of these pictures (of all, if none are named), and how many maps of other settings there are.

    What is `usual` is of no other settings, although it was not chosen.
    """
    keys = [choice.key for choice in usual_metrics(FILLS, steps)]
    labels = {one.choice: one.label for one in chosen}
    known = {one.choice for one in usual}
    about = ModelSpec.of(model)
    found, others = [], 0
    for outcome in outcomes:
        asked = outcome.asked
        if asked.model != about or asked.target is not None or (pictures and asked.sha256 not in pictures):
            continue
        label = labels.get(outcome.method)
        if label is None:
            others += outcome.method not in known
        elif all(key in outcome.values for key in keys):
            areas = [outcome.values[key] for key in keys]
            deletion, insertion, swapped_deletion, swapped_insertion = areas
            road, mu_fidelity = (outcome.values.get(choice.key, math.nan) for choice in UNSEARCHED)
            places = small(outcomes.saliency(outcome)) if label in COMPARED else None
            found.append(
                Result(
                    row=label,
                    picture=asked.sha256,
                    seed=asked.seed,
                    evaluations=outcome.evaluations,
                    deletion=deletion,
                    insertion=insertion,
                    swapped_deletion=swapped_deletion,
                    swapped_insertion=swapped_insertion,
                    road=road,
                    mu_fidelity=mu_fidelity,
                    places=places,
                )
            )
    return found, others


def hits(outcomes: Outcomes, scenes: dict[str, list[Grid]]) -> dict[str, list[bool]]:
    """Whether all of a map's brightest pixels lie on the object asked about, by the rows of the scenes."""
    found: dict[str, list[bool]] = {}
    for row, grids in scenes.items():
        there = [outcomes.get(Asked.by(grid.plan, 0), SCENE_METHOD) for grid in grids]
        found[row] = [one.values[HIT.key] == 1 for one in there if one is not None and HIT.key in one.values]
    return found


def say_tables(
    report: Report,
    outcomes: Outcomes,
    model: str,
    chosen: Sequence[Candidate],
    usual: Sequence[Candidate],
    pictures: Collection[str],
    scenes: dict[str, list[Grid]],
) -> None:
    """All tables, of the candidates that were chosen among the usual ones."""
    found, others = results(outcomes, model, chosen, pictures, usual=usual)
    report.say(f"{model}; curves of {STEPS} steps")
    for said in (
        means_table(found, [one.label for one in chosen]),
        aims_table(found),
        unsearched_table(found, [one.label for one in chosen]),
        agreement_table(found, COMPARED),
        scenes_table(hits(outcomes, scenes)),
    ):
        report.say(f"\n{said}")
    report.say(f"\n{origin(outcomes)}")
    if others:
        report.say(f"\n{others} results of other settings are left out.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing and print the tables."""
    parser = parser_of(__doc__, out="results")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="not needed with --table: all that is there")
    parser.add_argument("--half", choices=HALVES, default="all")
    parser.add_argument("--model", default="squeezenet1_0", help="one whose weights are here (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", default=["*"], metavar="NAME", help="names or patterns, such as 'de-cam*'")
    parser.add_argument("--budget", type=int, default=EQUAL, help="of rows that have one budget (%(default)s)")
    parser.add_argument("--scenes", type=int, default=100, help="of each kind; 0 for none (%(default)s)")
    asked = parser.parse_args(arguments)
    if asked.pictures is None and not asked.table:
        parser.error("--pictures is needed: a folder of images.")
    if asked.pictures is None and asked.half != "all":
        parser.error("--half is a half of the folder of images: name it with --pictures.")
    report = Report("Faithfulness", "benchmarks.faithfulness", __doc__, arguments)
    with own_methods(), closing(Store(asked.out)) as store:
        # The fastest way to ask is found by a trial, which tables do not need.
        names = dict.fromkeys((asked.model, EMBEDDED) if asked.scenes else (asked.model,))
        classifiers = {name: load_classifier(name, download=False, exact=asked.table) for name in names}
        classifier = classifiers[asked.model]
        rows = candidates(classifier, asked.budget)
        wanted = selected(rows, asked.rows)
        sources = pictures(asked.pictures, asked.half) if asked.pictures else []
        subjects = [Subject.of(classifier, source) for source in sources]
        scenes = scene_parts(classifiers[EMBEDDED], asked.scenes) if asked.scenes else {}
        if not asked.table:
            todo = [grid for grids in scenes.values() for grid in grids]
            compute(store, classifiers, [*todo, *parts(classifier, subjects, asked.seeds, wanted)])
        shown = {subject.choice.sha256 for subject in subjects}
        say_tables(report, Outcomes(store), classifier.name, wanted, rows, shown, scenes)
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
