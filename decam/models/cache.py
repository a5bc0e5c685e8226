"""Models kept loaded within a bound, loaded once however many ask, and freed when others need the room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from decam.classifier import TorchClassifier
from decam.hardware.device import resolve
from decam.models import load_classifier
from decam.models.catalogue import digest


@dataclass(frozen=True)
class Key:
    """Which model on which device; `weights` tells a file from the one that was at the same path before."""

    name: str
    device: str
    weights: str = ""


@dataclass
class _Slot:
    """The lock lets one thread load while others, who want the same model, wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    classifier: TorchClassifier | None = None
    size: int = 0


def from_disk(name: str, device: torch.device) -> TorchClassifier:
    """Load a model whose weights are here; nothing is ever downloaded."""
    return load_classifier(name, device=device, download=False)


def size_of(classifier: TorchClassifier) -> int:
    """Bytes of parameters and buffers."""
    module = classifier.module
    return sum(part.numel() * part.element_size() for part in (*module.parameters(), *module.buffers()))


class Models:
    """A bounded store of loaded models; the one used longest ago goes first. Safe to use from several threads."""

    def __init__(
        self,
        max_bytes: int = 2 * 2**30,
        max_models: int = 6,
        load: Callable[[str, torch.device], TorchClassifier] = from_disk,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_models = max_models
        self._load = load
        self._slots: OrderedDict[Key, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, device: torch.device | str | None = None) -> TorchClassifier:
        """The model, loaded now or before; raises ModelError where it cannot be.

        The one asked for is kept even if it alone exceeds the bound. One that is evicted lives on as long as
        somebody still works with it.
        """
        where = resolve(device)
        key = Key(name, str(where), digest(name))
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        with slot.lock:
            if slot.classifier is None:
                try:
                    loaded = self._load(name, where)
                except BaseException:
                    with self._lock:
                        self._slots.pop(key, None)
                    raise
                slot.classifier, slot.size = loaded, size_of(loaded)
                self._evict(key)
            return slot.classifier

    def loaded(self) -> tuple[Key, ...]:
        """What is loaded, the one used longest ago first."""
        with self._lock:
            return tuple(key for key, slot in self._slots.items() if slot.classifier is not None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._slots.clear()
        _release()

    def _evict(self, keep: Key) -> None:
        with self._lock:
            filled = [key for key, slot in self._slots.items() if slot.classifier is not None]
            total = sum(self._slots[key].size for key in filled)
            count = len(filled)
            evicted = False
            for key in filled:
                if key == keep or (total <= self.max_bytes and count <= self.max_models):
                    continue
                total -= self._slots.pop(key).size
                count -= 1
                evicted = True
        if evicted:
            _release()


def _release() -> None:
    """Give what PyTorch holds back to the graphics card."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
