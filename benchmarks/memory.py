"""Peak memory of some work above what was in use before it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import torch

EVERY = 0.002  # seconds between two looks
STATM = Path("/proc/self/statm")


def above(work: Callable[[], object], device: torch.device) -> int | None:
    """Bytes that the work took at its peak above those in use before it; None where that cannot be seen.

    On CUDA what the allocator handed out, elsewhere the process's resident set, which Linux shows.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not STATM.is_file():
        return None
    before = resident()
    highest, finished = before, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not finished.wait(EVERY):
            highest = max(highest, resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        work()
    finally:
        finished.set()
        watcher.join()
    return max(highest, resident()) - before


def resident() -> int:
    """Bytes of this process that are in memory now, as Linux says."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
