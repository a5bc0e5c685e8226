"""The façade: explaining and measuring from Python."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.classifier.base import called
from decam.errors import MethodError, SettingError
from decam.experiments.evaluate import checked_maps, checked_truth, origin_of, question_of
from decam.experiments.explain import class_index, class_question, explain_classes, explain_view, seed_of
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors, class_maps, comparison, randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, fingerprint, usual_metrics
from decam.experiments.questions import Mode, ModelSpec
from decam.experiments.variants import models_by
from decam.explanation import ClassExplanation, Explanation, Map, Progress, Target, Truth, Unit, last, relayed
from decam.export.notebook import Comparison, ShownClassExplanation, ShownExplanation, Suspicions
from decam.export.telling import computed, watched
from decam.images.framing import CROP, Framing, checked, framed
from decam.images.reading import to_picture
from decam.methods import described, get_class_method
from decam.methods import get as get_method
from decam.metrics import Case, FaithfulnessSettings, Metric, Request, evaluate
from decam.metrics import get as get_metric
from decam.settings import Settings

Source: TypeAlias = str | Path | Image.Image | NDArray[Any]


def explain_steps(
    classifier: Classifier,
    image: Source,
    method: str = "de-cam",
    *,
    target: int | str | None = None,
    against: int | str | None = None,
    seed: int = 0,
    framing: Framing = CROP,
    **settings: int | float | str | bool,
) -> Generator[Progress, None, ShownExplanation]:
    """Explain a picture step by step: yields Progress, returns the Explanation; closing it cancels.

    `image` is a path, a PIL image or an array (H×W or H×W×3; uint8, or float in [0, 1]); `target` a class index, a part
    of a class name, or None for the prediction. With `against`, a class too, the map says why it is the target rather
    than that class: what is explained is the difference of their logits. `framing` is "crop", which is the model's own
    way, or "fit", which shows the whole picture beside bars of the model's mean colour. `settings` are the method's own
    by name. Raises ImageError, MethodError and SettingError with a sentence.
    """
    view = framed(classifier, to_picture(image), checked(framing))
    chosen = get_method(method).settings.from_mapping(settings)
    index, other = class_index(classifier, target), class_index(classifier, against)
    plan = comparison.plan(
        classifier.name,
        str(classifier.device),
        [PictureChoice(_name(image, 1), fingerprint(view), framing=framing)],
        [MethodChoice(method, chosen)],
        targets=[index],
        against=[other],
        seed=seed_of(seed),
    )
    begun = Grid.empty(plan, [view], labels=classifier.labels)
    return _shown(explain_view(classifier, view, method, chosen, index, seed, against=other), begun)


def _shown(steps: Generator[Progress, None, Explanation], begun: Grid) -> Generator[Progress, None, ShownExplanation]:
    return ShownExplanation.of((yield from steps), begun)


def explain(
    classifier: Classifier,
    image: Source,
    method: str = "de-cam",
    *,
    target: int | str | None = None,
    against: int | str | None = None,
    seed: int = 0,
    framing: Framing = CROP,
    progress: bool | None = None,
    **settings: int | float | str | bool,
) -> ShownExplanation:
    """Explain a picture: `explain_steps` run to its end.

    A notebook shows what comes as a figure. `progress` says whether a bar of tqdm is drawn; without it, one is drawn on
    a terminal and in a notebook.
    """
    steps = explain_steps(
        classifier, image, method, target=target, against=against, seed=seed, framing=framing, **settings
    )
    return watched(steps, described(method).title, progress)


def explain_class_steps(
    classifier: Classifier,
    target: int | str | tuple[int | str, ...] | Unit,
    method: str = "input-agnostic",
    *,
    seed: int = 0,
    pictures: Sequence[Source] = (),
    **settings: int | float | str | bool,
) -> Generator[Progress, None, ShownClassExplanation]:
    """Find what a model takes a class to be, step by step: yields Progress, returns the ClassExplanation.

    No picture is asked about. `target` is a class index, a part of a class name, several of them in a tuple, which one
    map raises at once, or a Unit: a channel of a layer. `pictures` are samples of your own, for samples="pictures".
    `settings` are the method's own by name. Closing the generator cancels. Raises ImageError, MethodError and
    SettingError with a sentence.
    """
    chosen = get_class_method(method).settings_for(classifier, settings)
    views = [classifier.view(to_picture(picture)) for picture in pictures]
    question = class_question(classifier, target, seed, views)
    (explanation,) = yield from relayed(explain_classes([question], method, chosen), _progress)
    asked: Target = question.target
    plan = class_maps.plan(
        [classifier.name], str(classifier.device), [asked], [MethodChoice(method, chosen)], seeds=[question.seed]
    )
    return ShownClassExplanation.of(explanation, Grid.empty(plan, (), labels=classifier.labels))


def _progress(event: tuple[int, Progress | ClassExplanation]) -> Iterator[Progress]:
    if isinstance(event[1], Progress):
        yield event[1]


def explain_class(
    classifier: Classifier,
    target: int | str | tuple[int | str, ...] | Unit,
    method: str = "input-agnostic",
    *,
    seed: int = 0,
    pictures: Sequence[Source] = (),
    progress: bool | None = None,
    **settings: int | float | str | bool,
) -> ShownClassExplanation:
    """Find what a model takes a class to be: `explain_class_steps` run to its end; `progress` as in `explain`."""
    steps = explain_class_steps(classifier, target, method, seed=seed, pictures=pictures, **settings)
    return watched(steps, described(method).title, progress)


NO_COSTS = (
    "None of these methods gives costs that classes could be compared by; choose one that searches for the smallest "
    "pattern."
)


def find_backdoor(
    classifier: Classifier,
    *,
    seeds: Sequence[int] = backdoors.SEEDS,
    methods: Sequence[MethodChoice] = (),
    progress: bool | None = None,
) -> Suspicions:
    """For each class how odd it is that so little leads to it, the oddest class first.

    Each entry has the class (`target`, `label`), its `score` (how far its costs lie below those of the others, in the
    measure's unit), and `low` and `high`, the ends of the scores over the seeds. `decam.experiments.kinds.backdoors`
    has the threshold, and `verdict`, which puts a table into words. `methods` are the measures that are compared,
    unless those that suit the classifier. `progress` as in `explain`. Raises MethodError, ModelError and SettingError
    with a sentence.
    """
    plan = backdoors.plan(classifier, str(classifier.device), seeds=[seed_of(seed) for seed in seeds], methods=methods)
    grid = computed(Grid.empty(plan, (), labels=classifier.labels), lambda _: classifier, progress)
    found = Suspicions(backdoors.suspicions(grid))
    if not found:
        raise MethodError(next((cell.error for cell in grid.cells.values() if cell.error), NO_COSTS))
    return found


def measure(
    classifier: Classifier,
    image: Source,
    saliency: Map | Explanation,
    *,
    target: int | str | None = None,
    against: int | str | None = None,
    metrics: Iterable[str] = ("deletion", "insertion"),
    fill: str | None = None,
    steps: int | None = None,
    truth: Truth | None = None,
    method: str | Explanation | None = None,
    seed: int | None = None,
    framing: Framing | None = None,
) -> dict[str, float]:
    """The values of metrics for one map, by their names: {"deletion": …, "insertion": …}; NaN where one says nothing.

    `saliency` is H×W at the model's input size, or an Explanation, whose method, settings, target, seed and framing are
    then known; `target`, `against` and `framing` as in `explain`. `fill` (blur, box-blur, mean, black, noise) and
    `steps` apply to the metrics that have them; where not given each takes its own: deletion and insertion 196 steps
    from the picture to black and from its box blur, where the app draws 50 to the mean and from `blur`. What the
    tutorial's code calls black is `mean`. `truth` is a boolean mask H×W of the object, for localisation. `method` says
    how the map was made, for metrics that make it again: a name, with default settings, or an Explanation, which knows
    its seed and framing too. `seed` is where random numbers begin. Raises SettingError and MethodError with a sentence,
    also for an explanation of another view than that of `image`.
    """
    made = saliency if isinstance(saliency, Explanation) else method if isinstance(method, Explanation) else None
    view = _explained_view(classifier, image, made, framing)
    requests = [Request(row, _settings(row, fill, steps)) for row in map(get_metric, metrics)]
    target_index, other = class_index(classifier, target), class_index(classifier, against)
    if target_index is None and isinstance(saliency, Explanation):
        target_index = saliency.target
        other = saliency.against if other is None else other
    if target_index is None:
        target_index = int(probabilities(classifier, to_tensor(classifier, view).unsqueeze(0))[0].argmax())
    begin = seed_of(seed) if seed is not None else made.seed if made is not None else 0
    origin = None
    if isinstance(method, str):
        origin = origin_of(classifier, method, get_method(method).settings(), begin)
    elif made is not None:
        origin = origin_of(classifier, made.method, made.settings, begin)
    case = Case(
        question_of(classifier, view, target_index, other),
        checked_maps(classifier, [_as_map(saliency)]),
        None if truth is None else checked_truth(classifier, truth),
        (origin,),
        begin,
    )
    found = last(evaluate(case, requests))
    return {request.metric.name: one.value for request, (one,) in zip(requests, found, strict=True)}


def _explained_view(classifier: Classifier, image: Source, made: Explanation | None, framing: Framing | None) -> Pixels:
    """The picture as the model was shown it for an explanation; raises SettingError for another view than that."""
    known = made.begun.plan if isinstance(made, ShownExplanation) else None
    explained = known.pictures[0] if known is not None and known.pictures else None
    chosen = framing if framing is not None else CROP if explained is None else explained.framing
    view = framed(classifier, to_picture(image), checked(chosen))
    # Another model may see the same picture in another way.
    same_model = known is not None and known.model == classifier.name
    if explained is not None and same_model and fingerprint(view) != explained.sha256:
        raise SettingError(
            f"The explanation is of {explained.name}, framed by {explained.framing!r}, and this is another view; give "
            "what was explained, or the explanation's `saliency` alone."
        )
    return view


def _as_map(saliency: Map | Explanation) -> Map:
    if isinstance(saliency, Explanation):
        return saliency.saliency
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which metrics take note of
        return np.asarray(saliency, np.float32)


def _settings(row: Metric, fill: str | None, steps: int | None) -> Settings:
    """A metric's own settings, with what was given where it has it; raises SettingError for what no metric takes."""
    options = {"fill": fill, "steps": steps}
    FaithfulnessSettings.from_mapping({name: it for name, it in options.items() if it is not None})
    names = {described.name for described in row.settings.parameters()}
    return row.settings.from_mapping({name: it for name, it in options.items() if it is not None and name in names})


def compare(
    classifier: Classifier,
    images: Sequence[Source],
    methods: Sequence[str | MethodChoice] = ("de-cam", "grad-cam"),
    *,
    metrics: Sequence[str | MetricChoice] | None = None,
    targets: Sequence[int | str | None] = (),
    against: Sequence[int | str | None] = (),
    truths: Sequence[Truth | None] = (),
    seed: int = 0,
    framing: Framing = CROP,
    progress: bool | None = None,
) -> Comparison:
    """Explain each picture with each method and measure the maps, as the page does; returns the finished grid.

    A notebook shows the grid as a figure, which `figure()` gives as matplotlib's; `to_dataframe()` gives its values,
    `reading()` what they say in words and `to_html()` a page. `progress` as in `explain`.

    Methods and metrics by name have their default settings; without `metrics` they are deletion and insertion with
    both fills. `targets` has for each picture a class index, a part of a class name, or None for the prediction;
    `against` the class that it is told from, or None; `truths` a boolean mask H×W of the model's input size, or None.
    `framing` is as in `explain`. Pictures are called by their files' names. What failed is in its cell. `decam.export`
    writes the grid, `decam.export.drawing` draws it. Raises ImageError, MethodError and SettingError with a sentence.
    """
    seed = seed_of(seed)
    for name, given in (("targets", targets), ("against", against), ("truths", truths)):
        if given and len(given) != len(images):
            raise SettingError(f"There are {len(given)} {name} for {len(images)} images; give one for each, or none.")
    views = [framed(classifier, to_picture(image), checked(framing)) for image in images]
    masks = [None if truth is None else checked_truth(classifier, truth) for truth in truths] or [None] * len(views)
    pictures = [
        PictureChoice(_name(image, place), fingerprint(view), "" if mask is None else fingerprint(mask), framing)
        for place, (image, view, mask) in enumerate(zip(images, views, masks, strict=True), start=1)
    ]
    chosen = usual_metrics() if metrics is None else metrics
    plan = comparison.plan(
        classifier.name,
        str(classifier.device),
        pictures,
        [MethodChoice.default(one) if isinstance(one, str) else one for one in methods],
        targets=[class_index(classifier, target) for target in targets],
        against=[class_index(classifier, other) for other in against],
        metrics=[MetricChoice.default(one) if isinstance(one, str) else one for one in chosen],
        seed=seed,
        execution=classifier.execution,
    )
    grid = Grid.empty(plan, views, masks if any(mask is not None for mask in masks) else (), classifier.labels)
    return Comparison.of(computed(grid, lambda _: classifier, progress))


def _name(image: Source, place: int) -> str:
    return Path(image).name if isinstance(image, str | Path) else f"image {place}"


def sanity_check(
    classifier: Classifier,
    image: Source,
    methods: Sequence[str | MethodChoice] = ("grad-cam", "guided-backprop"),
    *,
    mode: Mode = "cascading",
    target: int | str | None = None,
    against: int | str | None = None,
    seed: int = 0,
    shuffled: Classifier | None = None,
    framing: Framing = CROP,
    progress: bool | None = None,
) -> Comparison:
    """Make each method's map again while the model forgets, and say how much of the original map is left.

    `image` is a path, a PIL image or an array; methods by name have their default settings; `target`, `against` and
    `framing` are as in `explain`. `mode` is "cascading" or "independent"; with `shuffled`, the same network trained on
    shuffled labels, the maps of that are compared instead. The grid's first question asks the original and the others
    its variants; `reading()` puts it into words. `progress` as in `explain`.
    Raises ImageError, MethodError and SettingError with a sentence.
    """
    seed = seed_of(seed)
    choices = [MethodChoice.default(method) if isinstance(method, str) else method for method in methods]
    view = framed(classifier, to_picture(image), checked(framing))
    target_index = class_index(classifier, target)
    if shuffled is not None and (shuffled.input_size, len(shuffled.labels)) != (
        classifier.input_size,
        len(classifier.labels),
    ):
        raise SettingError(
            f"{called(shuffled)} does not see and name the same images as {called(classifier)}; "
            "give the same network, trained on shuffled labels."
        )
    kind: Mode = mode if shuffled is None else "labels"
    plan = randomisation.plan(
        classifier,
        PictureChoice(_name(image, 1), fingerprint(view), framing=framing),
        choices,
        target=target_index,
        against=class_index(classifier, against),
        mode=kind,
        seed=seed,
    )
    drawn = models_by(lambda _: classifier)

    def models(spec: ModelSpec) -> Classifier:
        return shuffled if shuffled is not None and spec.variant is not None else drawn(spec)

    return Comparison.of(computed(Grid.empty(plan, [view], labels=classifier.labels), models, progress))
