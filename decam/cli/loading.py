"""The model that a command asks, fetched first if its weights are not here."""

from __future__ import annotations

import sys

from decam.classifier import TorchClassifier
from decam.cli.terminal import Line
from decam.hardware import device as devices
from decam.models import EMBEDDED, catalogue, default_for, load_classifier, smallest_for_photographs
from decam.shares import done


def default_model() -> str:
    """An ImageNet model that is here, else the one that is fetched soonest."""
    name = default_for("photograph")
    return smallest_for_photographs().name if name == EMBEDDED else name


def classifier_of(name: str, device: str | None, *, exact: bool = False) -> TorchClassifier:
    """The model, fetched first if its weights are not here, with progress."""
    devices.resolve(device)
    entry = catalogue.get(name)
    with Line(sys.stderr) as line:
        if entry.url and not entry.present():
            line.note(f"Fetching {entry.title} ({entry.size / 1e6:.0f} MB) from {entry.url}")
            for step in catalogue.download(entry):
                line.show(f"{entry.title} {done(step.done, step.total)}")
        line.show(f"Loading {entry.title}")
        return load_classifier(name, device=device, exact=exact)
