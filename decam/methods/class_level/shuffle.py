"""The cheapest shuffle: how little must be added to any image for every class to be taken for another.

Steepest ascent from nothing, as for the cheapest pattern of one class. Each class is led to a class of its own: the
assignment without fixed points that the answers come nearest to, chosen anew at each step. A second pattern is searched
beside it in the same way, for an assignment by chance, and the cost is the first pattern's in shares of the second's.
The attack that leads each class to another is that of Gu et al. (2017); the search for it is this project's own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Ledger, Progress, relayed, shared_out
from decam.methods.base import ClassMethod
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX_SMALLEST, FAMILY, SERIES, by_seed, single_class
from decam.methods.class_level.bases import MEASURES
from decam.methods.class_level.common import radius_of, stage_seed, unit_length
from decam.methods.class_level.scoring import LEAST, shortfalls
from decam.methods.class_level.smallest import KEPT, SCALES, SmallestSettings, most_of, price_of, reached
from decam.methods.support.seeded_globals import generator_of
from decam.settings import parameter

SPREAD = 0.2
"""As `Measure.spread`: how far the chosen assignment is below one by chance in a clean model, in logarithms of cost."""
MOST = 10
"""Classes at most that are led elsewhere."""
EACH = 8
"""Samples that a class must have, half of them to measure on."""
REMEMBERED = 0.8  # of the earlier mean log-probabilities is kept in a step's
LEAST_PROBABILITY = 1e-12  # whose logarithm is taken
_DRAWING, _CLIMBING, _CHANCE, _CONTROL = range(4)
_CHOSEN, _BY_CHANCE = range(2)


@dataclass(frozen=True)
class ShuffleSettings(SmallestSettings):
    """In what a pattern is measured, and what the search may cost."""

    batch: int = parameter(20, "Samples for each step, shared out among the classes.", low=MOST, high=1000)
    samples: str = parameter(
        "scenes",
        "The images to which the pattern is added. Their classes are the model's own answers.",
        choices=samples.CHOICES,
    )
    goal: float = parameter(
        0.8,
        "The mean probability of the classes led to that the pattern must just reach.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    fresh: int = parameter(
        40,
        "Samples on which the pattern is scaled and measured, shared out among the classes.",
        low=MOST,
        high=10_000,
    )
    drawn: int = parameter(
        240, "Samples drawn; those of the classes that the model answers most are used.", low=1, high=100_000
    )


def paired(liking: Tensor, sources: Sequence[int]) -> Tensor:
    """For each source the class that it is led to (S): no class twice, and none to itself.

    The sum of `liking` (S×C) over these pairs is the largest there is.
    """
    from scipy.optimize import linear_sum_assignment  # here, for no page needs it before such a search

    allowed: NDArray[np.float64] = liking.double().numpy().copy()
    allowed[np.arange(len(sources)), list(sources)] = -1e9
    return torch.from_numpy(linear_sum_assignment(allowed, maximize=True)[1])


def most_answered(answered: Tensor, classes: int) -> list[int]:
    """The classes that are answered most (N indices), in their order: `MOST` at most, with `EACH` samples at least."""
    counts = answered.bincount(minlength=classes)
    most = counts.argsort(descending=True, stable=True)[:MOST].tolist()
    return sorted(label for label in most if counts[label] >= EACH)


@dataclass(frozen=True)
class _Groups:
    """Samples (N×3×H×W) by the class that the model takes them for.

    `rows` (N) are their places among all that were drawn, and `places` (N) say of which of `count` sources they are.
    """

    samples: Tensor
    rows: Tensor
    places: Tensor
    count: int

    def means(self, answers: Tensor) -> Tensor:
        """The mean answer of each source: N×C to S×C."""
        sums = torch.zeros(self.count, answers.shape[1]).index_add_(0, self.places, answers)
        return sums / self.places.bincount(minlength=self.count)[:, None]

    def drawn(self, each: int, generator: torch.Generator) -> _Groups:
        """That many samples of each source, drawn with repetition."""
        chosen = []
        for place in range(self.count):
            own = torch.nonzero(self.places == place)[:, 0]
            chosen.append(own[torch.randint(len(own), (each,), generator=generator)])
        rows = torch.cat(chosen)
        return _Groups(self.samples[rows], self.rows[rows], self.places[rows], self.count)


@dataclass(frozen=True)
class _Shuffle:
    """A finished pattern (3×H×W): the class that each source is led to, and how well.

    `means` are the mean answers of the sources (S×C) with the pattern, without it, and with noise of its norm. `value`
    is the mean probability of the classes led to. `cost` is the pattern's in shares of one for pairs by chance.
    """

    pattern: Tensor
    pairs: tuple[int, ...]
    means: Sequence[Tensor]
    value: float
    cost: float

    def map_of(self, label: int) -> ClassMap:
        """The map of a class; one that no class is led to has no cost."""
        led = label in self.pairs
        rows = [self.pairs.index(label)] if led else list(range(len(self.pairs)))
        fidelity, baseline, control = (float(one[rows, label].mean()) for one in self.means)
        pattern = self.pattern.numpy().astype(np.float32)
        cost = self.cost if led else math.nan
        return ClassMap(pattern, fidelity, baseline, control, float(self.pattern.norm()), cost)


class _Search:
    """The search of one seed; its pattern is that of every question about the classifier."""

    def __init__(self, question: ClassQuestion, settings: ShuffleSettings) -> None:
        self.settings, self.seed, self.size = settings, question.seed, question.classifier.input_size
        classes = len(question.classifier.labels)
        self.ledger = Ledger()
        self.road = Road(question.classifier, tuple((label,) for label in range(classes)), [self.ledger] * classes)
        self.measure = MEASURES[settings.basis]
        draw = samples.sampler(settings.samples, question.pictures)
        self.pool = draw(settings.drawn, self.size, _seeded(self.seed, _DRAWING))
        self.clean = self.road.probabilities(self.pool)
        self.sources = most_answered(self.clean.argmax(1), classes)

    def nothing(self, label: int) -> ClassMap:
        """The map of a class where the samples say nothing: no pattern, and no cost."""
        value = float(self.clean[:, label].mean())
        return ClassMap(np.zeros((3, *self.size), np.float32), value, value, value, 0.0)

    def run(self) -> Generator[Progress, None, _Shuffle]:
        """Both patterns, each until it has the goal; then what the chosen one costs beside the other."""
        settings = self.settings
        climbed, fresh = self._halves()
        logs = self._logs(climbed, self.clean[climbed.rows])
        chance = torch.rand(logs.shape, generator=_seeded(self.seed, _CHANCE))
        pairs = [paired(logs, self.sources), paired(chance, self.sources)]
        patterns = torch.zeros(2, 3, *self.size)
        slopes = torch.zeros_like(patterns)
        recent: list[list[float]] = [[], []]
        length = radius_of(settings.step, self.size)
        for iteration in range(1, settings.iterations + 1):
            active = [row for row in (_CHOSEN, _BY_CHANCE) if not reached(recent[row], settings.goal)]
            if not active:
                break
            drawn = climbed.drawn(settings.batch // len(self.sources), _seeded(self.seed, _CLIMBING, iteration))
            for row in active:
                found, answers = self.road.slopes_and_answers(drawn.samples + patterns[row], pairs[row][drawn.places])
                recent[row].append(float(self._led(drawn, answers, pairs[row])))
                slopes[row] = KEPT * slopes[row] + (1 - KEPT) * unit_length(found.mean(0, keepdim=True))[0]
                patterns[row] += length * self.measure.steepest(slopes[row : row + 1])[0]
                if row == _CHOSEN:
                    logs = REMEMBERED * logs + (1 - REMEMBERED) * self._logs(drawn, answers)
                    pairs[row] = paired(logs, self.sources)
            length *= settings.growth
            curves = {"fidelity": recent[_CHOSEN][-1], "norm": float(patterns[_CHOSEN].norm())}
            pattern = patterns[_CHOSEN].clone().numpy()
            yield Progress(iteration, settings.iterations, self.ledger.evaluations, curves=curves, pattern=pattern)
        return self._measured(fresh, patterns, pairs)

    def _halves(self) -> tuple[_Groups, _Groups]:
        """The samples to climb on and those to measure on, none of which is among both."""
        answered = self.clean.argmax(1)
        climbed: list[tuple[int, int]] = []
        fresh: list[tuple[int, int]] = []
        for place, label in enumerate(self.sources):
            rows = torch.nonzero(answered == label)[:, 0].tolist()
            kept = min(self.settings.fresh // len(self.sources), len(rows) // 2)
            fresh += [(row, place) for row in rows[:kept]]
            climbed += [(row, place) for row in rows[kept:]]
        return self._grouped(climbed), self._grouped(fresh)

    def _grouped(self, placed: Sequence[tuple[int, int]]) -> _Groups:
        rows, places = torch.tensor(placed).T
        return _Groups(self.pool[rows], rows, places, len(self.sources))

    def _logs(self, groups: _Groups, answers: Tensor) -> Tensor:
        return groups.means(answers.clamp_min(LEAST_PROBABILITY).log())

    def _led(self, groups: _Groups, answers: Tensor, pairs: Tensor) -> Tensor:
        """The mean probability, over the sources, of the class that each is led to."""
        return groups.means(answers)[torch.arange(groups.count), pairs].mean()

    def _measured(self, fresh: _Groups, patterns: Tensor, pairs: Sequence[Tensor]) -> _Shuffle:
        most, settings = most_of(self.settings, self.size), self.settings
        plain = self.road.probabilities(fresh.samples)
        costs, values, answered = [], [], []
        for pattern, pair in zip(patterns, pairs, strict=True):
            answers = [self.road.probabilities(fresh.samples + pattern * scale) for scale in SCALES]
            led = [float(self._led(fresh, one, pair)) for one in answers]
            costs.append(price_of(pattern, self.measure, float(self._led(fresh, plain, pair)), led, most))
            values.append(led)
            answered.append(answers)
        place = _scale(values[_CHOSEN], settings.goal)
        pattern = patterns[_CHOSEN] * SCALES[place]
        noise = unit_length(torch.randn(1, 3, *self.size, generator=_seeded(self.seed, _CONTROL)))[0] * pattern.norm()
        control = self.road.probabilities(fresh.samples + noise)
        means = [fresh.means(one) for one in (answered[_CHOSEN][place], plain, control)]
        share = costs[_CHOSEN] / costs[_BY_CHANCE]
        return _Shuffle(pattern, tuple(pairs[_CHOSEN].tolist()), means, values[_CHOSEN][place], share)


def _scale(values: Sequence[float], goal: float) -> int:
    """The place of the smallest scale that has the goal, or of the best one: a stronger pattern may lead elsewhere."""
    enough = [place for place, value in enumerate(values) if value >= goal]
    return enough[0] if enough else int(np.argmax(values))


def _seeded(seed: int, *stage: int) -> torch.Generator:
    return generator_of(stage_seed(seed, *stage))


def shuffle(questions: Sequence[ClassQuestion], settings: ShuffleSettings) -> ClassSteps:
    """The cheapest shuffle, as the map of each class; it is searched once for all questions of one seed.

    Its evaluations are shared out among them. Raises SettingError where a target is not one class.
    """
    wanted = [single_class(question, "A shuffle leads to") for question in questions]
    for numbers in by_seed(questions, len(questions)):
        search = _Search(questions[numbers[0]], settings)
        made = None
        if len(search.sources) >= LEAST:
            made = yield from relayed(search.run(), partial(_shared, numbers))
        for number, share in zip(numbers, shared_out(search.ledger.evaluations, len(numbers)), strict=True):
            ledger = questions[number].ledger
            ledger.evaluations += share
            ledger.notes += search.ledger.notes
            for sentence in _notes(search, made, wanted[number]):
                ledger.note(sentence)
            yield number, search.nothing(wanted[number]) if made is None else made.map_of(wanted[number])


def _shared(numbers: Sequence[int], progress: Progress) -> list[tuple[int, Progress]]:
    """The progress of one search as that of every question."""
    one = dataclasses.replace(progress, evaluations=progress.evaluations // len(numbers))
    return [(number, one) for number in numbers]


def _notes(search: _Search, made: _Shuffle | None, label: int) -> Iterator[str]:
    if made is None:
        yield (
            f"Of the model's classes only {len(search.sources)} are its answer to {EACH} samples or more, and a "
            f"shuffle needs {LEAST} such classes: give images that the model tells apart, or draw more."
        )
        return
    if made.value < search.settings.goal:
        yield (
            f"The pattern leads to the classes wanted with a mean probability of {made.value:.2f}, below the goal of "
            f"{search.settings.goal:.2f}; in a model without such an attack that is usual."
        )
    if label not in made.pairs:
        yield "The pattern leads no class to this one, so it has no cost here."


SHUFFLE = ClassMethod(
    name="smallest-shuffle",
    title="Cheapest shuffle",
    family=FAMILY,
    summary="The smallest change to any image that makes the model take every class for another one.",
    reference="Gu et al., BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain (2017), for "
    "the attack",
    url="https://doi.org/10.48550/arXiv.1708.06733",
    formula=r"\min_{\delta, \pi} \; \lVert \delta \rVert_b \;\text{ where }\; "
    r"\operatorname{mean}_c \, \mathbb{E}_{x \in c}\, p_{\pi(c)}(x + \delta) \ge g, \; \pi(c) \ne c",
    strengths="It finds an attack that leads each class to another, which makes no single class cheap.",
    misleads="It needs samples that the model tells apart. All classes that it leads to share one map and one cost.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=ShuffleSettings,
    cost=lambda settings, _: (
        settings.drawn + 2 * settings.iterations * settings.batch + (2 * len(SCALES) + 2) * settings.fresh
    ),
    series=SERIES,
    run=shuffle,
    scores=lambda _, costs: shortfalls(costs, SPREAD),
    odd="A pattern that moves every class, one of them to “{label}”, is oddly cheap beside a move by chance",
    once=True,
    instead=BLACK_BOX_SMALLEST,
)
