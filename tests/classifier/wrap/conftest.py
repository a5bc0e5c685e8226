"""A random view, and a batch of random pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.classifier.wrap.networks import SIZE


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(5, 3, *SIZE, generator=torch.Generator().manual_seed(1))
