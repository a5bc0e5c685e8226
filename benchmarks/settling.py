"""Whether a map that had settled stays as it is: DE-CAM's early ends beside longer runs and other seeds.

Each image is searched with several seeds, and each search ends once its map has settled. Its map is then compared,
by Spearman's rank correlation at 28×28 places, with three others. One search has twice the evaluations, and one the
whole budget; both have the same seed and never end early. The third is that of the next seed, which ended early too.
Searches that did not settle are counted and compared with the next seed alone.

The standard error of a place's rank, as the map says it, stands beside the one between seeds: the sample standard
deviation of the rank over seeds. Both are means over the places. Of two seeds that deviation is on average 0.80 times
the standard error. Intervals are 95 % bootstrap intervals of the median over images, after the mean over an image's
seeds.

    .venv/bin/python -m benchmarks.settling
    .venv/bin/python -m benchmarks.settling --pictures FOLDER --half report --count 6 --model squeezenet1_0
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from decam.benchmark.datasets import HALVES, Source, Subject, pictures
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import execution, head, row, table
from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, Map, last
from decam.images.samples import SAMPLES, Sample
from decam.intervals import percentiles
from decam.methods.de_cam.method import DE_CAM
from decam.methods.de_cam.settings import AUTO_BUDGET, AUTO_SETTLED, DeCamSettings
from decam.methods.de_cam.settling import coarse
from decam.metrics.similarity import ranks, spearman
from decam.models import EMBEDDED, load_classifier

RESAMPLES = 10_000
TITLES = (
    "picture",
    "seed",
    "evaluations",
    "settled",
    "with 2 × as many",
    "with the whole budget",
    "with the next seed",
)


@dataclass(frozen=True)
class Search:
    """A search that was to settle: where it ended, its map at 28×28 places, and how alike longer runs' maps are.

    `error` is the mean standard error of its ranks as the map says it, a share of all places. `twice` and `whole` are
    rank correlations with longer runs' maps, NaN where the search did not settle.
    """

    evaluations: int
    settled: bool
    places: Map
    error: float
    twice: float = math.nan
    whole: float = math.nan


@dataclass(frozen=True)
class Found:
    """The searches of one picture, one a seed."""

    searches: tuple[Search, ...]

    def next_seed(self, place: int) -> float:
        """The rank correlation of a seed's map with that of the next one, the first following the last."""
        if len(self.searches) < 2:
            return math.nan
        return spearman(self.searches[place].places, self.searches[(place + 1) % len(self.searches)].places)

    @property
    def between_seeds(self) -> float:
        """The sample standard deviation of a place's rank over seeds, a share of all places, mean over the places."""
        placed = np.stack([ranks(search.places) / search.places.size for search in self.searches])
        return float(placed.std(axis=0, ddof=1).mean()) if len(placed) > 1 else math.nan


def explained(classifier: Classifier, subject: Subject, settings: DeCamSettings, seed: int) -> Explanation:
    """The finished map of a picture's predicted class."""
    return last(explain_view(classifier, subject.view, DE_CAM.name, settings, subject.target, seed))


def searched(classifier: Classifier, subject: Subject, settings: DeCamSettings, seed: int) -> Search:
    """One search that was to settle and, where it did, the longer runs."""
    made = explained(classifier, subject, settings, seed)
    places = coarse(made.saliency)
    error = math.nan if made.rank_errors is None else float(made.rank_errors.mean())
    search = Search(made.evaluations, made.evaluations < DE_CAM.cost(settings, classifier), places, error)
    if not search.settled:
        return search
    twice, whole = (
        spearman(places, coarse(explained(classifier, subject, DeCamSettings(budget=budget), seed).saliency))
        for budget in (2 * made.evaluations, settings.budget)
    )
    return Search(search.evaluations, True, places, error, twice, whole)


def say_rows(report: Report, number: int, found: Found) -> None:
    """A picture's rows, one a seed."""
    for seed, search in enumerate(found.searches):
        alike = (search.twice, search.whole, found.next_seed(seed))
        settled = "yes" if search.settled else "no"
        report.say(row((number, seed, f"{search.evaluations:,}", settled, *map(partial(_number, form=".3f"), alike))))


def summary(pictures_found: Sequence[Found]) -> str:
    """Medians over pictures with their intervals."""
    searches = [search for found in pictures_found for search in found.searches]
    lines = [("searches that settled", f"{sum(search.settled for search in searches)} of {len(searches)}")]
    by_picture: dict[str, tuple[Iterable[list[float]], str]] = {
        "evaluations": ([[s.evaluations for s in found.searches] for found in pictures_found], ",.0f"),
        "with 2 × as many": ([[s.twice for s in found.searches] for found in pictures_found], ".3f"),
        "with the whole budget": ([[s.whole for s in found.searches] for found in pictures_found], ".3f"),
        "with the next seed": (
            [[found.next_seed(place) for place in range(len(found.searches))] for found in pictures_found],
            ".3f",
        ),
        "standard error of a rank, as the map says": (
            [[s.error for s in found.searches] for found in pictures_found],
            ".3f",
        ),
        "standard error of a rank between seeds": ([[found.between_seeds] for found in pictures_found], ".3f"),
        "the second over the first": (
            [[found.between_seeds / statistics.mean(s.error for s in found.searches)] for found in pictures_found],
            ".2f",
        ),
    }
    lines += [(name, median(map(_mean, values), form)) for name, (values, form) in by_picture.items()]
    return table(("", "median [95 % interval]"), lines)


def median(values: Iterable[float], form: str) -> str:
    """The median of the values that are numbers, with its bootstrap interval; a dash where there is none."""
    numbers = np.array([value for value in values if math.isfinite(value)])
    if not numbers.size:
        return "–"
    drawn = np.random.default_rng(0).integers(numbers.size, size=(RESAMPLES, numbers.size))
    found = percentiles(float(np.median(numbers)), np.median(numbers[drawn], axis=1), numbers.size)
    return format(found, form)


def _mean(values: Iterable[float]) -> float:
    """Of the values that are numbers; NaN where there is none."""
    numbers = [value for value in values if math.isfinite(value)]
    return statistics.mean(numbers) if numbers else math.nan


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "–"


def sources(folder: Path | None, half: str, count: int) -> list[Source]:
    """The first pictures of a folder's half, or of the samples; raises SettingError where the folder has none."""
    found = pictures(folder, half) if folder else [_source(sample) for sample in SAMPLES]
    return found[:count]


def _source(sample: Sample) -> Source:
    return Source(sample.name, lambda: (sample.load(), None))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each search, and the medians."""
    parser = parser_of(__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="default: the sample images")
    parser.add_argument("--half", choices=HALVES, default="all", help="of the folder's images (%(default)s)")
    parser.add_argument("--count", type=int, default=6, help="images, the first by their names (%(default)s)")
    parser.add_argument("--model", default=EMBEDDED, help="one whose weights are here (%(default)s)")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--budget", type=int, default=AUTO_BUDGET, help="the most of a search (%(default)s)")
    parser.add_argument("--settled", type=float, default=AUTO_SETTLED, help="rank correlation asked (%(default)s)")
    asked = parser.parse_args(arguments)
    if asked.seeds < 1 or asked.count < 1:
        raise SettingError("--seeds and --count must be at least 1.")
    settings = DeCamSettings(budget=asked.budget, settled=asked.settled)
    report = Report("Settling", "benchmarks.settling", __doc__, arguments)
    classifier = load_classifier(asked.model, download=False)
    chosen = [Subject.of(classifier, source) for source in sources(asked.pictures, asked.half, asked.count)]
    report.say(
        f"{classifier.name}; {execution(classifier.execution)}; at most {settings.budget:,} evaluations a search,"
    )
    report.say(f"settled at {settings.settled:g}\n")
    report.say(head(TITLES))
    found = []
    for number, subject in enumerate(chosen, start=1):
        found.append(Found(tuple(searched(classifier, subject, settings, seed) for seed in range(asked.seeds))))
        say_rows(report, number, found[-1])
    report.say(f"\n## Over images\n\n{summary(found)}")
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
