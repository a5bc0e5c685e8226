"""What it saves to keep a model's conversion for OpenVINO on disk: the first answer of a process, with and without.

Each answer is asked for by a process of its own, first on an empty data directory, where the model is converted, then
on the same directory, where the conversion is read. Timed is the first answer about one batch of four images: it
imports what it needs, converts or reads, compiles, and compares the conversion with the model. PyTorch has been
imported and the model built by then. The ImageNet models have random weights. Answers to another batch must have the
same bits both ways.

    .venv/bin/python -m benchmarks.conversions
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch

from benchmarks.forwards import build
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import head, row, spread
from decam.classifier import Execution
from decam.errors import ModelError

MODELS = ("embedded", "squeezenet1_0", "mobilenet_v3_large", "resnet50", "vit_b_16", "swin_t", "densenet121")
WAY = Execution(batch_size=4, engine="openvino")


@dataclass(frozen=True)
class First:
    """Seconds to the first answer of a process, and a digest of what it answers to another batch."""

    seconds: float
    answers: str


def first(name: str, directory: str) -> First:
    """Ask a model in this process, with `directory` as the data directory; raises ModelError without OpenVINO."""
    os.environ["DECAM_DATA"] = directory
    classifier = build(name)
    classifier.lasting = True
    classifier.inspection  # noqa: B018 - what the model takes is asked of PyTorch, before the clock starts
    classifier.configure(WAY)
    drawn = torch.rand(2, 4, 3, *classifier.input_size, generator=torch.Generator().manual_seed(0))
    batch, other = (classifier.normalise(images) for images in drawn)
    began = time.perf_counter()
    classifier.answer(batch)
    seconds = time.perf_counter() - began
    if classifier.engine_note:
        raise ModelError(classifier.engine_note)
    return First(seconds, hashlib.sha256(classifier.answer(other).numpy().tobytes()).hexdigest())


def alone(name: str, directory: str) -> First:
    """The same in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(first, name, directory).result()


def both(name: str) -> tuple[First, First]:
    """The first answer of a process that converts, and of one that reads what the other kept."""
    with tempfile.TemporaryDirectory() as directory:
        return alone(name, directory), alone(name, directory)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row a model."""
    parser = parser_of(__doc__)
    parser.add_argument("models", nargs="*", default=MODELS, help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    report = Report("Conversions kept on disk", "benchmarks.conversions", __doc__, arguments)
    report.say(f"medians of {asked.rounds} rounds\n")
    report.say(head(("model", "converted, s", "read, s", "times sooner", "the same bits")))
    for name in asked.models:
        report.say(compared(name, asked.rounds))
    report.write(asked.write)


def compared(name: str, rounds: int) -> str:
    """A line of the table."""
    pairs = [both(name) for _ in range(rounds)]
    converted, read = ([pair[place].seconds for pair in pairs] for place in (0, 1))
    gains = [made / again for made, again in zip(converted, read, strict=True)]
    same = len({one.answers for pair in pairs for one in pair}) == 1
    return row((name, spread(converted), spread(read), spread(gains, ".1f"), "yes" if same else "no"))


if __name__ == "__main__":
    script(main)
