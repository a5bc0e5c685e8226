"""Random numbers of libraries that draw from everybody's generators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def chances(seed: int, devices: Sequence[torch.device] = ()) -> Iterator[None]:
    """Within the context torch and numpy draw from `seed`; afterwards they go on as if nothing had been drawn."""
    numbers = np.random.get_state()
    try:
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            yield
    finally:
        np.random.set_state(numbers)
