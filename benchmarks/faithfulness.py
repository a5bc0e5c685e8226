"""How faithful the maps are: deletion and insertion of every method on a folder of pictures, paired by picture.

The class asked about is the one predicted. Curves have 100 steps, in both fill settings: deletion by mean with
insertion from blur, and swapped. Differences are paired by picture, after the mean over seeds, with bootstrap 95 %
intervals over pictures. Methods that do not depend on the seed run once. Then there are scenes with ground truth, on
which the embedded model is asked.

A whole run takes hours on few cores. Every result is written to --out the moment it is there; the same call goes on
where it was stopped, and --table prints what is there already. Results are known by the settings of their row: after
a change of a method's code that its settings do not show, name another file. `--half develop` takes the first, third,
… picture in the order of their names, `--half report` the others: choose settings on the one, report on the other.

    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --half report --out results.jsonl
    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --half report --out results.jsonl --table
    .venv/bin/python -m benchmarks.faithfulness --pictures FOLDER --rows 'de-cam*' rise-4000 --seeds 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.forwards import words
from benchmarks.machine import machine
from benchmarks.paired import SCENES, agreement_table, aims_table, means_table, scenes_table
from benchmarks.results import Hit, Key, Result, Store, small
from benchmarks.rows import CURVES, FILLS, STEPS, Made, Row, all_rows, costs, make, selected
from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.experiments.evaluate import curves_view
from decam.experiments.explain import explain_view
from decam.experiments.plan import fingerprint
from decam.explanation import last
from decam.images.reading import read
from decam.images.scenes.scene import scene
from decam.methods.de_cam.method import DeCamSettings
from decam.metrics import FaithfulnessSettings
from decam.models import load_classifier

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
HALVES = ("all", "develop", "report")
COMPARED = ("de-cam-1000", "random-search-1000", "rise-1000", "rise-4000")  # whose maps are kept to compare seeds
FIRST_SCENE = 5_000_000  # far from the seeds that the embedded model was trained and tested on
ASKED_LATER = 1000  # scenes with two objects begin so much later


@dataclass(frozen=True)
class Subject:
    """A picture as the model sees it, and the class it is taken for."""

    name: str
    view: Pixels
    sha256: str
    target: int


@dataclass(frozen=True)
class Task:
    """The rows that a picture still lacks for a seed, and what each will cost with its curves."""

    subject: Subject
    seed: int
    rows: tuple[Row, ...]
    costs: tuple[int, ...]


class Watch:
    """Says on stderr how far the work is and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._began = total, 0, time.perf_counter()

    def tell(self, what: str, cost: int) -> None:
        """Count so many evaluations as done."""
        self._done += cost
        seconds = (time.perf_counter() - self._began) * (self._total - self._done) / max(1, self._done)
        share = self._done / max(1, self._total)
        print(f"{share:6.1%}, {duration(seconds)} left: {what}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A time in words: 2 h 05 min, 3 min 20 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {rest:02d} s"


def half(paths: Sequence[Path], which: str) -> list[Path]:
    """The paths in the order of their names: all, every second from the first (develop) or the others (report)."""
    ordered = sorted(paths, key=lambda path: path.name)
    return {"all": ordered, "develop": ordered[::2], "report": ordered[1::2]}[which]


def pictures(folder: Path, which: str) -> list[Path]:
    """A half of the picture files in a folder; raises ValueError where there are none."""
    found = half([path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES], which)
    if not found:
        raise ValueError(f"There are no pictures for {which!r} in {folder}: files ending in {', '.join(SUFFIXES)}.")
    return found


def subjects(classifier: Classifier, paths: Sequence[Path]) -> list[Subject]:
    """The pictures as the model sees them."""
    made = []
    for path in paths:
        view = classifier.view(read(path).image)
        target = int(probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))[0].argmax())
        made.append(Subject(path.name, view, fingerprint(view), target))
    return made


def key(classifier: Classifier, subject: Subject, seed: int, row: Row) -> Key:
    """What the result of a row is known by."""
    return Key(classifier.name, subject.sha256, seed, row.name, row.version)


def tasks(
    classifier: Classifier, chosen: Sequence[Subject], seeds: int, rows: Sequence[Row], store: Store
) -> Iterator[Task]:
    """What is not in the file yet: the first seed of all pictures, then the next; unseeded rows with the first."""
    for seed in range(seeds):
        for subject in chosen:
            missing = tuple(
                row for row in rows if (row.seeded or seed == 0) and key(classifier, subject, seed, row) not in store
            )
            if missing:
                yield Task(subject, seed, missing, tuple(cost + CURVES for cost in costs(missing, classifier)))


def measured(classifier: Classifier, task: Task, made: Made) -> Result:
    """The four curves of a map."""
    subject = task.subject

    def area(metric: str, filling: str) -> float:
        settings = FaithfulnessSettings(steps=STEPS, fill=filling)
        steps = curves_view(classifier, subject.view, [made.saliency], subject.target, metric, settings)
        (curve,) = last(steps)
        return curve.value

    usual, swapped = FILLS
    return Result(
        key=key(classifier, subject, task.seed, made.row),
        picture=subject.name,
        target=subject.target,
        evaluations=made.evaluations,
        deletion=area("deletion", usual[0]),
        insertion=area("insertion", usual[1]),
        swapped_deletion=area("deletion", swapped[0]),
        swapped_insertion=area("insertion", swapped[1]),
        places=small(made.saliency) if made.row.name in COMPARED else "",
    )


def run(classifier: Classifier, chosen: Sequence[Subject], seeds: int, rows: Sequence[Row], store: Store) -> None:
    """Do all that is missing, and keep each result as soon as it is there."""
    todo = list(tasks(classifier, chosen, seeds, rows, store))
    watch = Watch(sum(sum(task.costs) for task in todo))
    for task in todo:
        cost = dict(zip(task.rows, task.costs, strict=True))
        for made in make(classifier, task.subject.view, task.subject.target, task.seed, task.rows):
            store.add(measured(classifier, task, made))
            watch.tell(f"seed {task.seed}, {task.subject.name}, {made.row.name}", cost[made.row])


def scene_key(row: str, number: int) -> Key:
    """What a scene is known by."""
    return Key("embedded", f"scene {number}", 0, row, Row(row, "de-cam", DeCamSettings(budget=500)).version)


def run_scenes(count: int, store: Store) -> None:
    """Ask the embedded model about scenes with one object, and about one object of scenes with two."""
    todo = [
        (row, start + i)
        for row, start in zip(SCENES, (FIRST_SCENE, FIRST_SCENE + ASKED_LATER), strict=True)
        for i in range(count)
        if scene_key(row, start + i) not in store
    ]
    if not todo:
        return
    classifier = load_classifier("embedded")
    watch = Watch(len(todo))
    for row, number in todo:
        drawn = scene(number, objects=1 if row == "scene-object" else 2)
        which = number % len(drawn.labels)
        settings = DeCamSettings(budget=500)
        saliency = last(explain_view(classifier, drawn.image, "de-cam", settings, drawn.labels[which], 0)).saliency
        place = np.unravel_index(saliency.argmax(), saliency.shape)
        store.add(Hit(scene_key(row, number), bool(drawn.masks[which][place])))
        watch.tell(f"{row}, scene {number}", 1)


def tables(classifier: Classifier, store: Store, chosen: Sequence[Subject]) -> str:
    """All tables, from the results of these pictures (of all, if none are named)."""
    rows = all_rows(classifier)
    versions = {row.name: row.version for row in rows}
    wanted = {subject.sha256 for subject in chosen}
    own = [
        result
        for result in store.results()
        if result.key.model == classifier.name and (not wanted or result.key.sha256 in wanted)
    ]
    results = [result for result in own if versions.get(result.key.row) == result.key.version]
    known = {scene_key(row, 0).version for row in SCENES}
    hits = [hit for hit in store.hits() if hit.key.version in known]
    parts = [
        f"{machine()}\n{classifier.name}; curves of {STEPS} steps",
        means_table(results, [row.name for row in rows]),
        aims_table(results),
        agreement_table(results, COMPARED),
        scenes_table(hits),
    ]
    if len(own) > len(results):
        parts.append(f"{len(own) - len(results)} results of other settings are left out.")
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="not needed with --table: all that is there")
    parser.add_argument("--half", choices=HALVES, default="all")
    parser.add_argument("--model", default="squeezenet1_0", help="one whose weights are here (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", default=["*"], metavar="NAME", help="names or patterns, such as 'de-cam*'")
    parser.add_argument("--scenes", type=int, default=100, help="of each kind; 0 for none (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("results.jsonl"), help="%(default)s")
    parser.add_argument("--table", action="store_true", help="only print the tables from what is there")
    asked = parser.parse_args(arguments)
    if asked.pictures is None and not asked.table:
        parser.error("--pictures is needed: a folder of pictures.")
    store = Store(asked.out)
    # The fastest way to ask is found by a trial, which tables do not need.
    classifier = load_classifier(asked.model, download=False, exact=asked.table)
    rows = selected(all_rows(classifier), asked.rows)
    chosen = subjects(classifier, pictures(asked.pictures, asked.half)) if asked.pictures else []
    if not asked.table:
        print(f"{machine()}\n{classifier.name} asked in {words(classifier.execution)}", file=sys.stderr)
        run_scenes(asked.scenes, store)
        run(classifier, chosen, asked.seeds, rows, store)
    print(tables(classifier, store, chosen))


if __name__ == "__main__":
    main()
