"""The side that answers: what a method may ask of a model, and the modules and functions that answer it."""

from decam.classifier.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    PRECISIONS,
    Classifier,
    Execution,
    Need,
    Pixels,
    Precision,
    View,
    computing,
    fit,
    probabilities,
    to_tensor,
    todays,
)
from decam.classifier.engines import EAGER, ENGINES
from decam.classifier.function_classifier import FunctionClassifier
from decam.classifier.torch_classifier import TorchClassifier
from decam.classifier.wrapping import wrap

__all__ = [
    "EAGER",
    "ENGINES",
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
    "todays",
    "wrap",
]
