"""Input-agnostic saliency maps: what a model takes a class to be, without a picture and without a data set.

Akhtar and Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers (AAAI 2023),
after Akhtar, Jalwana, Bennamoun and Mian, Attack to Explain Deep Representation (CVPR 2020). From their abstracts come
the idea and its outline: a perturbation that holds over samples, made with the model's gradients and statistics of
them, whose sign is chosen by the target's mean probability, projected onto a ball, and refined by what the model's own
activations agree on. This is a reconstruction. Free choices of this project: the distributions of samples, the
basis in which steps are taken (spectrum, colours, window), one second moment for a whole map, the halving of steps,
moves of the map that fade, the running mean by which the search stops, keeping a refinement only where fidelity holds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress
from decam.images.scenes.scene import CLASSES
from decam.methods.base import ClassMethod
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, by_seed
from decam.methods.class_level.common import (
    MEASURED,
    Basis,
    FreshSamples,
    Jitter,
    Moments,
    fallen_short,
    measured,
    moved_each,
    project,
    radius_of,
    raised,
    stage_seed,
    unit_length,
    unit_thresholds,
)
from decam.methods.class_level.refinement import refined, region
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

RECENT = 8  # iterations over whose mean a map must reach the goal
LAST = 0.2  # of the step size is left at the budget's end
_CLIMBING, _REFINING, _MEASURING, _WAITING = range(4)
"""Stages of a question, each with random numbers of its own, so that a map depends on its question alone."""


@dataclass(frozen=True)
class InputAgnosticSettings(Settings):
    """What the search may cost, where it looks, and how a map may look."""

    budget: int = parameter(
        3600,
        "Images asked at most while the map is made, each with its gradient or without; a map that reaches its goal "
        "stops earlier.",
        low=10,
        high=1_000_000,
    )
    batch: int = parameter(8, "Samples drawn for each step.", low=1, high=256)
    samples: str = parameter(
        "scenes",
        "The images of nothing in particular to which the map is added. On scenes a random map leaves every class "
        "low; dead leaves and 1/f noise alone have a favourite class.",
        choices=samples.CHOICES,
    )
    norm: float = parameter(
        0.3,
        "Largest L2 norm of the map, divided by the root of the number of its values, so that it means the same at "
        "every size: 0.3 is a norm of 67 at 128×128 pixels. A smaller map leaves some classes below a fidelity of 0.9.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    step: float = parameter(0.1, "Length of the first steps, as a share of the norm.", low=0.001, high=1.0, step=0.05)
    goal: float = parameter(0.97, "The mean probability at which a map is done.", low=0.0, high=1.0, step=0.05)
    objective: str = parameter(
        "log-probability",
        "What the gradient is of; the logit also rises where the class has won already.",
        choices=("log-probability", "logit"),
    )
    each_value: bool = parameter(
        False,
        "Divide each value by its own second moment, as the paper does; off, by one for the whole map, which keeps "
        "the shape of the gradient.",
    )
    sign_check: bool = parameter(
        False,
        "Turn or halve a step that does not raise the mean probability, as the paper does; off, the images asked for "
        "that are spent on more steps.",
    )
    cutoff: float = parameter(
        8.0, "Cycles an image at which a Gaussian low-pass ends the map's detail; 0 keeps all.", low=0.0, high=1000.0
    )
    spectrum: float = parameter(
        0.5, "Steps are weighted by frequency to minus this; more makes large forms.", low=0.0, high=3.0, step=0.5
    )
    colour: float = parameter(
        0.0,
        "Weight of colour beside lightness in a step; 1 leaves the colours as they are, 0 makes the map grey.",
        low=0.0,
        high=1.0,
        step=0.1,
    )
    window: float = parameter(
        0.3,
        "Radius of the place in the middle where the map may be, as a share of the image's side; a small one "
        "has room for one shape, 0 is anywhere.",
        low=0.0,
        high=2.0,
    )
    shift: float = parameter(
        0.08,
        "Largest shift of the map between samples, as a share of the image's side. All moves "
        "fade to none at the budget's end: early ones make a map a shape that is seen wherever it lies.",
        low=0.0,
        high=0.5,
        step=0.05,
    )
    turn: float = parameter(
        180.0,
        "Largest turn of the map between samples, in degrees; choose 0 where the classes have an upright.",
        low=0.0,
        high=180.0,
    )
    zoom: float = parameter(0.4, "Largest logarithm of the map's scale between samples.", low=0.0, high=1.0, step=0.1)
    refinements: int = parameter(0, "Times the regions of agreeing activations are strengthened.", low=0, high=100)
    strength: float = parameter(
        0.2, "How much each refinement strengthens them, as a share.", low=0.01, high=5.0, step=0.1
    )
    layer: str = parameter("", "The early layer whose activations count; the first that has places.", source="layers")
    fresh: int = parameter(64, "Samples on which the finished map is measured.", low=1, high=10_000)


class _Search:
    """Some questions of one seed about one classifier, answered over the same samples.

    Maps that are done take no more steps. `numbers` are the questions' places in the call.
    """

    def __init__(
        self, questions: Sequence[ClassQuestion], numbers: Sequence[int], settings: InputAgnosticSettings
    ) -> None:
        self.settings, self.numbers = settings, numbers
        self.seed, self.size = questions[0].seed, questions[0].classifier.input_size
        self.road = Road.of(questions, logit=settings.objective == "logit")
        self.layer = settings.layer or next(iter(getattr(questions[0].classifier, "layers", ())), "")
        self.draw = samples.sampler(settings.samples, questions[0].pictures)
        self.radius = radius_of(settings.norm, self.size)
        self.basis = Basis(self.size, settings.colour, settings.spectrum, settings.cutoff, settings.window)
        self.jitter = Jitter(settings.shift, settings.turn, settings.zoom)
        self.moments = Moments(settings.each_value)
        self.maps = torch.zeros(len(questions), 3, *self.size)
        self.active = torch.arange(len(questions))
        self.share = torch.ones(len(questions))
        self.recent: list[list[float]] = [[] for _ in questions]
        self.reached = [False] * len(questions)
        asked, at_most = (2, 3) if settings.sign_check else (1, 1)  # a step that does not raise the map is turned
        self.batch = min(settings.batch, settings.budget // at_most)
        if self.batch < settings.batch:
            for ledger in self.road.ledgers:
                ledger.note(
                    f"The budget of {settings.budget:,} pays for {self.batch} samples a step, fewer than were asked "
                    "for."
                )
        self.dearest_step = at_most * self.batch
        self.iterations = settings.budget // (asked * self.batch)
        self.thresholds = unit_thresholds(self.road, self.draw, self._random(_WAITING), settings.fresh)
        self._fresh: dict[int, FreshSamples] = {}
        self._before = [ledger.evaluations for ledger in self.road.ledgers]

    def run(self) -> ClassSteps:
        """All questions: the steps of those that are not done, and the maps of those that are."""
        for iteration in range(1, self.iterations + 1):
            done = self._climb(iteration)
            for row in self.active.tolist():
                yield self.numbers[row], self._progress(row, iteration)
            resting = [row for row, over in zip(self.active.tolist(), done, strict=True) if over]
            for row in resting:
                found = yield from self._finished(row, iteration)
                yield self.numbers[row], found
            self._rest(done)
            if not len(self.active):
                return

    def _random(self, *stage: int) -> torch.Generator:
        return generator_of(stage_seed(self.seed, *stage))

    def _progress(self, row: int, iteration: int) -> Progress:
        curves = {"fidelity": self.recent[row][-1], "norm": float(self.maps[row].norm())}
        total = self.iterations + self.settings.refinements
        return Progress(iteration, total, self._asked(row), curves=curves, pattern=self.maps[row].clone().numpy())

    def _asked(self, row: int) -> int:
        return self.road.ledgers[row].evaluations

    def _climb(self, iteration: int) -> list[bool]:
        """One step of every active map; says which of them are done."""
        settings, active, generator = self.settings, self.active, self._random(_CLIMBING, iteration)
        batch = self.batch
        drawn = self.draw(batch, self.size, generator).repeat(len(active), 1, 1, 1)
        left = 1 - (iteration - 1) / self.iterations
        places = self.jitter.drawn(batch, self.size, generator, left)
        rows = active.repeat_interleave(batch)

        def asked(maps: Tensor, which: Tensor) -> Tensor:
            """The mean value of the active maps that are chosen."""
            chosen = which.repeat_interleave(batch)
            placed = moved_each(maps[which], places, batch)
            return self._mean(self.road.values(drawn[chosen] + placed, rows[chosen]), rows[chosen])

        here = self.maps[active]
        leaf = here.clone().requires_grad_()
        with torch.enable_grad():
            placed = moved_each(leaf, places, batch)
        slopes, values = self.road.slopes(drawn + placed.detach(), rows)
        (slope,) = torch.autograd.grad(placed, leaf, slopes / batch)
        before = self._mean(values, rows)
        direction = unit_length(self.basis.picture(self.moments.step(self.basis.step(slope))))
        fading = LAST + (1 - LAST) * left
        step = direction * (settings.step * fading * self.radius * self.share[active]).view(-1, 1, 1, 1)
        there, after = project(here + step, self.radius), before
        if settings.sign_check:
            after = asked(there, torch.ones(len(active), dtype=torch.bool))
            worse = after < before
            if bool(worse.any()):
                there, after = self._turned(here, step, there, before, after, worse, asked)
        self.maps[active] = there
        return [self._settle(row, value) for row, value in zip(active.tolist(), after.tolist(), strict=True)]

    def _turned(
        self,
        here: Tensor,
        step: Tensor,
        there: Tensor,
        before: Tensor,
        after: Tensor,
        worse: Tensor,
        asked: Callable[[Tensor, Tensor], Tensor],
    ) -> tuple[Tensor, Tensor]:
        """After a step that made a map worse: the opposite step if that is better, else half of it and shorter ones."""
        back = project(here - step, self.radius)
        behind = torch.full_like(after, -1.0)
        behind[worse] = asked(back, worse)
        turned = worse & (behind > before)
        halved = (worse & ~turned).view(-1, 1, 1, 1)
        there = torch.where(turned.view(-1, 1, 1, 1), back, there)
        there = torch.where(halved, project(here + step / 2, self.radius), there)
        after = torch.where(turned, behind, torch.where(worse, before, after))
        share = self.share[self.active]
        longer = torch.where(worse, share, (share * 2).clamp_max(1))
        self.share[self.active] = torch.where(worse & ~turned, share / 2, longer)
        return there, after

    def _mean(self, values: Tensor, rows: Tensor) -> Tensor:
        """Mean value of each map over its samples."""
        return raised(values, self.thresholds[rows]).view(-1, self.batch).mean(1)

    def _settle(self, row: int, value: float) -> bool:
        """Keep what a step reached; True if the map is done: at its goal, or at the end of its budget."""
        recent = self.recent[row] = [*self.recent[row][1 - RECENT :], value]
        self.reached[row] = len(recent) == RECENT and sum(recent) / RECENT >= self.settings.goal
        spent = self._asked(row) - self._before[row]
        return self.reached[row] or spent + self.dearest_step > self.settings.budget

    def _rest(self, done: Sequence[bool]) -> None:
        """Maps that are done take no more steps."""
        going = torch.tensor([place for place, over in enumerate(done) if not over], dtype=torch.long)
        if len(going) < len(self.active):
            self.moments.keep(going)
            self.active = self.active[going]

    def _finished(self, row: int, iteration: int) -> Generator[tuple[int, Progress], None, ClassMap]:
        """A map that is done, refined and measured on fresh samples."""
        settings = self.settings
        for number in range(settings.refinements if self.layer else 0):
            self._refine(row, number)
            yield self.numbers[row], self._progress(row, min(iteration + number + 1, self.iterations))
        fresh = self._drawn_once(settings.refinements, stage_seed(self.seed, _MEASURING))
        found = measured(self.road, row, self.maps[row], self.thresholds[row], fresh)
        if not self.reached[row]:
            self.road.ledgers[row].note(fallen_short(found.fidelity, settings.goal))
        return found

    def _drawn_once(self, number: int, seed: int) -> FreshSamples:
        """The fresh samples of a stage, which all questions share: drawing takes as long as asking."""
        if number not in self._fresh:
            self._fresh[number] = FreshSamples.drawn(self.draw, self.size, seed, self.settings.fresh)
        return self._fresh[number]

    def _refine(self, row: int, number: int) -> None:
        """Strengthen what the early activations agree on, and keep it if fidelity has not fallen."""
        drawn = self._drawn_once(number, stage_seed(self.seed, _REFINING, number)).samples
        pattern = self.maps[row]
        where = region(self.road.activations(drawn + pattern, self.layer, row), self.size)
        threshold, strength = self.thresholds[row], self.settings.strength
        self.maps[row] = refined(
            self.road, row, pattern, where, drawn, threshold, strength=strength, radius=self.radius
        )


def input_agnostic(questions: Sequence[ClassQuestion], settings: InputAgnosticSettings) -> ClassSteps:
    """The maps of some classes; those of one seed are asked in joint batches over the same samples."""
    for numbers in by_seed(questions):
        yield from _Search([questions[number] for number in numbers], numbers, settings).run()


PHOTOGRAPHS: dict[str, int | float | str | bool] = {
    "norm": 0.25,
    "window": 0.0,
    "cutoff": 0.0,
    "colour": 0.3,
    "shift": 0.0,
    "turn": 0.0,
    "zoom": 0.0,
    "budget": 400,
    "fresh": 24,
}
"""For models of photographs: their objects have an upright and colours, lie anywhere, and are told by detail."""


def _suited(classifier: Classifier) -> dict[str, int | float | str | bool]:
    """Nothing for models of the generated scenes, for which the defaults were chosen; else `PHOTOGRAPHS`."""
    return {} if tuple(classifier.labels) == CLASSES else PHOTOGRAPHS


INPUT_AGNOSTIC = ClassMethod(
    name="input-agnostic",
    title="Input-agnostic map",
    family=FAMILY,
    summary="The change that makes the model see the class in any image.",
    reference="Akhtar & Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers "
    "(2023)",
    url="https://arxiv.org/abs/2303.17836",
    formula=r"\delta_c = \arg\max_{\lVert\delta\rVert_2 \le \eta} \; \mathbb{E}_{x}\, \log p_c(x + \delta)",
    strengths="Shows the features that the model ties to a class, whatever the image: a trigger among them.",
    misleads="A map may repeat its shape at several places, and a large norm shows more than the class needs.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=InputAgnosticSettings,
    suited=_suited,
    cost=lambda settings, _: settings.budget + (3 * settings.refinements + MEASURED) * settings.fresh,
    series=SERIES,
    run=input_agnostic,
    instead=BLACK_BOX,
)
