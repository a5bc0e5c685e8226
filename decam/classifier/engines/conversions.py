"""Conversions of modules, kept in the data directory so that each is made once on a machine.

A conversion takes a second or more, most of it for importing and running PyTorch's exporter. One is kept under a digest
of all that it depends on, and only where that is known: the classes of all parts, their settings and their weights.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from decam import paths
from decam.files import write_atomically

MOST = 2 * 1024**3  # bytes that all conversions may take
_PACKAGES = ("torch", "torchvision")  # their version says what their code does
_OWN = "decam"  # while it is worked on, only the file says that
_TEXT, _WEIGHTS = "model", "weights"
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.memory_format)


class _UnknownError(Exception):
    """Nothing says what a part of a module would do."""


def place(module: nn.Module, example: Tensor, converter: str) -> Path | None:
    """Where the conversion of a module for pictures like `example` is kept; None where it must not be.

    That is so for a module with a part that is of no class of torch, torchvision or decam, whose code may change, or
    that was put together by a program. `converter` names what converts, with its version.
    """
    whole = hashlib.sha256(f"{converter}, torch {torch.__version__}, {tuple(example.shape)}".encode())
    try:
        for line in _described(module):
            whole.update(f"\n{line}".encode())
    except _UnknownError:
        return None
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


def _described(module: nn.Module) -> Iterator[str]:
    """Lines that say what a module computes, but for the values of its weights; raises _UnknownError."""
    for name, part in module.named_modules(remove_duplicate=False):
        if isinstance(part, torch.jit.ScriptModule | torch.fx.GraphModule):
            raise _UnknownError
        yield f"{name}: {_code(type(part))}"
        tensors = [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
        yield ", ".join(f"{own} {tuple(tensor.shape)} {tensor.dtype}" for own, tensor in tensors)
        for setting, value in sorted(vars(part).items()):
            if setting not in _OF_EVERY_MODULE:
                yield f"{setting} = {_value(value)}"


def _value(value: object) -> str:
    """A setting of a module, as text that is the same for the same behaviour; raises _UnknownError."""
    if isinstance(value, enum.Enum):
        return f"{_code(type(value))}.{value.name}"
    if isinstance(value, _PLAIN):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} [{', '.join(map(_value, value))}]"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__} [{', '.join(sorted(map(_value, value)))}]"
    if isinstance(value, dict):
        return f"dict [{', '.join(f'{_value(key)}: {_value(one)}' for key, one in value.items())}]"
    if isinstance(value, functools.partial):
        return f"partial {_value(value.func)} {_value(value.args)} {_value(value.keywords)}"
    if isinstance(value, type | FunctionType):
        return _code(value)
    if isinstance(value, BuiltinFunctionType) and value is getattr(torch, name := str(value.__name__), None):
        return f"torch.{name}"
    raise _UnknownError


def _code(made: type | FunctionType) -> str:
    """The name of a class or function, with what says which code that is; raises _UnknownError."""
    home = sys.modules.get(made.__module__)
    found: Any = home
    for name in made.__qualname__.split("."):
        found = getattr(found, name, None)
    if home is None or found is not made:
        raise _UnknownError
    package, where = made.__module__.partition(".")[0], f"{made.__module__}.{made.__qualname__}"
    if package in _PACKAGES or package == "builtins":
        return f"{where} {getattr(sys.modules[package], '__version__', '')}"
    if package == _OWN and home.__file__:
        return f"{where} {_file_digest(home.__file__)}"
    raise _UnknownError


@functools.cache
def _file_digest(file: str) -> str:
    with Path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
