"""Weights that come with the project: one file a network, float16, with a card and a checksum, checked when read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from decam.errors import ModelError
from decam.files import write_atomically
from decam.hardware.device import is_memory

WEIGHTS = Path(__file__).resolve().parent / "weights"

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Card:
    """How the weights came about: their accuracy on `tested` unseen scenes, 0 … 1, and what they were trained on."""

    accuracy: float
    tested: int
    seed: int
    scenes: int
    epochs: int
    torch: str
    numpy: str


@dataclass(frozen=True)
class FittedCard(Card):
    """A card that also states the accuracy on the very labels that were trained on, 0 … 1."""

    fitted: float


CardType = TypeVar("CardType", bound=Card)


@dataclass(frozen=True)
class Weights(Generic[Network, CardType]):
    """Where a network's weights are, and how they are made.

    `title` completes "the weights of the …"; `make` builds the network they fit, `command` makes them again.
    """

    title: str
    path: Path
    make: Callable[[], Network]
    card_type: type[CardType]
    command: str

    def save(self, model: Network, card: CardType, path: Path) -> None:
        """Writes a network (floats as float16, which halves the file) and its card, whole or not at all."""
        tensors = _narrow(model)
        about = {"card": json.dumps({**asdict(card), "sha256": _digest(tensors)}, sort_keys=True)}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, write_tensors(tensors, about))

    def load(self, path: Path | None = None) -> Network:
        """The trained network in evaluation mode, float32; raises ModelError where its file is missing or damaged."""
        where = path or self.path
        tensors, _ = self._read(where)
        try:
            return self._filled(tensors)
        except RuntimeError as error:
            if is_memory(error):  # says nothing of the file
                raise
            raise self._damaged(where) from error

    def rounded(self, model: nn.Module) -> Network:
        """The network that a file of `model` would give back: its weights are rounded to float16 on the way."""
        return self._filled(_narrow(model))

    def card(self, path: Path | None = None) -> CardType:
        """What the file of weights says about itself; raises ModelError where it is missing or damaged."""
        return self._read(path or self.path)[1]

    def _filled(self, tensors: dict[str, Tensor]) -> Network:
        model = self.make()
        wide = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        model.load_state_dict(wide)
        return model.eval()

    def _read(self, path: Path) -> tuple[dict[str, Tensor], CardType]:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ModelError(
                f"The weights of the {self.title} are missing: {path} is not there; {self._restore()}."
            ) from None
        except OSError as error:
            raise ModelError(
                f"The weights of the {self.title} in {path} cannot be read ({error.strerror}); {self._restore()}."
            ) from error
        try:
            tensors: dict[str, Tensor] = read_tensors(data)
            length = int.from_bytes(data[:8], "little")
            about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["card"])
            if about.pop("sha256") != _digest(tensors):
                raise ValueError("the checksum differs")
            return tensors, self.card_type(**about)
        except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            if is_memory(error):
                raise
            raise self._damaged(path) from error

    def _damaged(self, path: Path) -> ModelError:
        return ModelError(
            f"The weights of the {self.title} in {path} are damaged or not this network's; {self._restore()}."
        )

    def _restore(self) -> str:
        kept = f"decam/models/weights/{self.path.name}"
        return f"restore it with `git checkout {kept}` or make it again with `{self.command}`"


def _narrow(model: nn.Module) -> dict[str, Tensor]:
    return {
        name: (tensor.detach().half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }


def _digest(tensors: dict[str, Tensor]) -> str:
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode())
        whole.update(tensors[name].numpy().tobytes())
    return whole.hexdigest()
