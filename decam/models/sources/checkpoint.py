"""Files of weights for networks that other sources know: a model is named by its path, its tensors say which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor, nn

from decam.classifier import TorchClassifier
from decam.errors import ModelError
from decam.hardware.device import is_memory
from decam.models.sources.base import Architecture, Entry, Source, file_digest

LABELS_SUFFIX = ".labels.txt"
_WRAPPERS = ("state_dict", "model")
_PREFIX = "module."  # that torch.nn.DataParallel puts before every name
_COUNTER = "num_batches_tracked"  # of training; answers do not depend on it, and old files lack it
_AGAIN = "save the tensors alone with torch.save(model.state_dict(), path), or as .safetensors"


def _unpickled(path: Path) -> object:
    """What a file of `torch.save` holds; code in it is not run."""
    content: object = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _read(path: Path) -> object:
    """The tensors of a .safetensors file in memory of their own: what later happens to the file changes no answers."""
    return read_tensors(path.read_bytes())


_READERS: dict[str, Callable[[Path], object]] = {".safetensors": _read, ".pt": _unpickled, ".pth": _unpickled}


@dataclass(frozen=True)
class _Network:
    """A network that the tensors of a file fit, for so many classes."""

    architecture: Architecture
    classes: int


def source(architectures: Iterable[Architecture]) -> Source:
    """The source of all files of weights for one of these networks."""
    known = tuple(architectures)

    def entry(name: str) -> Entry | None:
        path = _path(name)
        if path.suffix.lower() not in _READERS and not _is_file(path):
            return None
        return Entry(name=name, title=path.name, origin=row, domain="unknown")

    def load(entry: Entry, device: torch.device) -> TorchClassifier:
        path = weights_path(entry)
        tensors, network = _recognised(path, known)
        wide = _widened(path, tensors)
        _check_finite(path, wide)
        with torch.device("meta"):  # neither memory nor time for weights that are replaced at once
            module = network.architecture.make(network.classes)
        module.load_state_dict(wide, assign=True)
        return _classifier(entry.name, path, network, module, device)

    def untrained(name: str) -> TorchClassifier:
        path = _path(name)
        _, network = _recognised(path, known)
        module = network.architecture.make(network.classes)
        return _classifier(name, path, network, module, torch.device("cpu"))

    row = Source(
        name="checkpoint",
        title="File of weights",
        offered=(),
        entry=entry,
        weights_path=weights_path,
        load=load,
        untrained=untrained,
        digest=digest,
        labels_digest=labels_digest,
    )
    return row


def weights_path(entry: Entry) -> Path:
    """The file that the name is the path of."""
    return _path(entry.name)


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # the home of a user whom this machine does not know
        return Path(name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no name that a file could have
        return False


def digest(entry: Entry) -> str:
    """The SHA-256 of the file in hexadecimal; empty where it cannot be read."""
    return file_digest(weights_path(entry))


def labels_digest(entry: Entry) -> str:
    """That of the text file of labels beside it."""
    return file_digest(_labels_path(weights_path(entry)))


def _labels_path(path: Path) -> Path:
    return path.parent / (path.stem + LABELS_SUFFIX)


def _classifier(name: str, path: Path, network: _Network, module: nn.Module, device: torch.device) -> TorchClassifier:
    return network.architecture.wrap(name, module.eval(), _labels(path, network), device)


def _widened(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with all floats as float32; raises ModelError for a kind of floats that PyTorch cannot turn so."""
    wide = {}
    for name, tensor in tensors.items():
        try:
            wide[name] = tensor.float() if tensor.is_floating_point() else tensor
        except NotImplementedError as error:
            raise ModelError(
                f"{name} in {path} is of {_kind(tensor)}, which cannot be turned into float32; save the weights as "
                "float32, float16 or bfloat16."
            ) from error
    return wide


def _recognised(path: Path, known: tuple[Architecture, ...]) -> tuple[dict[str, Tensor], _Network]:
    """The tensors of a file by their names in the network that they fit; raises ModelError where there is none."""
    given = _tensors(path)
    offers = [(network, {network.current(name): tensor for name, tensor in given.items()}) for network in known]
    fits = [_fit(tensors, _expected(network, network.classes)) for network, tensors in offers]
    best = max(range(len(known)), key=lambda place: (offers[place][1].keys() == _names(known[place]), fits[place]))
    architecture, tensors = offers[best]
    if tensors.keys() != _names(architecture):
        nearest = max(range(len(known)), key=lambda place: fits[place])
        total = len(_names(known[nearest]))
        raise ModelError(
            f"The tensors in {path} are of no network that is known here: the nearest is {known[nearest].title}, of "
            f"whose {total} tensors {fits[nearest]} fit by name and shape, and the file has {len(given)}. "
            "Build the network in Python and give it to decam.wrap."
        )
    network = _Network(architecture, _classes(architecture, tensors))
    expected = _expected(architecture, network.classes)
    wrong = [name for name, tensor in tensors.items() if _form(tensor) != _form(expected[name])]
    if wrong:
        raise ModelError(
            f"{path} has the tensors of {architecture.title} by name, but {len(wrong)} of {len(expected)} have another "
            f"form: {wrong[0]} is {_in_words(tensors[wrong[0]])}, and {_in_words(expected[wrong[0]])} was expected. "
            "Give weights of the unchanged network, or build it in Python and give it to decam.wrap."
        )
    return tensors, network


@lru_cache(maxsize=128)
def _expected(architecture: Architecture, classes: int) -> dict[str, Tensor]:
    """The tensors that a network has, without values."""
    with torch.device("meta"):
        state = architecture.make(classes).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}


def _names(architecture: Architecture) -> set[str]:
    return set(_expected(architecture, architecture.classes))


def _fit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> int:
    """How many tensors have the name and the form of one that is expected."""
    return sum(name in expected and _form(tensor) == _form(expected[name]) for name, tensor in tensors.items())


def _form(tensor: Tensor) -> tuple[bool, torch.Size]:
    return tensor.is_floating_point(), tensor.shape


def _in_words(tensor: Tensor) -> str:
    kind = "" if tensor.is_floating_point() else f" of {_kind(tensor)}"
    return ("×".join(map(str, tensor.shape)) or "one number") + kind


def _kind(tensor: Tensor) -> str:
    """The type of a tensor's numbers, such as float16."""
    return str(tensor.dtype).removeprefix("torch.")


def _classes(architecture: Architecture, tensors: Mapping[str, Tensor]) -> int:
    """For how many classes the tensors are: the length, in the file, of the side that grows with that number."""
    usual = architecture.classes
    if not architecture.sizable:
        return usual
    more = _expected(architecture, usual + 1)
    for name, tensor in _expected(architecture, usual).items():
        for side, (here, there) in enumerate(zip(tensor.shape, more[name].shape, strict=True)):
            if here != there and tensors[name].ndim == tensor.ndim:
                return max(1, tensors[name].shape[side])
    return usual


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, without the prefix and the counters that training leaves."""
    state = _state(path, _content(path))
    if all(name.startswith(_PREFIX) for name in state):
        state = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}


def _content(path: Path) -> object:
    """What a file holds; raises ModelError where it cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ModelError(f"{path} is no file of weights: its name should end in {', '.join(_READERS)}.")
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise ModelError(f"The file of weights {path} is not here; put it there, or give another path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"The file of weights {path} cannot be read ({reason}); give another one.") from error
    try:
        return reader(path)
    except SafetensorError as error:
        raise _damaged(path) from error
    except Exception as error:  # unpickling damaged bytes can raise anything
        if is_memory(error):  # says nothing of the file
            raise
        if "GLOBAL" in str(error) or "TorchScript" in str(error):
            raise ModelError(
                f"{path} holds Python objects, not a state dict; reading them could run foreign code. Where you trust "
                f"the file, open it in Python and {_AGAIN}."
            ) from error
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"The file of weights {path} is damaged or of another kind than its name says; copy it again.")


def _state(path: Path, content: object) -> dict[str, Tensor]:
    """The state dict in what a file holds; raises ModelError where there is none."""
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise ModelError(f"{path} holds a {type(content).__name__}, not a state dict; {_AGAIN}.")
    odd = [name for name, value in content.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if odd or not content:
        found = f"{odd[0]!r} in it is a {type(content[odd[0]]).__name__}, no tensor" if odd else "it is empty"
        raise ModelError(f"{path} holds no state dict: {found}; {_AGAIN}.")
    for name, tensor in content.items():
        if tensor.is_meta or tensor.layout != torch.strided:
            kind = "on the meta device, without values" if tensor.is_meta else "sparse"
            cure = "load the weights into the model first" if tensor.is_meta else "turn it with tensor.to_dense()"
            raise ModelError(f"{name} in {path} is {kind}, and a dense tensor was expected; {cure}, then {_AGAIN}.")
    return dict(content)


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        bad = int((~tensor.isfinite()).sum()) if tensor.is_floating_point() else 0
        if bad:
            raise ModelError(
                f"{bad:,} of the {tensor.numel():,} numbers of {name} in {path} are NaN or infinite, so every answer "
                "would be NaN; give the weights of a training that did not diverge."
            )


def _labels(path: Path, network: _Network) -> tuple[str, ...]:
    """The lines of the text file beside the weights; without it the network's usual labels, else numbers."""
    file = _labels_path(path)
    if not file.is_file():
        if network.classes == network.architecture.classes:
            return network.architecture.labels()
        return tuple(f"class {place}" for place in range(network.classes))
    try:
        labels = tuple(line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The labels in {file} cannot be read as UTF-8 text ({error}); save them so.") from error
    if len(labels) != network.classes or not all(labels):
        blank = f", {labels.count('')} of them empty" if "" in labels else ""
        raise ModelError(
            f"{file} has {len(labels)} lines{blank}, but the weights are for {network.classes} classes; "
            "give one label a line."
        )
    return labels
