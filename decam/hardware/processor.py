"""The machine under a trial: how much of it other programs take, and what its processor is built for."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch

SPARE = 0.25  # cores that others may take away from us before times say little
GLANCE = 0.2  # seconds for looking whether the machine is busy now
SHORTEST = 0.1  # seconds: in less, the system's counters, which tick a hundred times a second, say nothing


@dataclass(frozen=True)
class Reading:
    """Seconds on the clock, and of processor time: of the whole machine (None if unknown) and of this process."""

    clock: float
    machine: float | None
    own: float


def read() -> Reading:
    """The counters as they stand."""
    times = os.times()
    return Reading(time.monotonic(), _machine_seconds(), times.user + times.system)


def others(before: Reading, after: Reading) -> float:
    """Cores that other programs used between two readings; 0 where it cannot be known."""
    if before.machine is None or after.machine is None or after.clock - before.clock < SHORTEST:
        return 0.0
    used = (after.machine - before.machine) - (after.own - before.own)
    return max(0.0, used / (after.clock - before.clock))


def is_crowded(foreign: float, cores: int, threads: int) -> bool:
    """True if other programs on so many cores leave too little for so many threads."""
    return foreign + min(threads, cores) > cores + SPARE


def was_busy(before: Reading, threads: int) -> bool:
    """True if other programs held up so many threads of this one since that reading."""
    return is_crowded(others(before, read()), os.cpu_count() or 1, threads)


def is_busy(threads: int) -> bool:
    """True if other programs would hold up so many threads of this one now; takes GLANCE seconds."""
    before = read()
    time.sleep(GLANCE)
    return was_busy(before, threads)


def has_bfloat16() -> bool:
    """True for x86 processors with instructions for products of bfloat16, which are twice as fast or more with them."""
    found = torch.cpu.get_capabilities()
    return _has_mkldnn() and any(found.get(name) for name in ("avx512_bf16", "amx_bf16"))


def has_vectors() -> bool:
    """True for x86 processors on which convolutions are made of wide vectors, channels last."""
    return _has_mkldnn() and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def _has_mkldnn() -> bool:
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _machine_seconds() -> float | None:
    """Processor time of all programs since the start, from Linux's /proc/stat; None elsewhere."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii", errors="replace").splitlines()[0].split()
        user, nice, system, _idle, _waiting, *rest = (int(ticks) for ticks in first[1:9])
        return float(user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):  # another system, or a /proc/stat of another form
        return None
