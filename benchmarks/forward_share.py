"""How much of a DE-CAM run is the model: its evaluations a second over those of the bare forward pass.

The bare pass calls the module on one batch again and again, in the precision, memory layout, batch size and number of
batches side by side that are fastest for it here. Both are timed in turns in one process, so that what else the machine
does hits both. The ImageNet models have random weights, which take as long as trained ones; a slow model gets a smaller
budget, so that a run takes about RUN_SECONDS.

    .venv/bin/python -m benchmarks.forward_share
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from PIL import Image
from torchvision.models import get_model

from benchmarks.machine import machine
from decam import device
from decam.api import explain_view, last
from decam.classifier import Pixels, Speed, TorchClassifier
from decam.images import scenes
from decam.methods.de_cam import DeCamSettings
from decam.models import load_classifier
from decam.models.speed import find
from decam.streams import side_by_side

MODELS = ("embedded", "squeezenet1_0", "resnet50")
SIZES = (1, 4, 8, 16, 32, 64)
MODES = tuple(Speed(precision, layout) for precision in ("float32", "bfloat16") for layout in (False, True))
TRIAL_SECONDS = 1.0  # for one setting of the bare pass
LONGEST_BATCH = 2.0  # seconds: larger batches are not tried
RUN_SECONDS = 20.0


@dataclass(frozen=True)
class Round:
    """One turn: images a second through the bare module, and evaluations a second of a DE-CAM run."""

    bare: float
    de_cam: float

    @property
    def share(self) -> float:
        """The second over the first."""
        return self.de_cam / self.bare


def main() -> None:
    """Print one row a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS, help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=DeCamSettings().budget, help="at most (%(default)s)")
    asked = parser.parse_args()
    print(f"{machine()}\nmedians of {asked.rounds} rounds in turns\n")
    print("| model | bare forward pass, images/s | at | DE-CAM, evaluations/s | budget | at | share | from, to |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in asked.models:
        print(row(name, asked.rounds, asked.budget), flush=True)


def row(name: str, rounds: int, most: int) -> str:
    """Time one model and say what came out."""
    classifier = build(name)
    view = classifier.view(Image.fromarray(scenes.scene(7).image))
    best, chosen = fastest(classifier), find(classifier)
    evaluations, seconds = through(classifier, view, chosen, DeCamSettings(budget=200))  # also sets things up
    settings = DeCamSettings(budget=min(most, max(200, round(RUN_SECONDS * evaluations / seconds, -2))))
    turns = []
    for _ in range(rounds):
        evaluations, seconds = through(classifier, view, chosen, settings)
        batches = max(1, round(evaluations / best.batch_size))
        turns.append(Round(bare(classifier, best, batches), evaluations / seconds))
    shares = [turn.share for turn in turns]
    return (
        f"| {name} | {statistics.median(turn.bare for turn in turns):.1f} | {words(best)} "
        f"| {statistics.median(turn.de_cam for turn in turns):.1f} | {settings.budget} | {words(chosen)} "
        f"| {statistics.median(shares):.1%} | {min(shares):.1%} to {max(shares):.1%} |"
    )


def build(name: str) -> TorchClassifier:
    """The embedded model, or a torchvision model with random weights."""
    if name == "embedded":
        return load_classifier(name, exact=True)
    torch.manual_seed(0)
    return TorchClassifier(name, get_model(name, weights=None), [str(i) for i in range(1000)], device=device.best())


def through(classifier: TorchClassifier, view: Pixels, speed: Speed, settings: DeCamSettings) -> tuple[int, float]:
    """Evaluations of one DE-CAM run, and its seconds from the picture to the finished map."""
    classifier.use(speed)
    began = time.perf_counter()
    explanation = last(explain_view(classifier, view, "de-cam", settings, None, 0))
    return explanation.evaluations, time.perf_counter() - began


def bare(classifier: TorchClassifier, speed: Speed, batches: int) -> float:
    """Images a second when the module is called on the same batch that many times."""
    classifier.use(speed)
    batch = torch.rand(speed.batch_size, 3, *classifier.input_size, device=classifier.device)
    batch = batch.contiguous(memory_format=torch.channels_last if speed.channels_last else torch.contiguous_format)
    kind = classifier.device.type

    def forward(_: int) -> None:
        context = torch.autocast(kind, torch.bfloat16) if speed.precision == "bfloat16" else nullcontext()
        with torch.inference_mode(), context:
            classifier.module(batch)

    device.synchronise(classifier.device)
    began = time.perf_counter()
    for _ in side_by_side(forward, range(batches), speed.streams):
        pass
    device.synchronise(classifier.device)
    return batches * speed.batch_size / (time.perf_counter() - began)


def fastest(classifier: TorchClassifier) -> Speed:
    """The setting in which the bare module answers most images a second; modes far behind are not swept."""
    small = {
        mode: max(bare(classifier, Speed(mode.precision, mode.channels_last, 2), 1) for _ in range(2)) for mode in MODES
    }
    best = max(small.values())
    worth = [mode for mode, rate in small.items() if rate > 0.7 * best]
    side = torch.get_num_threads() if classifier.device.type == "cpu" else 1
    rates = {}
    for mode, streams, size in itertools.product(worth, sorted({1, side}), SIZES):
        if size * streams / best > LONGEST_BATCH:
            continue
        speed = Speed(mode.precision, mode.channels_last, size, streams)
        batches = max(2 * streams, round(TRIAL_SECONDS * best / size / 2))
        rates[speed] = max(bare(classifier, speed, batches) for _ in range(2))
    return max(rates, key=rates.__getitem__)


def words(speed: Speed) -> str:
    """A setting in words."""
    layout = "channels last" if speed.channels_last else "contiguous"
    side = f", {speed.streams} side by side" if speed.streams > 1 else ""
    return f"{speed.precision}, {layout}, batch {speed.batch_size}{side}"


if __name__ == "__main__":
    main()
