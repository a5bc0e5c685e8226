"""The bare forward pass of a model: how it is built, asked and timed, and the setting in which it is fastest."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from PIL import Image
from torchvision.models import get_model

from decam.classifier import EAGER, Execution, Pixels, TorchClassifier, computing
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.hardware import device
from decam.hardware.parallel_batches import side_by_side
from decam.images.scenes.scene import scene
from decam.models import load_classifier
from decam.models.tuning import modes
from decam.settings import Settings

SIZES = {"cpu": (1, 4, 8, 16, 32, 64), "cuda": (16, 32, 64, 128, 256, 512)}
TRIAL_SECONDS = {"cuda": 0.25}  # for one setting of the bare pass; 1 elsewhere
LEADERS = 3
LONGEST_BATCH = 2.0  # seconds: larger batches are not tried


def build(name: str) -> TorchClassifier:
    """The embedded model, or a torchvision model with random weights."""
    if name == "embedded":
        return load_classifier(name, exact=True)
    torch.manual_seed(0)
    return TorchClassifier(name, get_model(name, weights=None), [str(i) for i in range(1000)], device=device.best())


def picture(classifier: TorchClassifier) -> Pixels:
    """What all are asked about."""
    return classifier.view(Image.fromarray(scene(7).image))


def through(
    classifier: TorchClassifier, view: Pixels, execution: Execution, method: str, settings: Settings
) -> tuple[int, float]:
    """Evaluations of one run of a method, and its seconds from the picture to the finished map."""
    classifier.configure(execution)
    began = time.perf_counter()
    explanation = last(explain_view(classifier, view, method, settings, None, 0))
    return explanation.evaluations, time.perf_counter() - began


def bare(classifier: TorchClassifier, execution: Execution, batches: int) -> float:
    """Images a second when the module is called on the same batch that many times."""
    classifier.configure(execution)
    batch = torch.rand(execution.batch_size, 3, *classifier.input_size, device=classifier.device)
    batch = batch.contiguous(memory_format=torch.channels_last if execution.channels_last else torch.contiguous_format)

    def forward(_: int) -> None:
        with torch.inference_mode(), computing(classifier.device, execution.precision):
            classifier.module(batch)

    device.synchronise(classifier.device)
    began = time.perf_counter()
    for _ in side_by_side(forward, range(batches), execution.parallel_batches):
        pass
    device.synchronise(classifier.device)
    return batches * execution.batch_size / (time.perf_counter() - began)


def answered(classifier: TorchClassifier, execution: Execution, batches: int) -> float:
    """Images a second when the same batch is answered that many times, by the engine of the execution."""
    classifier.configure(execution)
    batch = classifier.normalise(torch.rand(execution.batch_size, 3, *classifier.input_size))
    classifier.answer(batch)  # an engine prepares itself at the first question
    device.synchronise(classifier.device)
    began = time.perf_counter()
    for _ in side_by_side(lambda _: classifier.answer(batch), range(batches), execution.parallel_batches):
        pass
    device.synchronise(classifier.device)
    return batches * execution.batch_size / (time.perf_counter() - began)


def worthwhile(classifier: TorchClassifier) -> dict[Execution, float]:
    """Precisions and layouts that are not far behind the fastest, with images a second on batches of two."""
    ways = [way for way in modes(classifier.device) if way.engine == EAGER]
    small = {way: max(bare(classifier, replace(way, batch_size=2), 1) for _ in range(2)) for way in ways}
    best = max(small.values())
    return {way: rate for way, rate in small.items() if rate > 0.7 * best}


def sizes(classifier: TorchClassifier, rate: float) -> Sequence[int]:
    """Sizes of a batch worth trying where so many images a second are answered."""
    known = SIZES.get(classifier.device.type, SIZES["cpu"])
    return [size for size in known if size / rate <= LONGEST_BATCH] or [1]


def fastest(classifier: TorchClassifier, also: Execution) -> Execution:
    """The setting in which the bare module answers most images a second; modes far behind are not swept.

    One short turn says little on a busy machine: the leaders, and one setting beside them, take four more in turns.
    """
    worth = worthwhile(classifier)
    best = max(worth.values())
    side = torch.get_num_threads() if classifier.device.type == "cpu" else 1
    seconds = TRIAL_SECONDS.get(classifier.device.type, 1.0)
    rates = {}
    for mode, parallel_batches, size in itertools.product(worth, sorted({1, side}), sizes(classifier, best)):
        if size > 1 and size * parallel_batches / best > LONGEST_BATCH:
            continue
        execution = Execution(mode.precision, mode.channels_last, size, parallel_batches)
        batches = max(2 * parallel_batches, round(seconds * best / size / 2))
        rates[execution] = max(bare(classifier, execution, batches) for _ in range(2))
    leaders = {*sorted(rates, key=rates.__getitem__, reverse=True)[:LEADERS], replace(also, note="")}
    again: dict[Execution, list[float]] = {execution: [] for execution in leaders}
    for _ in range(4):
        for execution, found in again.items():
            batches = max(2 * execution.parallel_batches, round(seconds * best / execution.batch_size))
            found.append(bare(classifier, execution, batches))
    return max(again, key=lambda execution: statistics.median(again[execution]))
