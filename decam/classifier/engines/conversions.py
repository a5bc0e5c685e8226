"""Conversions of modules, kept in the data directory so that each is made once on a machine.

A conversion takes a second or more, most of it for importing and running PyTorch's exporter. Whoever reads one compares
it with the module: its place tells modules apart, but not what code their classes have today.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from decam import paths
from decam.files import write_atomically

MOST = 2 * 1024**3  # bytes that all conversions may take
_TEXT, _WEIGHTS = "model", "weights"


def place(module: nn.Module, example: Tensor, converter: str) -> Path:
    """Where the conversion of a module for pictures like `example` is kept.

    The name is a digest of the module's layers, its weights, the pictures' size, PyTorch and `converter`, which names
    what converts, with its version.
    """
    whole = hashlib.sha256(f"{converter}, torch {torch.__version__}, {tuple(example.shape)}\n{module}".encode())
    for part in (*module.parameters(), *module.buffers()):
        whole.update(part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return _folder() / f"{whole.hexdigest()[:32]}.safetensors"


def read(path: Path) -> tuple[str, Tensor] | None:
    """Text and bytes (uint8) of the conversion at `path`; None where none is there, or it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            found = file.metadata()[_TEXT], file.get_tensor(_WEIGHTS)
    except (OSError, SafetensorError, RuntimeError, LookupError, TypeError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # when it was used last
    return found


def write(path: Path, text: str, weights: Tensor) -> None:
    """Keep a conversion, in place of those used longest ago; it is not kept where the disk will not have it."""
    content = save({_WEIGHTS: weights}, {_TEXT: text})
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if _make_room(len(content)):
            write_atomically(path, content)


def _folder() -> Path:
    return paths.directory() / "conversions"


def _make_room(size: int) -> bool:
    """Remove the conversions used longest ago until another of so many bytes fits; False for one that never does."""
    if size > MOST:
        return False
    kept = []
    for path in _folder().iterdir():
        about = path.stat()
        kept.append((about.st_mtime, about.st_size, path))
    whole = size + sum(taken for _, taken, _ in kept)
    for _, taken, path in sorted(kept):
        if whole <= MOST:
            break
        path.unlink(missing_ok=True)
        whole -= taken
    return True
