"""Which precision, layout, batch size and number of parallel batches answer fastest: a short trial, remembered."""

from __future__ import annotations

import contextlib
import json
import math
import platform
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from decam import paths
from decam.classifier import EARLIER_NAMES, PRECISIONS, Execution, TorchClassifier, to_tensor
from decam.errors import ModelError
from decam.files import write_atomically
from decam.hardware import device, processor
from decam.hardware.parallel_batches import side_by_side
from decam.images.scenes import scene

LONGEST_BATCH = 0.5  # seconds: work can only be stopped between two batches
RIVAL = 1.5  # ways slower by less than this factor on a few images are tried on a whole round too
LARGEST_BATCH = {"cuda": 256}  # 64 elsewhere: memory, and nothing is won beyond
NEAR = 1.2  # rounds slower by less than this factor are timed once more,
PATIENCE = 2.0  # unless the first turn of all took so many seconds: then each was timed long enough
GAIN = 1.05  # a setting must be faster by this factor than a plainer one
SURE = 1.2  # what the processor is built for is left only for what is faster by this factor,
DOUBT = 3.0  # or by this one where other programs were at work
TOLERANCE = 0.05  # the largest change of a probability that a precision may cause
BUDGET = 0.9  # seconds for comparing the ways, checked between forwards; rounds take some seconds more
SLOWEST = 10e9  # multiply-adds a second: less is no slow machine but a busy one, whose times say little

_MODES = {precision: tuple(Execution(precision, layout) for layout in (False, True)) for precision in PRECISIONS}
_PLAIN = _MODES["float32"][0]
_TRIAL = "trial 2"  # results of older trials, which a busy machine misled, are left alone
_BUSY = "busy"  # in the memory: when the trial was made that is to be repeated on a quiet machine
_RATE = "rate"  # in the memory: images a second that the trial measured
AGAIN = 60.0  # seconds before a trial is repeated: processes that start together ask in the same way
FASTER = 1.5  # a run that is faster than the trial by this factor says that the trial was held up,
ENOUGH = 200  # if it asked about so many images,
TIMES = 2  # so many times in a row

_lock = threading.Lock()
_known: dict[str, Execution] = {}
_measured: dict[str, float] = {}  # images a second in trials of this process that are not stored yet
_surprises: dict[str, int] = {}  # runs in a row that were faster than their trial


@dataclass(frozen=True)
class Trial:
    """One way of asking, with the seconds that one image took and the largest change of a probability it caused."""

    execution: Execution
    seconds: float
    change: float


@dataclass(frozen=True)
class Round:
    """What is asked at a time: `parallel_batches` batches of `size` images side by side."""

    size: int
    parallel_batches: int = 1

    @classmethod
    def of(cls, images: int, parallel_batches: int) -> Round:
        """A round of so many images, or of one a stream."""
        return cls(max(1, images // parallel_batches), parallel_batches)

    @property
    def images(self) -> int:
        """Images of all parallel batches."""
        return self.size * self.parallel_batches


def remembered(classifier: TorchClassifier) -> Execution:
    """The fastest way to ask this model on this machine: from disk, else by a trial of a few seconds.

    Remembered, because another batch size or precision changes the last bits of a map: the same seed must give the
    same map in every process. The result of a trial on a busy machine holds only until a process finds the machine
    quiet and tries again; within a process nothing changes.
    """
    key = machine_key(classifier)
    with _lock:
        if key not in _known:
            stored = _load().get(key)
            execution = _parse(stored)
            if execution is None or (isinstance(stored, dict) and _is_due(stored, _cores(classifier))):
                before = processor.read()
                _measured.pop(key, None)
                again = find(classifier)
                busy = processor.was_busy(before, _cores(classifier))
                if execution is None or not busy:
                    execution = again
                    marks = {_BUSY: time.time()} if busy else {}
                    marks |= {_RATE: _measured[key]} if key in _measured else {}
                    _store(key, asdict(execution) | marks)
            _known[key] = execution
        return _known[key]


def observe(classifier: TorchClassifier, evaluations: int, seconds: float) -> None:
    """Compare a run with the trial: one that is much faster, time and again, has the trial repeated at the next start.

    A slower run says nothing: methods do work of their own between two evaluations.
    """
    key = machine_key(classifier)
    with _lock:
        if evaluations < ENOUGH or _known.get(key) != classifier.execution:
            return
        stored = _load().get(key)
        if not isinstance(stored, dict) or _parse(stored) != classifier.execution or _RATE not in stored:
            return
        rate = stored[_RATE]
        _surprises[key] = _surprises.get(key, 0) + 1 if evaluations > FASTER * rate * seconds else 0
        if _surprises[key] == TIMES:
            _store(key, stored | {_BUSY: 0.0})


def _is_due(stored: Mapping[str, Any], threads: int) -> bool:
    """True for the result of a trial to be repeated, on a machine that is quiet now for so many threads."""
    made = stored.get(_BUSY)
    return made is not None and abs(time.time() - made) > AGAIN and not processor.is_busy(threads)


def forget() -> None:
    """Forget what this process knows, so that the next question reads the disk again."""
    with _lock:
        _known.clear()
        _measured.clear()
        _surprises.clear()


def find(classifier: TorchClassifier) -> Execution:
    """Try all ways of asking on a few pictures and return the fastest that gives the same answers.

    The classifier is left in the way in which it was found.
    """
    before = classifier.execution
    try:
        execution, rate = _find(classifier)
    finally:
        classifier.configure(before)
    if rate is not None:
        _measured[machine_key(classifier)] = rate
    return execution


def machine_key(classifier: TorchClassifier) -> str:
    """What the result of a trial depends on."""
    where = device.describe(classifier.device)
    capability = torch.backends.cpu.get_cpu_capability()
    parts = (classifier.name, where, f"torch {torch.__version__}", _processor(), capability, _TRIAL)
    return " | ".join(parts)


def choose(trials: Sequence[Trial], favourites: Sequence[Execution] = (), margin: float = SURE) -> Trial:
    """The fastest of the trials, plainest first, that is close enough to the first and clearly faster than it.

    The first favourite that is among them and close enough, unless another is faster by the factor `margin`.
    """
    best = trials[0]
    for trial in trials[1:]:
        if trial.seconds * GAIN < best.seconds and trial.change <= TOLERANCE:  # NaN is no small change
            best = trial
    able = {trial.execution: trial for trial in trials if trial.change <= TOLERANCE}
    favourite = next((able[execution] for execution in favourites if execution in able), best)
    return favourite if favourite.seconds < margin * best.seconds else best


def favourites_of(where: torch.device) -> tuple[Execution, ...]:
    """What a device is known to do well, best first.

    On x86 processors channels last, in bfloat16 where they have instructions for it. On others nothing is known.
    """
    precisions = (
        *(("bfloat16",) if processor.has_bfloat16() else ()),
        *(("float32",) if processor.has_vectors() else ()),
    )
    return tuple(_MODES[precision][1] for precision in precisions) if where.type == "cpu" else ()


def noted(best: Trial, trials: Sequence[Trial]) -> Execution:
    """How the best of the trials asks, with a sentence on what it changes, or on what was faster and changed more."""
    faster = [trial for trial in trials if trial.seconds * GAIN < best.seconds and not trial.change <= TOLERANCE]
    allowed = f"on drawn scenes, where {TOLERANCE:g} is allowed"
    if faster:
        refused = min(faster, key=lambda trial: trial.seconds)
        note = (
            f"{refused.execution.precision} would be faster but changes probabilities by up to {refused.change:.2f} "
            f"{allowed}: not used."
        )
    elif best.execution.precision != "float32":
        note = f"{best.execution.precision} changes probabilities by at most {best.change:.4f} {allowed}."
    else:
        note = ""
    return replace(best.execution, note=note)


def _find(classifier: TorchClassifier) -> tuple[Execution, float | None]:
    """The fastest way, and how many images a second it answers, if that was measured."""
    deadline, started = time.perf_counter() + BUDGET, processor.read()
    favourites = favourites_of(classifier.device)
    pictures = _probe(classifier)
    classifier.configure(_PLAIN)
    operations = _operations(classifier, pictures[:1])  # this first forward also sets things up
    single, _ = _timed(classifier, [pictures[:1]])
    ways = modes(classifier.device)
    # As many pictures as leave time for three forwards in every way.
    batch = pictures[: max(1, int(BUDGET / (3 * len(ways) * single)))]
    trials = _first_round(classifier, ways, batch, deadline, favourites)
    for _ in range(2):  # every way in turn, so that what slows the machine down for a moment slows all
        for index, trial in enumerate(trials):
            if time.perf_counter() > deadline:
                break
            classifier.configure(replace(trial.execution, batch_size=len(batch)))
            seconds = _timed(classifier, [batch])[0] / len(batch)
            trials[index] = replace(trial, seconds=min(trial.seconds, seconds))
    margin = DOUBT if processor.was_busy(started, _cores(classifier)) else SURE
    best = choose(trials, favourites, margin)
    classifier.configure(best.execution)
    least = power_of_two(LONGEST_BATCH * SLOWEST / operations, _largest(classifier))
    late = time.perf_counter() > deadline + BUDGET
    found = Round.of(least, _cores(classifier)) if late else _round(classifier, pictures, best.seconds, least)
    if not late:
        best = _duel(classifier, pictures, best, trials, found, favourites, margin)
    execution = replace(noted(best, trials), batch_size=found.size, parallel_batches=found.parallel_batches)
    if late:  # what a few images took says little about whole rounds
        return execution, None
    classifier.configure(execution)
    return execution, found.images / max(_together(classifier, pictures, found, rounds=1), 1e-9)


def _duel(
    classifier: TorchClassifier,
    pictures: Tensor,
    best: Trial,
    trials: list[Trial],
    found: Round,
    favourites: Sequence[Execution] = (),
    margin: float = SURE,
) -> Trial:
    """The fastest on a whole round of the ways that were about as fast as the best one on a few images."""
    shortest = min(trial.seconds for trial in trials)
    close = [trial for trial in trials if trial.seconds < RIVAL * shortest or trial.execution in favourites]
    rivals = [trial for trial in close if trial.change <= TOLERANCE]
    times: dict[Trial, list[float]] = {trial: [] for trial in rivals}
    for trial in rivals * 2:  # in turns, as ever
        classifier.configure(trial.execution)
        with contextlib.suppress(torch.OutOfMemoryError):  # another layout may need more: then it is no rival
            times[trial].append(_together(classifier, pictures, found) / found.images)
    again = {replace(trial, seconds=min(taken)): trial for trial, taken in times.items() if taken}
    return again[choose(list(again), favourites, margin)] if len(again) > 1 else best


def _first_round(
    classifier: TorchClassifier,
    ways: tuple[Execution, ...],
    batch: Tensor,
    deadline: float,
    favourites: Sequence[Execution] = (),
) -> list[Trial]:
    """Each way once, which sets it up and shows how it changes the answers; what takes three times as long is out.

    A way that does is timed once more: something else may have held the machine up, or setting up took so long. The
    favourites come next, whether or not time is up, and are never out.
    """
    order = list(ways)
    ways = tuple(sorted(ways, key=lambda way: (way != _PLAIN, way not in favourites)))
    trials: list[Trial] = []
    expected: Tensor | None = None
    for way in ways:
        if trials and way not in favourites and time.perf_counter() > deadline:
            break
        classifier.configure(replace(way, batch_size=len(batch)))
        try:
            seconds, answers = _timed(classifier, [batch])
        except (RuntimeError, ModelError):
            # Autocast or a kernel for this precision is missing on some devices: then the way is no candidate.
            if way == _PLAIN:
                raise
            continue
        expected = answers if expected is None else expected
        if trials and seconds / len(batch) >= 3 * trials[0].seconds:
            seconds = min(seconds, _timed(classifier, [batch])[0])
        trial = Trial(way, seconds / len(batch), float((answers - expected).abs().max()))
        if not trials or trial.seconds < 3 * trials[0].seconds or way in favourites:
            trials.append(trial)
    return sorted(trials, key=lambda trial: order.index(trial.execution))


def modes(where: torch.device) -> tuple[Execution, ...]:
    """What is worth trying on a device, plainest first.

    float16, whose numbers end at 65504, on GPUs alone; forwards recorded as graphs on CUDA.
    """
    half = _MODES["bfloat16"] if _bfloat16_pays(where) else ()
    plain = _MODES["float32"] + half + (_MODES["float16"] if where.type != "cpu" else ())
    return plain + tuple(replace(way, cuda_graph=True) for way in plain if where.type == "cuda")


def _bfloat16_pays(where: torch.device) -> bool:
    """Whether a small convolution in bfloat16 is no slower than in float32: without the instructions it is far slower.

    Asked apart from the model, since then a single forward of it can take seconds; not where the processor is known
    to have them, for a busy machine could deny it.
    """
    if where.type != "cpu" or processor.has_bfloat16():
        return True
    images = torch.zeros(2, 64, 28, 28)
    convolution = torch.nn.Conv2d(64, 64, 3, padding=1)
    times: dict[bool, float] = {}
    for fast in (False, True):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
            rounds = []
            for layout in (torch.contiguous_format, torch.channels_last) * 3:
                start = time.perf_counter()
                convolution.to(memory_format=layout)(images.contiguous(memory_format=layout))
                rounds.append(time.perf_counter() - start)
        times[fast] = min(rounds)
    return times[True] < 1.5 * times[False]


def _round(classifier: TorchClassifier, pictures: Tensor, seconds: float, least: int) -> Round:
    """The smallest round that is about as fast as any and no longer than LONGEST_BATCH.

    `seconds` is what one image took before, from which the largest round worth trying follows, `least` at least.
    """
    largest = max(least, power_of_two(LONGEST_BATCH / seconds, _largest(classifier)))
    numbers = sorted({max(1, largest // 4), max(1, largest // 2), largest})
    candidates = [
        Round.of(images, parallel_batches) for images in numbers for parallel_batches in sorted({1, _cores(classifier)})
    ]
    each: dict[Round, float] = {}
    began = time.perf_counter()
    for turn in range(2):  # in turns, so that what slows the machine down for a moment slows all
        if turn and time.perf_counter() - began > PATIENCE:
            break
        for candidate in candidates:
            if turn and each.get(candidate, math.inf) > NEAR * min(each.values(), default=math.inf):
                continue
            rounds = max(2, largest // candidate.images)
            try:
                taken = _together(classifier, pictures, candidate, rounds) / candidate.images
            except torch.OutOfMemoryError:
                break  # what was tried before is kept
            each[candidate] = min(taken, each.get(candidate, math.inf))
    return pick_round(each, Round.of(least, 1))


def _together(classifier: TorchClassifier, pictures: Tensor, candidate: Round, rounds: int = 2) -> float:
    """Seconds that a round takes, from so many in a row."""
    classifier.configure(replace(classifier.execution, batch_size=candidate.size))
    batch = pictures.repeat(-(-candidate.size // len(pictures)), 1, 1, 1)[: candidate.size]
    return _timed(classifier, [batch] * (rounds * candidate.parallel_batches), candidate.parallel_batches)[0] / rounds


def _cores(classifier: TorchClassifier) -> int:
    """How many batches may be asked side by side: one a core, where the model runs on cores."""
    return torch.get_num_threads() if classifier.device.type == "cpu" else 1


def power_of_two(value: float, largest: int) -> int:
    """The largest power of two up to `value` and `largest`, at least 1."""
    size = 1
    while 2 * size <= min(value, largest):
        size *= 2
    return size


def _largest(classifier: TorchClassifier) -> int:
    return LARGEST_BATCH.get(classifier.device.type, 64)


def pick_round(each: dict[Round, float], least: Round) -> Round:
    """The round within GAIN of the fastest that is over soonest, from seconds an image; `least` if all take too long.

    Among these, more parallel batches go first: they lose less when other work takes a core away for a moment.
    """
    short = {found: seconds for found, seconds in each.items() if found.images * seconds <= LONGEST_BATCH}
    if not short:
        return least
    fastest = min(short.values())
    good = [found for found, seconds in short.items() if seconds <= fastest * GAIN]
    return min(good, key=lambda found: (-found.parallel_batches, found.images))


def _operations(classifier: TorchClassifier, one: Tensor) -> float:
    """Multiply-adds of the convolutions and linear layers for one image."""
    counts = [1.0]

    def count(part: nn.Module, _: object, output: Tensor) -> None:
        weight = part.get_parameter("weight")
        counts.append(output.numel() * weight.numel() / weight.shape[0])

    parts = [part for part in classifier.module.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [part.register_forward_hook(count) for part in parts]
    try:
        classifier.answer(one)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def _timed(classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1) -> tuple[float, Tensor]:
    """Seconds for some batches, and the last one's answers."""
    if classifier.execution.cuda_graph:
        classifier.answer(batches[0])  # recorded before the clock starts
    device.synchronise(classifier.device)
    start = time.perf_counter()
    answers = list(side_by_side(classifier.answer, batches, parallel_batches))
    device.synchronise(classifier.device)
    return time.perf_counter() - start, answers[-1]


def _probe(classifier: TorchClassifier) -> Tensor:
    """Eight scenes as the model takes them."""
    views = [classifier.view(Image.fromarray(scene.scene(seed).image)) for seed in range(8)]
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
    return paths.directory() / "speed.json"


def _load() -> dict[str, Any]:
    """What is on disk; nothing where the file is absent or damaged, for it is only a memory and is written anew."""
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _parse(stored: object) -> Execution | None:
    """A stored execution, or None if it is absent or not one."""
    names = [described.name for described in fields(Execution)]
    if not isinstance(stored, dict):
        return None
    stored = {EARLIER_NAMES.get(name, name): value for name, value in stored.items()}
    if set(stored) - {_BUSY, _RATE} != set(names):
        return None
    precision, layout, size, parallel_batches, note, cuda_graph = (stored[name] for name in names)
    if precision not in PRECISIONS or not type(layout) is type(cuda_graph) is bool or not isinstance(note, str):
        return None
    counts = ((size, 4096), (parallel_batches, 1024))
    if any(type(count) is not int or not 1 <= count <= most for count, most in counts):
        return None
    marks = [stored[name] for name in (_BUSY, _RATE) if name in stored]
    if not all(type(mark) is float and 0 <= mark < math.inf for mark in marks):
        return None
    return Execution(precision, layout, size, parallel_batches, note, cuda_graph)


def _store(key: str, entry: dict[str, Any]) -> None:
    """Write to disk; a directory that cannot be written leaves the memory of this process."""
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(_load() | {key: entry}, indent=1).encode())
