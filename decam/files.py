"""Named arrays as the bytes of an NPZ file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Compressed, and read back by `numpy.load` without pickle."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)  # numpy's types take any name for one of its own options
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()
