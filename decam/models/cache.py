"""Models kept loaded within a bound, loaded once however many ask, and freed when others need the room."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import torch

from decam.classifier import Execution, TorchClassifier
from decam.errors import ModelError
from decam.hardware.device import resolve
from decam.lru import Lru
from decam.models import load_classifier, tuning
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


class _Kept:
    """A loaded model; one thread at a time finds its fastest way of being asked, and then `found` is True."""

    def __init__(self, classifier: TorchClassifier) -> None:
        self.classifier = classifier
        self.lock = threading.Lock()
        self.found = False


def from_disk(name: str, device: torch.device) -> TorchClassifier:
    """Load a model whose weights are here, asked in float32 until a faster way is found; nothing is downloaded."""
    return load_classifier(name, device=device, exact=True, download=False)


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
        find: Callable[[TorchClassifier], Execution] = tuning.remembered,
    ) -> None:
        self._load, self._find = load, find
        self._loaded: Lru[Key, _Kept] = Lru(max_models, max_bytes, lambda kept: size_of(kept.classifier))
        self._loading: WeakValueDictionary[Key, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, name: str, device: torch.device | str | None = None) -> TorchClassifier:
        """The model, asked in the fastest way found, now or before; raises ModelError where it cannot be loaded.

        The one asked for is kept even if it alone exceeds the bound. One that is evicted lives on as long as
        somebody still works with it.
        """
        kept = self._kept(name, resolve(device))
        with kept.lock:  # others who want to ask it wait until its fastest way is found
            if not kept.found:
                kept.classifier.configure(self._find(kept.classifier))
                kept.found = True
        return kept.classifier

    def described(self, name: str, device: torch.device | str | None = None) -> TorchClassifier:
        """The model to be read about, not asked: nothing waits for its trial. Raises what `get` raises."""
        return self._kept(name, resolve(device)).classifier

    def ready(self, classifier: TorchClassifier) -> bool:
        """False for a model kept here whose fastest way of being asked is not found yet."""
        return all(kept.found for kept in self._loaded.values() if kept.classifier is classifier)

    def _kept(self, name: str, where: torch.device) -> _Kept:
        """The model, loaded now or before."""
        for _ in range(TRIES):
            key = Key.of(name, where)
            with self._lock:
                # One thread loads while others, who want the same model, wait; the lock lives as long as they do.
                one_at_a_time = self._loading.setdefault(key, threading.Lock())
            with one_at_a_time:
                kept = self._loaded.get(key)
                if kept is None:
                    kept = _Kept(self._load(name, where))
                    if key != Key.of(name, where):  # the file changed meanwhile: this may be the one or the other
                        continue
                    if self._loaded.put(key, kept):
                        _release()
                return kept
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
