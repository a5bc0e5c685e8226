"""What an engine is: what it is made from, what it says of itself, and what keeps it from answering."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn

from decam.classifier.base import Execution

Answering: TypeAlias = Callable[[Tensor], Tensor]
"""Normalised pictures (N×C×H×W) to scores (N×K)."""

converting_alone = threading.RLock()
"""PyTorch's exporter and recorder are made for one thread at a time."""


class EngineError(Exception):
    """Why an engine cannot answer for a module; the module then answers itself."""


def first_line(error: BaseException) -> str:
    """The first line of what was raised that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given").rstrip(".")[:200]


@dataclass(frozen=True)
class Source:
    """What an engine is made from.

    `copy` makes a module that gives scores (N×K) of normalised pictures, in evaluation mode, with the same weights; it
    raises EngineError where there is none. `forward` gives the same scores by the module itself, in the precision that
    is asked for. `example` holds a few different pictures, float32. `lasting` says that later processes will ask a
    module with the same weights: what is made from it may be kept on disk.
    """

    copy: Callable[[], nn.Module]
    forward: Answering
    example: Tensor
    lasting: bool = False


class Prepared(Protocol):
    """A module as an engine holds it, for as long as the weights stay what they are."""

    def answering(self, execution: Execution) -> Answering:
        """What answers in this way; called anew where the execution changes. Raises EngineError."""
        ...


@dataclass(frozen=True)
class Engine:
    """A row of the table.

    `title` is its name in a sentence and `manner` how answers by it are described, empty for the module itself.
    `serves` says which devices it runs on, and `takes` which batches. `keeps_weights` marks one that holds weights of
    its own: later changes of the module's are not seen. `own_layout` marks one that arranges memory as it likes.
    `prepare` takes up to seconds and raises EngineError where the module is not for this engine. `load` imports the
    engine's library, which `prepare` would otherwise do. `version` is that of the library whose arithmetic it is, empty
    where that is PyTorch.
    """

    name: str
    title: str
    manner: str = ""
    serves: Callable[[torch.device], bool] = lambda _: True
    takes: Callable[[Tensor, Execution], bool] = lambda _batch, _execution: True
    keeps_weights: bool = False
    own_layout: bool = False
    prepare: Callable[[Source], Prepared] | None = None
    load: Callable[[], object] = field(default=lambda: None)
    version: Callable[[], str] = field(default=lambda: "")
