"""The results of trials, remembered in speed.json so that the same seed gives the same map in every process."""

from __future__ import annotations

import contextlib
import json
import math
import platform
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from decam import paths
from decam.classifier import ENGINES, PRECISIONS, Execution, TorchClassifier, todays
from decam.files import write_atomically
from decam.hardware import device, processor
from decam.models import catalogue
from decam.models.tuning.timing import cores
from decam.models.tuning.trial import search

_TRIAL = "trial 3"  # results of older trials, which knew no engines, are left alone
_BUSY = "busy"  # in the memory: when the trial was made that is to be repeated on a quiet machine
_RATE = "rate"  # in the memory: images a second that the trial measured
AGAIN = 60.0  # seconds before a trial is repeated: processes that start together ask in the same way
FASTER = 1.5  # a run that is faster than the trial by this factor says that the trial was held up,
ENOUGH = 200  # if it asked about so many images,
TIMES = 2  # so many times in a row

_lock = threading.Lock()
_executions: dict[str, Execution] = {}  # by machine key: what this process asks with
_surprises: dict[str, int] = {}  # by machine key: runs in a row that were faster than their trial


def remembered(classifier: TorchClassifier) -> Execution:
    """The fastest way to ask this model on this machine: from disk, else by a trial of a few seconds.

    Remembered, because another batch size or precision changes the last bits of a map: the same seed must give the
    same map in every process. The result of a trial on a busy machine holds only until a process finds the machine
    quiet and tries again; within a process nothing changes.
    """
    key = machine_key(classifier)
    with _lock:
        if key not in _executions:
            stored = _load().get(key)
            execution = _parse(stored)
            if execution is None or (isinstance(stored, dict) and _is_due(stored, cores(classifier))):
                before = processor.read()
                again = search(classifier)
                busy = processor.was_busy(before, cores(classifier))
                if execution is None or not busy:
                    execution = again.execution
                    marks = {_BUSY: time.time()} if busy else {}
                    marks |= {} if again.rate is None else {_RATE: again.rate}
                    _store(key, asdict(execution) | marks)
            _executions[key] = execution
        return _executions[key]


def observe(classifier: TorchClassifier, evaluations: int, seconds: float) -> None:
    """Compare a run with the trial: one that is much faster, time and again, has the trial repeated at the next start.

    A slower run says nothing: methods do work of their own between two evaluations.
    """
    key = machine_key(classifier)
    with _lock:
        if evaluations < ENOUGH or _executions.get(key) != classifier.execution:
            return
        stored = _load().get(key)
        if not isinstance(stored, dict) or _parse(stored) != classifier.execution or _RATE not in stored:
            return
        rate = stored[_RATE]
        _surprises[key] = _surprises.get(key, 0) + 1 if evaluations > FASTER * rate * seconds else 0
        if _surprises[key] == TIMES:
            _store(key, stored | {_BUSY: 0.0})


def forget() -> None:
    """Forget what this process knows, so that the next question reads the disk again."""
    with _lock:
        _executions.clear()
        _surprises.clear()


def _is_due(stored: Mapping[str, Any], threads: int) -> bool:
    """True for the result of a trial to be repeated, on a machine that is quiet now for so many threads."""
    made = stored.get(_BUSY)
    return made is not None and abs(time.time() - made) > AGAIN and not processor.is_busy(threads)


def machine_key(classifier: TorchClassifier) -> str:
    """What the result of a trial depends on."""
    where = device.describe(classifier.device)
    capability = torch.backends.cpu.get_cpu_capability()
    versions = [f"torch {torch.__version__}"]
    versions += [f"{engine.name} {engine.version()}" for engine in ENGINES.values() if engine.version()]
    weights = catalogue.digest(classifier.name)  # a path may have been another file's before
    parts = (classifier.name, weights, where, *versions, _processor(), capability, _TRIAL)
    return " | ".join(filter(None, parts))


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
    stored = todays(stored)
    if set(stored) - {_BUSY, _RATE} != set(names):
        return None
    values: list[Any] = [stored[name] for name in names]
    precision, layout, size, parallel_batches, note, engine = values
    if precision not in PRECISIONS or type(layout) is not bool or not isinstance(note, str):
        return None
    if not isinstance(engine, str) or engine not in ENGINES:
        return None
    counts = ((size, 4096), (parallel_batches, 1024))
    if any(type(count) is not int or not 1 <= count <= most for count, most in counts):
        return None
    marks = [stored[name] for name in (_BUSY, _RATE) if name in stored]
    if not all(type(mark) is float and 0 <= mark < math.inf for mark in marks):
        return None
    return Execution(precision, layout, size, parallel_batches, note, engine)


def _store(key: str, entry: dict[str, Any]) -> None:
    """Write to disk; a directory that cannot be written leaves the memory of this process."""
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(_load() | {key: entry}, indent=1).encode())
