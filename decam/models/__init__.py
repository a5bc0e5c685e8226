"""Where a classifier comes from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

    from decam.classifier import TorchClassifier
    from decam.models.sources.base import Entry

EMBEDDED = "embedded"
QUICK = 1.0  # thousand million multiply-adds an image: what two processor cores still do tens of times a second


def load_classifier(
    name: str = EMBEDDED,
    *,
    device: torch.device | str | None = None,
    exact: bool = False,
    download: bool = True,
) -> TorchClassifier:
    """A classifier by name or path, on the best device unless one is named, asked in the fastest way found.

    `name` may be one that the catalogue does not list, such as "shuffled", the embedded network trained on shuffled
    labels, or the path of a file of weights for a network of the catalogue (.safetensors, .pt, .pth). `exact` asks in
    float32 with the plain memory layout, whatever is faster. Weights that are not here are fetched if `download`.
    Raises ModelError for an unknown name or device, for weights that are absent or damaged, and for too little memory.
    """
    from decam.errors import ModelError
    from decam.hardware import device as devices
    from decam.models import catalogue, tuning

    chosen = devices.resolve(device)
    entry = catalogue.get(name)
    if entry.url and not entry.present():
        _fetch(entry, download)
    try:
        classifier = entry.origin.load(entry, chosen)
    except (RuntimeError, MemoryError) as error:
        if not devices.is_memory(error):
            raise
        raise ModelError(
            f"There is not enough memory to load {entry.title}; choose a smaller model or free memory, then try again."
        ) from error
    classifier.title = entry.title
    classifier.lasting = True
    if not exact:
        classifier.configure(tuning.remembered(classifier))
    return classifier


def default_for(kind: Literal["photograph", "scene"]) -> str:
    """The name of a model that is here for such pictures.

    For a photograph the most accurate quick one, else the quickest; "embedded" if no ImageNet model is here.
    """
    from decam.models.catalogue import ENTRIES

    if kind == "scene":
        return EMBEDDED
    here = [entry for entry in ENTRIES.values() if entry.domain == "photographs" and entry.present()]
    quick = [entry for entry in here if (entry.operations or math.inf) <= QUICK]
    if quick:
        return max(quick, key=lambda entry: entry.top1 or 0.0).name
    return min(here, key=lambda entry: entry.operations or math.inf).name if here else EMBEDDED


def smallest_for_photographs() -> Entry:
    """The model for photographs whose weights are the fewest bytes to fetch."""
    from decam.models.catalogue import ENTRIES

    return min((entry for entry in ENTRIES.values() if entry.domain == "photographs"), key=lambda entry: entry.size)


def _fetch(entry: Entry, download: bool) -> None:
    from decam.errors import ModelError
    from decam.models import catalogue

    if not download:
        raise ModelError(
            f"The weights of {entry.title} are not here: download them from {entry.url} "
            f"and put them at {entry.weights_path()}."
        )
    for _ in catalogue.download(entry):
        pass  # the caller asked for the model, not for its progress
