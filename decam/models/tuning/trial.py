"""The trial of a few seconds: every way of asking is timed on a few pictures, then the best ones on whole rounds."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from decam.classifier import ENGINES, Execution, TorchClassifier
from decam.errors import ModelError
from decam.hardware import processor
from decam.models.tuning import timing
from decam.models.tuning.choices import (
    DOUBT,
    LONGEST_BATCH,
    SURE,
    Round,
    Trial,
    judged,
    noted,
    pick_round,
    power_of_two,
)
from decam.models.tuning.closeness import Judge
from decam.models.tuning.ways import PLAIN, favourites_of, modes

RIVAL = 1.5  # ways slower by less than this factor on a few images are tried on a whole round too
LARGEST_BATCH = {"cuda": 256}  # 64 elsewhere: memory, and nothing is won beyond
NEAR = 1.2  # rounds slower by less than this factor are timed once more,
PATIENCE = 2.0  # unless the first turn of all took so many seconds: then each was timed long enough
TURNS = 3  # rounds of each rival: of what a busy machine held up, the best counts
BUDGET = 0.9  # seconds for comparing the ways, checked between forwards; rounds take some seconds more
SLOWEST = 25e9  # multiply-adds a second: less is no slow machine but a busy one, whose times say little


@dataclass(frozen=True)
class Result:
    """The fastest way of asking, and how many images a second it answers; None where that was not measured."""

    execution: Execution
    rate: float | None = None


def find(classifier: TorchClassifier, engines: Collection[str] | None = None) -> Execution:
    """Try all ways of asking on a few pictures and return the fastest that gives the same answers.

    With `engines` only those of these engines, and float32 by PyTorch. The classifier is left in the way in which it
    was found.
    """
    return search(classifier, engines).execution


def search(classifier: TorchClassifier, engines: Collection[str] | None = None) -> Result:
    """What `find` finds, with its rate."""
    before = classifier.execution
    ways = modes(classifier.device)
    try:
        return _search(classifier, [way for way in ways if engines is None or way == PLAIN or way.engine in engines])
    finally:
        classifier.configure(before)


def _search(classifier: TorchClassifier, ways: Sequence[Execution]) -> Result:
    started = processor.read()
    favourites = favourites_of(classifier.device)
    pictures = timing.probe(classifier)
    classifier.configure(PLAIN)
    operations = timing.operations(classifier, pictures[:1])  # this first forward also sets things up
    single, _ = timing.timed(classifier, [pictures[:1]])
    ways, obstacles = _possible(classifier, ways, pictures[:1])
    deadline = time.perf_counter() + BUDGET
    # As many pictures as leave time for three forwards in every way.
    batch = pictures[: max(1, int(BUDGET / (3 * len(ways) * single)))]
    trials = _first_round(classifier, ways, batch, deadline, favourites)
    for _ in range(2):  # every way in turn, so that what slows the machine down for a moment slows all
        for index, trial in enumerate(trials):
            if time.perf_counter() > deadline:
                break
            classifier.configure(replace(trial.execution, batch_size=len(batch)))
            seconds = timing.timed(classifier, [batch])[0] / len(batch)
            trials[index] = replace(trial, seconds=min(trial.seconds, seconds))
    late = time.perf_counter() > deadline + BUDGET
    margin = DOUBT if processor.was_busy(started, timing.cores(classifier)) else SURE
    judge = Judge(classifier, PLAIN, single)
    best, trials = judged(trials, judge, favourites, margin)
    classifier.configure(best.execution)
    least = power_of_two(LONGEST_BATCH * SLOWEST / operations, _largest(classifier))
    whole = Round.of(least, timing.cores(classifier)) if late else _round(classifier, pictures, best.seconds, least)
    if not late:
        best, trials = _duel(classifier, pictures, best, trials, whole, judge, favourites, margin)
    execution = noted(best, trials, obstacles)
    execution = replace(execution, batch_size=whole.size, parallel_batches=whole.parallel_batches)
    if late:  # what a few images took says little about whole rounds
        return Result(execution)
    classifier.configure(execution)
    return Result(execution, whole.images / max(timing.together(classifier, pictures, whole, rounds=1), 1e-9))


def _possible(classifier: TorchClassifier, ways: Sequence[Execution], one: Tensor) -> tuple[list[Execution], list[str]]:
    """The ways whose engine can answer for the model, and a sentence for each engine that cannot.

    To prepare an engine takes seconds. It is asked once, before the clock of the trial starts.
    """
    obstacles: dict[str, str] = {}
    for engine in dict.fromkeys(way.engine for way in ways if ENGINES[way.engine].keeps_weights):
        classifier.configure(next(way for way in ways if way.engine == engine))
        try:
            classifier.answer(one)
        except (RuntimeError, MemoryError, ModelError) as error:
            obstacles[engine] = f"{ENGINES[engine].title} failed ({error})."
        if note := classifier.engine_note:
            obstacles[engine] = note
    return [way for way in ways if way.engine not in obstacles], list(obstacles.values())


def _duel(
    classifier: TorchClassifier,
    pictures: Tensor,
    best: Trial,
    trials: Sequence[Trial],
    whole: Round,
    judge: Judge,
    favourites: Sequence[Execution] = (),
    margin: float = SURE,
) -> tuple[Trial, list[Trial]]:
    """The fastest on a whole round of the ways that were about as fast as the best one on a few images."""
    shortest = min(trial.seconds for trial in trials)
    close = [trial for trial in trials if trial.seconds < RIVAL * shortest or trial.execution in favourites]
    rivals = [trial for trial in close if trial.may_do]
    times: dict[Trial, list[float]] = {trial: [] for trial in rivals}
    for trial in rivals * TURNS:  # in turns, as ever
        classifier.configure(replace(trial.execution, parallel_batches=whole.parallel_batches))
        with contextlib.suppress(torch.OutOfMemoryError, ModelError):  # another way may need more: then it is no rival
            times[trial].append(timing.together(classifier, pictures, whole, rounds=1) / whole.images)
    again = [replace(trial, seconds=min(taken)) for trial, taken in times.items() if taken]
    if len(again) < 2:
        return best, list(trials)
    best, again = judged(again, judge, favourites, margin)
    apart = [trial for trial in trials if trial.execution not in {one.execution for one in again}]
    return best, [*again, *apart]


def _first_round(
    classifier: TorchClassifier,
    ways: Sequence[Execution],
    batch: Tensor,
    deadline: float,
    favourites: Sequence[Execution] = (),
) -> list[Trial]:
    """Each way once, which sets it up; what takes three times as long as float32 is out.

    A way that does is timed once more: something else may have held the machine up, or setting up took so long. The
    favourites come next, whether or not time is up, and are never out.
    """
    order = list(ways)
    trials: list[Trial] = []
    for way in sorted(ways, key=lambda way: (way != PLAIN, way not in favourites)):
        if trials and way not in favourites and time.perf_counter() > deadline:
            break
        classifier.configure(replace(way, batch_size=len(batch)))
        try:
            seconds, _ = timing.timed(classifier, [batch])
        except (RuntimeError, ModelError):
            # Autocast or a kernel for this precision is missing on some devices: then the way is no candidate.
            if way == PLAIN:
                raise
            continue
        if trials and seconds / len(batch) >= 3 * trials[0].seconds:
            seconds = min(seconds, timing.timed(classifier, [batch])[0])
        trial = Trial(way, seconds / len(batch))
        if not trials or trial.seconds < 3 * trials[0].seconds or way in favourites:
            trials.append(trial)
    return sorted(trials, key=lambda trial: order.index(trial.execution))


def _round(classifier: TorchClassifier, pictures: Tensor, seconds: float, least: int) -> Round:
    """The smallest round that is about as fast as any and no longer than LONGEST_BATCH.

    `seconds` is what one image took before, from which the largest round worth trying follows, `least` at least.
    """
    largest = max(least, power_of_two(LONGEST_BATCH / seconds, _largest(classifier)))
    numbers = sorted({max(1, largest // 4), max(1, largest // 2), largest})
    candidates = [
        Round.of(images, parallel_batches)
        for images in numbers
        for parallel_batches in sorted({1, timing.cores(classifier)})
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
                taken = timing.together(classifier, pictures, candidate, rounds) / candidate.images
            except (torch.OutOfMemoryError, ModelError):
                break  # what was tried before is kept
            each[candidate] = min(taken, each.get(candidate, math.inf))
    return pick_round(each, Round.of(least, 1))


def _largest(classifier: TorchClassifier) -> int:
    return LARGEST_BATCH.get(classifier.device.type, 64)
