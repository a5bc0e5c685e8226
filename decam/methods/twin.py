"""A second module with the same weights, on which hooks disturb nobody who uses the first."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn


def twin(module: nn.Module) -> nn.Module:
    """The same module with the very same parameters and buffers, not copies of them."""
    shared: dict[int, Any] = {id(part): part for part in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, shared)
