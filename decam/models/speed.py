"""Which precision, memory layout and batch size answer fastest: a short trial, remembered for this machine."""

from __future__ import annotations

import contextlib
import json
import platform
import statistics
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from decam import data, device
from decam.classifier import Speed, TorchClassifier, to_tensor
from decam.images import scenes

LONGEST_BATCH = 0.35  # seconds: work can only be stopped between two batches
LARGEST_BATCH = {"cuda": 256}  # 64 elsewhere: memory, and nothing is won beyond
GAIN = 1.05  # a setting must be faster by this factor than a plainer one
TOLERANCE = 0.05  # the largest change of a probability that a precision may cause
BUDGET = 0.9  # seconds for comparing the ways, checked between forwards; the batch size takes half as much again

_MODES = (
    Speed("float32", channels_last=False),
    Speed("float32", channels_last=True),
    Speed("bfloat16", channels_last=False),
    Speed("bfloat16", channels_last=True),
)

_lock = threading.Lock()
_known: dict[str, Speed] = {}


@dataclass(frozen=True)
class Trial:
    """One way of asking, with the seconds that one image took and the largest change of a probability it caused."""

    speed: Speed
    seconds: float
    change: float


def remembered(classifier: TorchClassifier) -> Speed:
    """The fastest way to ask this model on this machine: from disk, else by a trial of about a second.

    Remembered, because another batch size or precision changes the last bits of a map: the same seed must give the
    same map in every process.
    """
    key = machine_key(classifier)
    with _lock:
        if key not in _known:
            speed = _parse(_load().get(key))
            if speed is None:
                speed = find(classifier)
                _store(key, speed)
            _known[key] = speed
        return _known[key]


def forget() -> None:
    """Forget what this process knows, so that the next question reads the disk again."""
    with _lock:
        _known.clear()


def find(classifier: TorchClassifier) -> Speed:
    """Try all ways of asking on a few pictures and return the fastest that gives the same answers.

    The classifier is left in the way in which it was found.
    """
    before = classifier.speed
    try:
        return _find(classifier)
    finally:
        classifier.use(before)


def machine_key(classifier: TorchClassifier) -> str:
    """What the result of a trial depends on."""
    where = device.describe(classifier.device)
    capability = torch.backends.cpu.get_cpu_capability()
    parts = (classifier.name, where, f"torch {torch.__version__}", _processor(), capability)
    return " | ".join(parts)


def choose(trials: list[Trial]) -> Speed:
    """The fastest of the trials, plainest first, that is close enough to the first and clearly faster than it."""
    best = trials[0]
    note = ""
    for trial in trials[1:]:
        if trial.seconds * GAIN >= best.seconds:
            continue
        if not trial.change <= TOLERANCE:  # NaN is no small change
            note = (
                f"{trial.speed.precision} would be faster but changes probabilities by up to {trial.change:.2f}: "
                "not used."
            )
            continue
        best = trial
    return Speed(best.speed.precision, best.speed.channels_last, best.speed.batch_size, note)


def _find(classifier: TorchClassifier) -> Speed:
    deadline = time.perf_counter() + BUDGET
    pictures = _probe(classifier)
    classifier.use(_MODES[0])
    _timed(classifier, pictures[:1])  # the first forward also sets things up
    single, _ = _timed(classifier, pictures[:1])
    # As many pictures as leave time for three forwards in every mode.
    count = int((deadline - time.perf_counter()) / (3 * len(_MODES) * single))
    batch = pictures[: max(1, count)]
    trials: list[Trial] = []
    expected: Tensor | None = None
    for mode in _MODES:
        if trials and time.perf_counter() > deadline:
            break
        classifier.use(mode)
        try:
            first, answers = _timed(classifier, batch)
        except (RuntimeError, NotImplementedError):
            # Autocast or a kernel for this precision is missing on some devices: then the mode is no candidate.
            if mode == _MODES[0]:
                raise
            continue
        expected = answers if expected is None else expected
        change = float((answers - expected).abs().max())
        trials.append(Trial(mode, _median(classifier, batch, first, deadline) / len(batch), change))
    chosen = choose(trials)
    classifier.use(chosen)
    seconds = next(
        trial.seconds for trial in trials if (trial.speed.precision, trial.speed.channels_last) == _way(chosen)
    )
    size = _batch_size(classifier, pictures, seconds)
    return Speed(chosen.precision, chosen.channels_last, size, chosen.note)


def _way(speed: Speed) -> tuple[str, bool]:
    return speed.precision, speed.channels_last


def _median(classifier: TorchClassifier, batch: Tensor, first: float, deadline: float) -> float:
    """The median of up to three forwards; the first one, with which the mode was set up, counts only if alone."""
    times: list[float] = []
    while len(times) < 3 and time.perf_counter() + min([first, *times]) < deadline:
        times.append(_timed(classifier, batch)[0])
    return statistics.median(times or [first])


def _batch_size(classifier: TorchClassifier, pictures: Tensor, seconds: float) -> int:
    """The smallest batch that is about as fast as any, with none longer than LONGEST_BATCH.

    `seconds` is what one image took before, from which the largest batch worth trying follows.
    """
    largest = 1
    while 2 * largest <= LARGEST_BATCH.get(classifier.device.type, 64) and 2 * largest * seconds <= LONGEST_BATCH:
        largest *= 2
    each: dict[int, float] = {}
    for size in sorted({max(1, largest // 4), max(1, largest // 2), largest}):
        batch = pictures.repeat(-(-size // len(pictures)), 1, 1, 1)[:size]
        try:
            times = [_timed(classifier, batch)[0]]
            if times[0] < LONGEST_BATCH / 4:
                times.append(_timed(classifier, batch)[0])
        except torch.OutOfMemoryError:
            break  # what was tried before is kept
        each[size] = min(times) / size
    return pick_batch(each)


def pick_batch(each: dict[int, float]) -> int:
    """The smallest size within GAIN of the fastest, from seconds an image by size; 1 if there is none to pick from."""
    short = {size: seconds for size, seconds in each.items() if size * seconds <= LONGEST_BATCH}
    if not short:
        return min(each, default=1)
    fastest = min(short.values())
    return min(size for size, seconds in short.items() if seconds <= fastest * GAIN)


def _timed(classifier: TorchClassifier, batch: Tensor) -> tuple[float, Tensor]:
    """Seconds for one batch, and its answers."""
    device.synchronise(classifier.device)
    start = time.perf_counter()
    answers = classifier.answer(batch)
    device.synchronise(classifier.device)
    return time.perf_counter() - start, answers


def _probe(classifier: TorchClassifier) -> Tensor:
    """Eight scenes as the model takes them."""
    views = [classifier.view(Image.fromarray(scenes.scene(seed).image)) for seed in range(8)]
    return classifier.normalise(torch.stack([to_tensor(classifier, view) for view in views]))


def _processor() -> str:
    """The processor's name; two machines may share one data directory."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in described.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _file() -> Path:
    return data.directory() / "speed.json"


def _load() -> dict[str, Any]:
    """What is on disk; nothing where the file is absent or damaged, for it is only a memory and is written anew."""
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _parse(stored: object) -> Speed | None:
    """A stored speed, or None if it is absent or not one."""
    if not isinstance(stored, dict) or set(stored) != {"precision", "channels_last", "batch_size", "note"}:
        return None
    precision, layout, size, note = (stored[key] for key in ("precision", "channels_last", "batch_size", "note"))
    if precision not in ("float32", "bfloat16") or type(layout) is not bool or not isinstance(note, str):
        return None
    if type(size) is not int or not 1 <= size <= 4096:
        return None
    return Speed(precision, layout, size, note)


def _store(key: str, speed: Speed) -> None:
    """Write to disk; a directory that cannot be written leaves the memory of this process."""
    path = _file()
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_load() | {key: asdict(speed)}, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
