"""Class maps: do they hold, do they mean something, and what do they cost?

Fidelity is a class's mean probability over fresh samples to which its map is added; the control is a random pattern of
the same norm, and the baseline no pattern. Samples are drawn from a seed that no map was made with. A map means
something where the shape of its class is the one that it matches best (`benchmarks/class_matching.py`, no training),
and where another seed's map of the same class is closer than another class's. Intervals are bootstraps over maps.
Settings and the similarity to shapes were chosen on seed 0, that between maps on seeds 0 to 4, none on those below.

    .venv/bin/python -m benchmarks.class_maps --quick
    .venv/bin/python -m benchmarks.class_maps --parts methods others meaning --seeds 10 11
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from benchmarks.class_matching import lightness, seed_scores, shape_scores
from decam.benchmark.candidates import fitting
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.statistics import bootstrap
from decam.benchmark.text import head, row, spread, verdict
from decam.classifier import TorchClassifier
from decam.explanation import ClassMap, ClassQuestion
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.common import Basis, FreshSamples, measured
from decam.methods.class_level.input_agnostic import PHOTOGRAPHS as SUITED
from decam.methods.class_level.input_agnostic import InputAgnosticSettings
from decam.methods.table import get_class_method
from decam.models import EMBEDDED, load_classifier

OWN = "input-agnostic"
IMAGENET = "squeezenet1_0"
HELD = 0.9  # fidelity of the embedded model's classes
HELD_IMAGENET, CLASSES_IMAGENET = 0.8, 45  # fidelity, and how many of fifty classes
CONTROL = 0.2
MATCHED, ALIKE = 8, 9  # of ten
ALONE, ALONE_IMAGENET = 10.0, 60.0  # seconds a class
OTHERS = ("scenes", "dead leaves", "1/f noise", "gaussian", "uniform")
FRESH = 100  # samples of each distribution, drawn from FRESH_SEED
OTHERS_IMAGENET, FRESH_IMAGENET = ("dead leaves", "1/f noise"), 16  # so few, for they take long
FRESH_SEED = 20_261
NOISES = 24  # maps of noise, with which shapes are compared
DRAWN = 0  # the seed that draws ImageNet's classes


@dataclass(frozen=True)
class Way:
    """One line of the table: a method and what differs from its usual settings."""

    title: str
    method: str
    changes: Mapping[str, object] = field(default_factory=dict)
    seeds: int = 1  # so many of those asked for


WAYS = (
    Way("input-agnostic", OWN, seeds=100),
    Way("input-agnostic, three refinements", OWN, {"refinements": 3}),
    Way("input-agnostic, black box", "input-agnostic-black-box"),
    Way("activation maximisation", "activation-maximisation"),
    Way("phase optimisation", "phase"),
    Way("universal perturbation", "universal"),
    Way("mean of maps", "mean-of-maps"),
)

PHOTOGRAPHS = Way("input-agnostic", OWN, dict(SUITED))
"""For ImageNet's models: what suits them by default."""


@dataclass(frozen=True, eq=False)
class Made:
    """The maps of some classes by one way: seconds and pictures are a class's mean."""

    maps: tuple[ClassMap, ...]
    seconds: float
    pictures: float


def made(classifier: TorchClassifier, way: Way, targets: Sequence[int], seed: int) -> Made:
    """The maps of these classes, asked together."""
    method = get_class_method(way.method)
    questions = [ClassQuestion(classifier, (target,), seed) for target in targets]
    began = time.perf_counter()
    events = method.run(questions, method.settings.from_mapping(dict(way.changes)))
    found = {place: event for place, event in events if isinstance(event, ClassMap)}
    seconds = (time.perf_counter() - began) / len(targets)
    pictures = sum(question.ledger.evaluations for question in questions) / len(targets)
    return Made(tuple(found[place] for place in range(len(targets))), seconds, pictures)


def again(
    classifier: TorchClassifier, one: Made, targets: Sequence[int], distribution: str, count: int
) -> list[ClassMap]:
    """The same maps measured on so many fresh samples of a distribution."""
    road = Road.of([ClassQuestion(classifier, (target,)) for target in targets])
    fresh = FreshSamples.drawn(samples.sampler(distribution), classifier.input_size, FRESH_SEED, count)
    classes = torch.tensor(float("nan"))
    return [
        measured(road, place, torch.from_numpy(found.pattern), classes, fresh) for place, found in enumerate(one.maps)
    ]


def noises(size: tuple[int, int]) -> torch.Tensor:
    """Maps of noise with the spectrum, colours and window of maps."""
    usual = InputAgnosticSettings()
    basis = Basis(size, usual.colour, usual.spectrum, usual.cutoff, usual.window)
    drawn = torch.randn(NOISES, 3, *size, generator=torch.Generator().manual_seed(FRESH_SEED))
    return lightness(list(basis.picture(drawn).numpy()))


def matched(scores: np.ndarray) -> tuple[int, int]:
    """How many rows of a square of scores have their best on the diagonal, alone and as a one-to-one assignment."""
    own = np.arange(len(scores))
    return int((scores.argmax(1) == own).sum()), int((linear_sum_assignment(-scores)[1] == own).sum())


def fidelities(maps: Sequence[ClassMap], aim: float) -> tuple[str, ...]:
    """Lowest, mean with its interval, how many reach the aim, and the highest control and baseline."""
    values = [one.fidelity for one in maps]
    mean = bootstrap(values)
    reached = sum(value >= aim for value in values)
    return (
        f"{min(values):.2f}",
        f"{mean:.2f}",
        f"{reached} of {len(values)}",
        f"{max(one.control for one in maps):.2f}",
        f"{max(one.baseline for one in maps):.2f}",
    )


def fidelity_heads(aim: float) -> tuple[str, ...]:
    """The heads of the columns that `fidelities` fills."""
    return ("lowest", "mean [95 %]", f"at {aim}", "control, highest", "baseline, highest")


class Bench:
    """The maps of the embedded model, made once a way and seed, and what the report says of them."""

    def __init__(self, report: Report, seeds: Sequence[int], ways: Sequence[Way], rounds: int, classes: int) -> None:
        self.report, self.seeds, self.ways, self.rounds, self.classes = report, seeds, ways, rounds, classes
        self.embedded = load_classifier(EMBEDDED)
        self.targets = tuple(range(len(self.embedded.labels)))
        self._made: dict[tuple[str, int], Made] = {}

    def of(self, way: Way, seed: int) -> Made:
        """The maps of a way and seed."""
        key = (way.title, seed)
        if key not in self._made:
            self._made[key] = made(self.embedded, way, self.targets, seed)
        return self._made[key]

    def methods(self) -> None:
        """Fidelity, control, matches and cost of every way, on scenes that none has seen."""
        self.report.say(f"\n## Ten classes of the embedded model, seeds {self._seeds()}\n")
        norm = self.of(self.ways[0], self.seeds[0]).maps[0].norm
        self.report.say(f"Fidelity on {FRESH} fresh scenes. The largest norm of a map is {norm:.1f}.\n")
        columns = ("seeds", *fidelity_heads(HELD), "shapes matched", "s a class", "images a class")
        self.report.say(head(("method", *columns)))
        usual = noises(self.embedded.input_size)
        for way in self.ways:
            found = [self.of(way, seed) for seed in self.seeds[: way.seeds]]
            scenes = [one for each in found for one in again(self.embedded, each, self.targets, "scenes", FRESH)]
            shapes = [matched(self._shapes(each, usual))[0] for each in found]
            seconds = statistics.mean(each.seconds for each in found)
            pictures = statistics.mean(each.pictures for each in found)
            said = (", ".join(map(str, shapes)), f"{seconds:.1f}", f"{pictures:.0f}")
            self.report.say(row((way.title, str(len(found)), *fidelities(scenes, HELD), *said)))

    def others(self) -> None:
        """Fidelity of the first way's maps on each distribution."""
        own = InputAgnosticSettings()
        self.report.say(f"\n## On distributions of samples\n\nMaps of {self.ways[0].title}, made on {own.samples!r}.\n")
        self.report.say(head(("samples", *fidelity_heads(HELD))))
        for name in OTHERS:
            found = [
                one
                for seed in self.seeds
                for one in again(self.embedded, self.of(self.ways[0], seed), self.targets, name, FRESH)
            ]
            self.report.say(row((name, *fidelities(found, HELD))))

    def meaning(self) -> None:
        """How many maps match their shape, and how many are closest to the same class's map of another seed."""
        self.report.say(f"\n## Meaning of the maps of {self.ways[0].title}\n")
        usual = noises(self.embedded.input_size)
        for seed in self.seeds:
            alone, assigned = matched(self._shapes(self.of(self.ways[0], seed), usual))
            self.report.say(
                f"seed {seed}: {alone} of 10 maps match their shape best, {assigned} as a one-to-one assignment "
                f"(aim: {MATCHED}): {verdict(assigned >= MATCHED)}\n"
            )
        for one, other in zip(self.seeds, self.seeds[1:], strict=False):
            pair = [lightness([found.pattern for found in self.of(self.ways[0], seed).maps]) for seed in (one, other)]
            alike, _ = matched(seed_scores(*pair).numpy())
            self.report.say(
                f"seeds {one} and {other}: {alike} of 10 maps are closest to the same class's "
                f"(aim: {ALIKE}): {verdict(alike >= ALIKE)}\n"
            )

    def cost(self) -> None:
        """One class alone, and ten together beside four of them apart, in turns."""
        alone, together = [], []
        for turn in range(self.rounds):
            chosen = [(4 * turn + place) % len(self.targets) for place in range(4)]
            alone.append([made(self.embedded, self.ways[0], [target], turn).seconds for target in chosen])
            together.append(made(self.embedded, self.ways[0], self.targets, turn).seconds * len(self.targets))
        ratio = [whole / sum(four) for whole, four in zip(together, alone, strict=True)]
        single = [seconds for four in alone for seconds in four]
        title = f"Cost of {self.ways[0].title} on the embedded model"
        self.report.say(f"\n## {title}, {self.rounds} rounds in turns, median (lowest to highest)\n")
        self.report.say(head(("", "s", "aim", "")))
        met = statistics.median(single) < ALONE
        self.report.say(row(("one class", spread(single, ".1f"), f"under {ALONE:.0f}", verdict(met))))
        self.report.say(row(("ten classes together", spread(together, ".1f"), "", "")))
        met = statistics.median(ratio) < 1
        self.report.say(row(("ten together / four apart", spread(ratio), "under 1", verdict(met))))

    def imagenet(self) -> None:
        """Fifty classes of ImageNet, drawn by a fixed seed."""
        classifier = load_classifier(IMAGENET, download=False)
        drawn = np.random.default_rng(DRAWN).choice(len(classifier.labels), self.classes, replace=False).tolist()
        alone = [made(classifier, PHOTOGRAPHS, [target], self.seeds[0]).seconds for target in drawn[:3]]
        found = made(classifier, PHOTOGRAPHS, drawn, self.seeds[0])
        self.report.say(f"\n## {IMAGENET}, {self.classes} classes of seed {DRAWN}\n")
        changes = ", ".join(f"{name} {value}" for name, value in PHOTOGRAPHS.changes.items())
        self.report.say(f"With {changes}.\n")
        columns = (*fidelity_heads(HELD_IMAGENET), "s a class alone", "s a class together", "images a class")
        self.report.say(head(("norm", *columns)))
        cost = (spread(alone, ".0f"), f"{found.seconds:.1f}", f"{found.pictures:.0f}")
        norm = f"{max(one.norm for one in found.maps):.1f}"
        self.report.say(row((norm, *fidelities(found.maps, HELD_IMAGENET), *cost)))
        for name in OTHERS_IMAGENET:
            other = again(classifier, found, drawn, name, FRESH_IMAGENET)
            self.report.say(row((f"on {name}", *fidelities(other, HELD_IMAGENET), "", "", "")))

    def _shapes(self, one: Made, usual: torch.Tensor) -> np.ndarray:
        return shape_scores(lightness([found.pattern for found in one.maps]), usual).numpy()

    def _seeds(self) -> str:
        return ", ".join(map(str, self.seeds))


PARTS: dict[str, Callable[[Bench], None]] = {
    "methods": Bench.methods,
    "others": Bench.others,
    "meaning": Bench.meaning,
    "cost": Bench.cost,
    "imagenet": Bench.imagenet,
}
QUICK = ("methods", "others")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the parts that are asked for."""
    parser = parser_of(__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=tuple(PARTS), metavar="PART", help=f"{' '.join(PARTS)} (default: all)"
    )
    titles = [way.title for way in WAYS]
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help="titles or patterns: '*box'; the parts others, meaning and cost take the first of them",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[10, 11], help="of the maps (default: 10 11)")
    parser.add_argument("--rounds", type=int, default=3, help="turns in which cost is taken (%(default)s)")
    parser.add_argument("--classes", type=int, default=50, help="of ImageNet (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="the method alone on one seed, in a minute")
    asked = parser.parse_args(arguments)
    if asked.quick and (asked.parts or asked.methods):
        parser.error("--quick has its own parts and method: leave out --parts and --methods, or --quick.")
    wanted = fitting(titles, asked.methods or ["*"], "method")
    chosen = tuple(way for way in WAYS if way.title in wanted)
    report = Report("Class maps", "benchmarks.class_maps", __doc__, arguments)
    seeds, ways, parts = (
        (asked.seeds[:1], WAYS[:1], QUICK) if asked.quick else (asked.seeds, chosen, asked.parts or tuple(PARTS))
    )
    bench = Bench(report, seeds, ways, asked.rounds, asked.classes)
    for name in parts:
        PARTS[name](bench)
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
