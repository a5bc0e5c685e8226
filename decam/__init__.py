"""Saliency methods compared: why does this classifier give this image this class?"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Read once, when PyTorch is first imported. Its idle threads would otherwise spin on the cores that answer batches:
# a search beside other programs was fifteen times slower. Whoever has set it keeps it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from decam import methods, metrics
    from decam.api import (
        compare,
        explain,
        explain_class,
        explain_class_steps,
        explain_steps,
        find_backdoor,
        measure,
        sanity_check,
    )
    from decam.classifier import Classifier, wrap
    from decam.errors import DecamError
    from decam.explanation import ClassExplanation, Explanation, Progress, Unit
    from decam.models import load_classifier


# Captum and torchvision take seconds to import: each name brings its module when it is first used.
_HOMES = {
    "compare": "decam.api",
    "explain": "decam.api",
    "explain_class": "decam.api",
    "explain_class_steps": "decam.api",
    "explain_steps": "decam.api",
    "find_backdoor": "decam.api",
    "measure": "decam.api",
    "Classifier": "decam.classifier",
    "wrap": "decam.classifier",
    "DecamError": "decam.errors",
    "ClassExplanation": "decam.explanation",
    "Explanation": "decam.explanation",
    "Progress": "decam.explanation",
    "Unit": "decam.explanation",
    "load_classifier": "decam.models",
    "sanity_check": "decam.api",
}


_TABLES = ("methods", "metrics")


def __getattr__(name: str) -> Any:
    if name in _TABLES:
        return import_module(f"decam.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ClassExplanation",
    "Classifier",
    "DecamError",
    "Explanation",
    "Progress",
    "Unit",
    "compare",
    "explain",
    "explain_class",
    "explain_class_steps",
    "explain_steps",
    "find_backdoor",
    "load_classifier",
    "measure",
    "methods",
    "metrics",
    "sanity_check",
    "wrap",
]
