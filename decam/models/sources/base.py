"""What a source of models must say of itself, and what the catalogue says of one model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch import nn

from decam.classifier import TorchClassifier

Domain: TypeAlias = Literal["scenes", "photographs", "unknown"]


@dataclass(frozen=True)
class Architecture:
    """A network that weights from elsewhere may be made for.

    `classes` is how many it usually has, and `labels()` are these. `make(classes)` builds it for so many. `sizable`
    says whether another number than the usual one may be asked for. `current` maps a tensor's name in old files to its
    name now. `wrap(name, module, labels, device)` makes the classifier, with the input size and normalisation of the
    usual weights.
    """

    title: str
    classes: int
    labels: Callable[[], tuple[str, ...]]
    make: Callable[[int], nn.Module]
    wrap: Callable[[str, nn.Module, Sequence[str], torch.device], TorchClassifier]
    sizable: bool = False
    current: Callable[[str], str] = str


@dataclass(frozen=True)
class Source:
    """A place where models come from: one row of the table.

    `offered` are the names that the catalogue lists, in order. `entry(name)` is the entry of any name that the source
    knows, listed or not; None leaves the name to other sources. `load(entry, device)` returns a classifier or raises
    ModelError with a sentence; what says that memory ran out passes. `untrained(name)` is the same network with random
    weights. `digest(entry)` is the SHA-256 of the weights in hexadecimal; empty where they are those that the name
    says, or the file is missing. `labels_digest(entry)` is that of a file of labels beside them; empty where there is
    none.
    """

    name: str
    title: str
    offered: tuple[str, ...]
    entry: Callable[[str], Entry | None]
    weights_path: Callable[[Entry], Path]
    load: Callable[[Entry, torch.device], TorchClassifier]
    untrained: Callable[[str], TorchClassifier]
    digest: Callable[[Entry], str] = lambda _: ""
    labels_digest: Callable[[Entry], str] = lambda _: ""
    architectures: tuple[Architecture, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue.

    `parameters` counts its weights (0: only its file tells); `operations` is the published number of multiply-adds for
    one image, in thousand millions; `top1` the published accuracy in percent; `size` what a download weighs in bytes
    (0: none is needed); `reference` a page on how it was trained; `shuffled` the same network trained on shuffled
    labels, by name.
    """

    name: str
    title: str
    origin: Source = field(repr=False)
    domain: Domain
    parameters: int = 0
    operations: float | None = None
    top1: float | None = None
    size: int = 0
    url: str = ""
    reference: str = ""
    shuffled: str = ""

    @property
    def source(self) -> str:
        """The name of the source."""
        return self.origin.name

    def weights_path(self) -> Path:
        """Where the weights are, or belong."""
        return self.origin.weights_path(self)

    def present(self) -> bool:
        """Whether the weights are on this machine."""
        return self.weights_path().is_file()


def published(file: str) -> str:
    """How the SHA-256 of a file begins, as its name or address says after the last hyphen; empty where it does not."""
    found = re.search(r"-([0-9a-f]{8,})\.\w+$", file)
    return found[1] if found else ""


def file_digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; empty where it cannot be read."""
    try:
        about = path.stat()
        return _digest(path, about.st_mtime_ns, about.st_size)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int, size: int) -> str:
    del changed, size  # they tell a file from the one that was at this path before
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
