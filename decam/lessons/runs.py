"""The runs that lessons show: what each is made from, and where it lies, ready made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from decam.classifier import Classifier, Pixels, TorchClassifier
from decam.errors import SettingError, row_of
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison, randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint, usual_metrics
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.explanation import Truth
from decam.export import method_names, question_names
from decam.export.reading import grid_of
from decam.export.replay import read
from decam.images.samples import Sample
from decam.images.samples import get as get_sample
from decam.models import EMBEDDED, hidden, load_classifier
from decam.models.networks.blocks import LABELS
from decam.runs.store.files import read_map

FOLDER = Path(__file__).parent / "stored"
SEARCHES = "searches"
HANS, HONEST = "hidden-09", "hidden-02"
CPU = "cpu"

Loader = Callable[[str], Classifier]


@dataclass(frozen=True)
class ReadyRun:
    """A run of the lessons: its name, and what makes its plan, with views and truths, given a loader of models.

    Names of methods in `searches` say whose generations are stored too.
    """

    name: str
    make: Callable[[Loader], Grid]
    searches: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its export lies."""
        return FOLDER / self.name


def _named(names: tuple[str, ...], **settings: dict[str, int | float | str | bool]) -> list[MethodChoice]:
    return [MethodChoice.default(name, **settings.get(name.replace("-", "_"), {})) for name in names]


def _choice(name: str, view: Pixels, truth: Truth | None) -> PictureChoice:
    return PictureChoice(name, fingerprint(view), "" if truth is None else fingerprint(truth))


def _seen(classifier: Classifier, image: Image.Image) -> Pixels:
    return classifier.view(image)


def _compared(
    load: Loader, sample: str, methods: list[MethodChoice], metrics: tuple[MetricChoice, ...], targets: tuple[str, ...]
) -> Grid:
    """One scene by several methods; one question for each class in `targets`, or one for the predicted class."""
    classifier, scene = load(EMBEDDED), get_sample(sample)
    view, truth = _seen(classifier, scene.load()), scene.truth()
    picture = _choice(scene.title, view, truth)
    plan = comparison.plan(EMBEDDED, CPU, [picture], methods, metrics=metrics, execution=classifier.execution)
    if targets:
        spec = ModelSpec.of(EMBEDDED)
        asked = tuple(QuestionSpec(spec, 0, LABELS.index(target), 0) for target in targets)
        plan = replace(plan, questions=asked)
    return Grid.empty(plan, [view], [truth], LABELS)


def _star(load: Loader) -> Grid:
    methods = _named(
        ("de-cam", "grad-cam", "rise", "integrated-gradients", "random", "edges", "centre"),
        de_cam={"budget": 800},
    )
    return _compared(load, "scene-star", methods, usual_metrics(), ())


def _two(load: Loader) -> Grid:
    return _compared(load, "scene-heart-ring", _named(("de-cam", "grad-cam", "finer-cam")), (), ("heart", "ring"))


def _disagreeing(load: Loader) -> Grid:
    methods = _named(("de-cam", "grad-cam", "integrated-gradients", "lime", "occlusion"))
    return _compared(load, "scene-cross-disc", methods, usual_metrics(), ("cross",))


def _forgetting(load: Loader) -> Grid:
    """The randomisation check at its first stage, half way, and with all weights drawn anew."""
    classifier, scene = load(EMBEDDED), get_sample("scene-triangle")
    view, truth = _seen(classifier, scene.load()), scene.truth()
    whole = randomisation.plan(
        classifier, _choice(scene.title, view, truth), _named(("grad-cam", "guided-backprop", "edges"))
    )
    last = len(whole.questions) - 1
    kept = tuple(whole.questions[place] for place in (0, 1, (1 + last) // 2, last))
    return Grid.empty(replace(whole, questions=kept, execution=classifier.execution), [view], [truth], LABELS)


def _marked(scene: Sample, classifier: Classifier) -> Pixels:
    """A scene with the mark that went with one class in the training of the model HANS."""
    objects = np.any(scene.truths(), axis=0)
    picture = hidden.secret(HANS).stamp(np.asarray(scene.load()), 0, objects)
    return _seen(classifier, Image.fromarray(picture))


def _clever_hans(load: Loader) -> Grid:
    """Two models, one with a shortcut, about a scene without and with the mark, and about one of the mark's class."""
    classifier = load(HANS)
    crescent, hexagon = get_sample("scene-crescent"), get_sample("scene-hexagon")
    views = [_seen(classifier, crescent.load()), _marked(crescent, classifier), _marked(hexagon, classifier)]
    truths = [crescent.truth(), crescent.truth(), hexagon.truth()]
    names = ("Crescent", "Crescent with the mark", "Hexagon with the mark")
    hans, honest = ModelSpec.of(HANS), ModelSpec.of(HONEST)
    plan = Plan(
        kind=comparison.COMPARISON,
        device=CPU,
        pictures=tuple(map(_choice, names, views, truths)),
        questions=(
            *(QuestionSpec(hans, place, None, 0) for place in range(3)),
            QuestionSpec(honest, 1, None, 0),
        ),
        methods=tuple(_named(("de-cam", "occlusion"))),
        execution=classifier.execution,
    )
    return Grid.empty(plan, views, truths, LABELS)


_ROWS = (
    ReadyRun("star", _star, searches=("de-cam",)),
    ReadyRun("heart-and-ring", _two),
    ReadyRun("cross", _disagreeing),
    ReadyRun("forgetting", _forgetting),
    ReadyRun("clever-hans", _clever_hans),
)
RUNS: dict[str, ReadyRun] = {run.name: run for run in _ROWS}


@lru_cache(maxsize=8)
def exact(name: str) -> TorchClassifier:
    """A model as PyTorch computes it, on the processor and in float32: what any machine can repeat."""
    return load_classifier(name, device=CPU, exact=True)


def get(name: str) -> ReadyRun:
    """The run of that name; raises SettingError where there is none."""
    return row_of("run for lessons", name, RUNS, SettingError)


def search_file(grid: Grid, key: CellKey) -> str:
    """Where the generations of a search lie in the folder of its run."""
    return f"{SEARCHES}/{question_names(grid.plan)[key.question]}_{method_names(grid.plan)[key.method]}.npz"


def searches(run: ReadyRun, grid: Grid) -> tuple[CellKey, ...]:
    """The cells of a run whose generations are stored."""
    return tuple(key for key in grid.plan.cells() if grid.plan.methods[key.method].name in run.searches)


@lru_cache(maxsize=len(_ROWS))
def load(name: str) -> Grid:
    """A run as it was made: maps, measurements and the generations of its searches.

    Raises SettingError where there is no such run, and StoreError where its files are damaged.
    """
    run = get(name)
    grid = grid_of(read(run.folder / "settings.json"), LABELS)
    cells = dict(grid.cells)
    for key in searches(run, grid):
        cells[key] = replace(cells[key], frames=read_map(run.folder / search_file(grid, key)).frames)
    return replace(grid, cells=cells)
