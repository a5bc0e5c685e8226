"""The machine that a benchmark ran on, in words."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from decam.hardware import device


def machine() -> str:
    """Processor, cores, device, torch and Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    where = device.describe(device.best())
    return (
        f"{named or platform.processor()}, {cores} cores; {where}; "
        f"torch {torch.__version__}; Python {platform.python_version()}"
    )
