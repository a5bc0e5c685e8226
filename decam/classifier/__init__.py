"""The side that answers: what a method may ask of a model, and the modules and functions that answer it."""

from decam.classifier.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    PRECISIONS,
    Classifier,
    Execution,
    FunctionClassifier,
    Need,
    Pixels,
    Precision,
    TorchClassifier,
    View,
    computing,
    fit,
    probabilities,
    to_tensor,
    wrap,
)

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "PRECISIONS",
    "Classifier",
    "Execution",
    "FunctionClassifier",
    "Need",
    "Pixels",
    "Precision",
    "TorchClassifier",
    "View",
    "computing",
    "fit",
    "probabilities",
    "to_tensor",
    "wrap",
]
