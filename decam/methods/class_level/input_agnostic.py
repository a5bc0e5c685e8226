"""Input-agnostic saliency maps: what a model takes a class to be, without a picture and without a data set.

Akhtar and Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers (AAAI 2023),
after Akhtar, Jalwana, Bennamoun and Mian, Attack to Explain Deep Representation (CVPR 2020). From their abstracts come
the idea and its outline: a perturbation that holds over samples, made with the model's gradients and statistics of
them, whose sign is chosen by the target's mean probability, projected onto a ball, and refined by what the model's own
activations agree on. This is a reconstruction. Free choices of this project: the distributions of samples, the
basis in which steps are taken (spectrum, colours, window), one second moment for a whole map, the halving of steps,
moving the map about, the running mean by which the search stops, keeping a refinement only where fidelity holds.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.errors import SettingError
from decam.explanation import Progress
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import ClassMapsSteps, ClassMethod, ClassQuestion, ClassSteps
from decam.methods.class_level.common import (
    Basis,
    Jitter,
    Moments,
    finished,
    magnitude,
    measure,
    moved,
    norms,
    project,
    radius_of,
    raised,
    unit_length,
    unit_thresholds,
)
from decam.methods.class_level.refinement import region, strengthened
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

RECENT = 8  # iterations over whose mean a map must reach the goal
LAST = 0.2  # of the step size is left at the budget's end


@dataclass(frozen=True)
class InputAgnosticSettings(Settings):
    """What the search may cost, where it looks, and how a map may look."""

    iterations: int = parameter(150, "Steps at most; a map that reaches its goal stops earlier.", low=1, high=10_000)
    batch: int = parameter(8, "Samples drawn for each step.", low=1, high=256)
    samples: str = parameter(
        "mixed", "The pictures of nothing in particular to which the map is added.", choices=samples.CHOICES
    )
    radius: float = parameter(
        0.25,
        "Root mean square of the map's values at most: its L2 norm is at most this times the root of their number. "
        "Small ones must be shaped as the class is.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    step: float = parameter(0.1, "Length of the first steps, as a share of the radius.", low=0.001, high=1.0, step=0.05)
    goal: float = parameter(0.95, "The mean probability at which a map is done.", low=0.0, high=1.0, step=0.05)
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
        True, "Turn or halve a step that does not raise the mean probability; one forward pass more a step or two."
    )
    cutoff: float = parameter(
        12.0, "Cycles a picture at which a Gaussian low-pass ends the map's detail; 0 keeps all.", low=0.0, high=1000.0
    )
    spectrum: float = parameter(
        0.5, "Steps are weighted by frequency to minus this; more makes large forms.", low=0.0, high=3.0, step=0.5
    )
    colour: float = parameter(
        0.3,
        "Weight of colour beside lightness in a step; 1 leaves the colours as they are, 0 makes the map grey.",
        low=0.0,
        high=1.0,
        step=0.1,
    )
    window: float = parameter(
        0.4, "Radius of the place in the middle where the map may be, in sides; 0 is anywhere.", low=0.0, high=2.0
    )
    shift: float = parameter(0.0, "Largest shift of the map between samples, in sides.", low=0.0, high=0.5, step=0.05)
    turn: float = parameter(0.0, "Largest turn of the map between samples, in degrees.", low=0.0, high=180.0)
    zoom: float = parameter(0.0, "Largest logarithm of the map's scale between samples.", low=0.0, high=1.0, step=0.1)
    refinements: int = parameter(3, "Times the regions of agreeing activations are strengthened.", low=0, high=100)
    strength: float = parameter(0.2, "Share by which a refinement strengthens.", low=0.01, high=5.0, step=0.1)
    layer: str = parameter("", "The early layer whose activations count; the first that has places.", source="layers")
    fresh: int = parameter(64, "Samples on which the finished map is measured.", low=1, high=10_000)


class _Search:
    """One run for several targets: maps, moments and what was found so far; maps that are done take no more steps."""

    def __init__(self, questions: tuple[ClassQuestion, ...], settings: InputAgnosticSettings, seed: int) -> None:
        first = questions[0]
        classifier = first.classifier
        if any(other.classifier is not classifier or other.ledger is not first.ledger for other in questions):
            raise SettingError("Questions that are asked together must share one classifier and one ledger.")
        self.settings, self.ledger = settings, first.ledger
        self.size = classifier.input_size
        targets = tuple(question.targets for question in questions)
        self.road = Road(classifier, targets, first.ledger, logit=settings.objective == "logit")
        self.draw = samples.sampler(settings.samples, first.pictures)
        self.generator = generator_of(seed)
        self.radius = radius_of(settings.radius, self.size)
        self.basis = Basis(self.size, settings.colour, settings.spectrum, settings.cutoff, settings.window)
        self.jitter = Jitter(settings.shift, settings.turn, settings.zoom)
        self.moments = Moments(settings.each_value)
        self.maps = torch.zeros(len(targets), 3, *self.size)
        self.active = torch.arange(len(targets))
        self.share = torch.ones(len(targets))
        self.histories: list[list[float]] = [[] for _ in targets]
        self.reached = [False] * len(targets)
        self.measuring = int(torch.randint(2**62, (1,), generator=self.generator))
        self.thresholds = unit_thresholds(self.road, self.draw, self.generator, settings.fresh)

    def progress(self, step: int) -> Progress:
        """An event: the first map so far, and the mean over all maps of what a page plots."""
        latest = [history[-1] for history in self.histories if history]
        curves = {"norm": float(norms(self.maps).mean())}
        if latest:
            curves["fidelity"] = sum(latest) / len(latest)
        total = self.settings.iterations + self.settings.refinements + 1
        return Progress(step, total, self.ledger.evaluations, magnitude(self.maps[0].numpy()), None, curves)

    def climb(self, iteration: int) -> Generator[Progress, None, None]:
        """One step of every map that is not done."""
        settings, active = self.settings, self.active
        batch = settings.batch
        drawn = self.draw(batch, self.size, self.generator).repeat(len(active), 1, 1, 1)
        rows = active.repeat_interleave(batch)
        affine = self.jitter.drawn(len(rows), self.generator)

        def asked(maps: Tensor) -> Tensor:
            values = self.road.values(drawn + moved(maps.repeat_interleave(batch, 0), affine), rows)
            return self.mean(values, rows)

        here = self.maps[active]
        leaf = here.clone().requires_grad_()
        with torch.enable_grad():
            placed = moved(leaf.repeat_interleave(batch, 0), affine)
        slopes, values = self.road.slopes(drawn + placed.detach(), rows)
        (slope,) = torch.autograd.grad(placed, leaf, slopes / batch)
        before = self.mean(values, rows)
        yield self.progress(iteration - 1)
        direction = unit_length(self.basis.picture(self.moments.step(self.basis.step(slope))))
        fading = 1 - (1 - LAST) * (iteration - 1) / settings.iterations
        step = direction * (settings.step * fading * self.radius * self.share[active]).view(-1, 1, 1, 1)
        there, after = project(here + step, self.radius), before
        if settings.sign_check:
            after = asked(there)
            worse = after < before
            if bool(worse.any()):
                back = project(here - step, self.radius)
                behind = asked(back)
                turned = worse & (behind > before)
                halved = worse & ~turned
                there = torch.where(turned.view(-1, 1, 1, 1), back, there)
                there = torch.where(halved.view(-1, 1, 1, 1), project(here + step / 2, self.radius), there)
                after = torch.where(turned, behind, torch.where(halved, before, after))
                self.share[active] = torch.where(halved, self.share[active] / 2, self.share[active])
            self.share[active] = torch.where(worse, self.share[active], (self.share[active] * 2).clamp_max(1))
        self.maps[active] = there
        self.settle(after)

    def mean(self, values: Tensor, rows: Tensor) -> Tensor:
        """Mean value of each active target over its samples."""
        return raised(values, self.thresholds[rows]).view(len(self.active), -1).mean(1)

    def settle(self, fidelity: Tensor) -> None:
        """Keep what was found, and let maps that have reached the goal rest."""
        going = []
        for place, (number, value) in enumerate(zip(self.active.tolist(), fidelity.tolist(), strict=True)):
            history = self.histories[number]
            history.append(value)
            recent = history[-RECENT:]
            self.reached[number] = len(recent) == RECENT and sum(recent) / RECENT >= self.settings.goal
            if not self.reached[number]:
                going.append(place)
        if len(going) < len(self.active):
            kept = torch.tensor(going, dtype=torch.long)
            self.moments.keep(kept)
            self.active = self.active[kept]

    def refine(self, layer: str) -> Generator[Progress, None, None]:
        """Strengthen what the early activations agree on, and keep it for each map whose fidelity has not fallen."""
        drawn = self.draw(self.settings.fresh, self.size, self.generator)
        for number, colours in enumerate(self.maps.clone()):
            rows = torch.full((len(drawn),), number)
            grid = self.road.activations(drawn + colours, layer)
            stronger = strengthened(colours[None], region(grid, self.size)[None], self.settings.strength, self.radius)[
                0
            ]
            before, after = (
                float(raised(self.road.values(drawn + one, rows), self.thresholds[rows]).mean())
                for one in (colours, stronger)
            )
            if after >= before:
                self.maps[number] = stronger
            yield self.progress(self.settings.iterations)


def together(questions: tuple[ClassQuestion, ...], settings: InputAgnosticSettings, seed: int) -> ClassMapsSteps:
    """One map for each question; all are asked in joint batches over the same samples."""
    search = _Search(questions, settings, seed)
    for iteration in range(1, settings.iterations + 1):
        if not len(search.active):
            break
        yield from search.climb(iteration)
        yield search.progress(iteration)
    layer = settings.layer or next(iter(getattr(questions[0].classifier, "layers", ())), "")
    if layer:
        for _ in range(settings.refinements):
            yield from search.refine(layer)
    measured = measure(search.road, search.maps, search.thresholds, search.draw, search.measuring, settings.fresh)
    results = finished(search.road, search.maps, measured, search.histories, search.reached, settings.goal)
    yield search.progress(settings.iterations + settings.refinements + 1)
    return results


def input_agnostic(question: ClassQuestion, settings: InputAgnosticSettings, seed: int) -> ClassSteps:
    """The map of one question."""
    (found,) = yield from together((question,), settings, seed)
    return found


INPUT_AGNOSTIC = ClassMethod(
    name="input-agnostic",
    title="Input-agnostic map",
    summary="What must be added to any picture at all for the model to see the class.",
    reference="Akhtar & Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers "
    "(AAAI 2023)",
    url="https://arxiv.org/abs/2303.17836",
    needs=frozenset({"gradients"}),
    settings=InputAgnosticSettings,
    run=input_agnostic,
    together=together,
    instead="The black-box input-agnostic map asks for its output alone.",
)
