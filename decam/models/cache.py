"""Models kept loaded within a bound, loaded once however many ask, and freed when others need the room."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import torch

from decam.classifier import TorchClassifier
from decam.errors import ModelError
from decam.hardware.device import resolve
from decam.lru import Lru
from decam.models import load_classifier
from decam.models.catalogue import digest, labels_digest

TRIES = 3  # at loading a file that changes meanwhile


@dataclass(frozen=True)
class Key:
    """Which model on which device; `weights` and `labels` tell files from those that were at the same paths before."""

    name: str
    device: str
    weights: str = ""
    labels: str = ""

    @classmethod
    def of(cls, name: str, where: torch.device) -> Key:
        """The model with the files that are here now."""
        return cls(name, str(where), digest(name), labels_digest(name))


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
        self._load = load
        self._loaded: Lru[Key, TorchClassifier] = Lru(max_models, max_bytes, size_of)
        self._loading: WeakValueDictionary[Key, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, name: str, device: torch.device | str | None = None) -> TorchClassifier:
        """The model, loaded now or before; raises ModelError where it cannot be.

        The one asked for is kept even if it alone exceeds the bound. One that is evicted lives on as long as
        somebody still works with it.
        """
        where = resolve(device)
        for _ in range(TRIES):
            key = Key.of(name, where)
            with self._lock:
                # One thread loads while others, who want the same model, wait; the lock lives as long as they do.
                one_at_a_time = self._loading.setdefault(key, threading.Lock())
            with one_at_a_time:
                classifier = self._loaded.get(key)
                if classifier is None:
                    classifier = self._load(name, where)
                    if key != Key.of(name, where):  # the file changed meanwhile: this may be the one or the other
                        continue
                    if self._loaded.put(key, classifier):
                        _release()
                return classifier
        raise ModelError(f"{name} changes while it is read; wait until it is written, or copy it, then try again.")

    def loaded(self) -> tuple[Key, ...]:
        """What is loaded, the one used longest ago first."""
        return self._loaded.keys()

    def clear(self) -> None:
        """Let go of everything."""
        self._loaded.clear()
        _release()


def _release() -> None:
    """Give what PyTorch holds back to the graphics card."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
