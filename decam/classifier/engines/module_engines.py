"""The engines of one module: prepared once, asked for anew in each way of asking, and left aside where they must be."""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch
from torch import Tensor, nn

from decam.classifier.base import Execution
from decam.classifier.engines.base import Answering, Engine, EngineError, Prepared, Source
from decam.classifier.engines.table import ENGINES


class ModuleEngines:
    """What answers for a module in its present way of asking. Safe to use from several threads.

    The module itself answers where the way of asking says so, where a part of it has a hook or is in training mode, for
    no engine would tell or follow that, and where the engine does not serve the device, take the batch or know the
    module: `note` then says why. An engine that keeps weights of its own is prepared anew once the module's change.
    """

    def __init__(self, name: str, source: Callable[[], Source]) -> None:
        self._name, self._source = name, source
        self._lock = threading.Lock()
        self._execution = Execution()
        self._weights: tuple[tuple[int, int], ...] = ()
        self._prepared: dict[str, Prepared] = {}
        self._refused: dict[str, str] = {}
        self._answering: Answering | None = None

    @property
    def note(self) -> str:
        """Why the engine that was asked for does not answer; the empty string where it does, or nobody asked yet."""
        engine = ENGINES[self._execution.engine]
        reason = self._refused.get(engine.name)
        return f"{engine.title} cannot answer for {self._name} ({reason}), so PyTorch does." if reason else ""

    def configure(self, execution: Execution) -> None:
        """Answer in this way from now on."""
        with self._lock:
            self._execution, self._answering = execution, None
            for name in self._prepared:  # it could not answer in the earlier way, and may in this one
                self._refused.pop(name, None)

    def answering(self, module: nn.Module, batch: Tensor) -> Answering | None:
        """What answers for the module about a batch; None where the module itself does."""
        engine, execution = ENGINES[self._execution.engine], self._execution
        if engine.prepare is None or _watched(module) or not engine.takes(batch, execution):
            return None
        if not engine.serves(batch.device):
            self._refused[engine.name] = f"it does not run on {batch.device} here"
            return None
        with self._lock:
            if engine.keeps_weights:
                self._follow(module)
            if self._answering is None and engine.name not in self._refused:
                self._answering = self._made(engine, engine.prepare, execution)
            return self._answering

    def _made(self, engine: Engine, prepare: Callable[[Source], Prepared], execution: Execution) -> Answering | None:
        try:
            if engine.name not in self._prepared:
                self._prepared[engine.name] = prepare(self._source())
            return self._prepared[engine.name].answering(execution)
        except EngineError as error:
            self._refused[engine.name] = str(error)
        except MemoryError:  # of the machine; a smaller batch would not help
            self._refused[engine.name] = "there is not enough memory to prepare it"
        return None

    def _follow(self, module: nn.Module) -> None:
        """Forget what was prepared from weights that are no longer the module's."""
        weights = tuple((id(part), _changes(part)) for part in (*module.parameters(), *module.buffers()))
        if weights != self._weights:
            self._weights, self._answering = weights, None
            for name in [name for name, engine in ENGINES.items() if engine.keeps_weights]:
                self._prepared.pop(name, None)
                self._refused.pop(name, None)


def _changes(part: Tensor) -> int:
    """How often PyTorch has seen a tensor change in place; it does not count for those of inference mode."""
    return 0 if torch.is_inference(part) else part._version


def _watched(module: nn.Module) -> bool:
    """True if any part of the module has a forward hook, or is in training mode."""
    return any(
        part._forward_hooks or part._forward_pre_hooks or getattr(part, "training", False) for part in module.modules()
    )
