"""The models on offer: what each is, whether its weights are here, and how to get them."""

from __future__ import annotations

import difflib
import hashlib
import http.client
import math
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import torch
from torchvision.models import WeightsEnum, get_model_weights

from decam.errors import ModelError
from decam.files import writing_atomically
from decam.models.sources.bundled import BUNDLED, parameters

TIMEOUT = 10.0  # seconds without a byte
CHUNK = 256 * 1024
SPARE = 64 * 2**20  # bytes left free on the disk beside the download


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue.

    `parameters` counts its weights; `operations` is the published number of multiply-adds for one image, in thousand
    millions; `top1` the published accuracy in percent; `size` what a download weighs in bytes (0: none is needed);
    `reference` a page on how it was trained.
    """

    name: str
    title: str
    source: Literal["embedded", "torchvision"]
    domain: Literal["scenes", "photographs"]
    parameters: int
    operations: float | None
    top1: float | None
    size: int
    url: str
    reference: str

    def weights_path(self) -> Path:
        """Where the weights are, or belong: torchvision's own place, which TORCH_HOME moves."""
        if self.source == "embedded":
            return BUNDLED[self.name].weights.path
        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rsplit("/", 1)[-1]

    def present(self) -> bool:
        """Whether the weights are on this machine."""
        return self.weights_path().is_file()


@dataclass(frozen=True)
class Download:
    """Bytes fetched so far, of how many."""

    done: int
    total: int


def get(name: str) -> Entry:
    """The entry of that name; raises ModelError, with the nearest name, if there is none."""
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(f"There is no model {name!r}; there are: {', '.join(ENTRIES)}.{hint}")
    return ENTRIES[name]


def weights(name: str) -> WeightsEnum:
    """Torchvision's own description of a model's best weights."""
    return get_model_weights(name).DEFAULT


def download(entry: Entry) -> Generator[Download, None, Path]:
    """Fetch an entry's weights and return their path; weights that are here already are left alone.

    Nothing is left behind when the generator is closed early or fails. Raises ModelError, one sentence, when there
    is no network, the server refuses, the file is not the one expected, or the disk is full or read-only.
    """
    path = entry.weights_path()
    if entry.present():
        return path
    if not entry.url:
        raise ModelError(f"{path} is missing, and it belongs to decam itself: install decam again.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_space(entry, path.parent)
    except OSError as error:
        raise _unstorable(entry, error) from error
    try:
        with writing_atomically(path) as file:  # a generator that is closed early leaves nothing behind
            yield from _fetch(entry, file)
    except OSError as error:
        raise _unstorable(entry, error) from error
    return path


def _check_space(entry: Entry, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < entry.size + SPARE:
        raise ModelError(
            f"{entry.title} needs {entry.size / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free in {folder}; "
            "make room, or set TORCH_HOME to a folder on a larger disk."
        )


def _fetch(entry: Entry, file: BinaryIO) -> Generator[Download, None, None]:
    """Copy the weights into `file`, then check that all came and that they are the right ones."""
    digest = hashlib.sha256()
    done = 0
    try:
        with urllib.request.urlopen(entry.url, timeout=TIMEOUT) as response:
            total = int(response.headers.get("Content-Length") or entry.size)
            yield Download(0, total)
            while chunk := response.read(CHUNK):
                _write(entry, file, chunk)
                digest.update(chunk)
                done += len(chunk)
                yield Download(done, max(done, total))
    except urllib.error.HTTPError as error:
        raise _unreachable(entry, f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _unreachable(entry, str(getattr(error.reason, "strerror", None) or error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(entry, str(error) or type(error).__name__) from error
    if done < total:
        raise _unreachable(entry, f"the connection ended after {done:,} of {total:,} bytes")
    expected = re.search(r"-([0-9a-f]{8,})\.\w+$", entry.url)
    if expected and not digest.hexdigest().startswith(expected[1]):
        raise _unreachable(entry, f"what came is another file: its SHA-256 does not begin with {expected[1]}")


def _write(entry: Entry, file: BinaryIO, chunk: bytes) -> None:
    """Write, telling a full disk from a broken connection."""
    try:
        file.write(chunk)
    except OSError as error:
        raise _unstorable(entry, error) from error


def _unstorable(entry: Entry, error: OSError) -> ModelError:
    folder = entry.weights_path().parent
    return ModelError(f"The weights of {entry.title} cannot be stored in {folder}: {error.strerror or error}.")


def _unreachable(entry: Entry, reason: str) -> ModelError:
    return ModelError(
        f"The weights of {entry.title} could not be fetched from {entry.url} ({reason.rstrip('.')}); "
        f"fetch that file by hand and put it at {entry.weights_path()}, or choose another model."
    )


_TITLES = {
    "squeezenet1_0": "SqueezeNet 1.0",
    "mobilenet_v3_large": "MobileNet V3 large",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "efficientnet_b0": "EfficientNet-B0",
    "densenet121": "DenseNet-121",
    "vgg16": "VGG-16",
    "convnext_tiny": "ConvNeXt tiny",
    "vit_b_16": "ViT-B/16",
    "swin_t": "Swin-T",
}


def _torchvision(name: str, title: str) -> Entry:
    described = weights(name)
    meta = described.meta
    return Entry(
        name=name,
        title=title,
        source="torchvision",
        domain="photographs",
        parameters=meta["num_params"],
        operations=meta["_ops"],
        top1=meta["_metrics"]["ImageNet-1K"]["acc@1"],
        size=math.ceil(meta["_file_size"] * 2**20),  # torchvision counts in MiB
        url=described.url,
        reference=meta["recipe"],
    )


def _own(name: str) -> Entry:
    own = BUNDLED[name]
    try:
        accuracy = own.weights.card().accuracy * 100
    except ModelError:
        accuracy = None  # loading the model says what is wrong with its weights; the list must stand without them
    return Entry(
        name=name,
        title=own.title,
        source="embedded",
        domain="scenes",
        parameters=parameters(name),
        operations=None,
        top1=accuracy,
        size=0,
        url="",
        reference=own.reference,
    )


ENTRIES: dict[str, Entry] = {
    **{name: _own(name) for name, own in BUNDLED.items() if own.listed},
    **{name: _torchvision(name, title) for name, title in _TITLES.items()},
}
