"""Files of weights as training scripts write them, and what is said where one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model

from decam.classifier import TorchClassifier
from decam.errors import ModelError
from decam.models import load_classifier

QUICK = "squeezenet1_0"
State = Mapping[str, Tensor]


def network(name: str = QUICK, classes: int = 7) -> nn.Module:
    """One of torchvision's networks with random weights, its normalisations away from their first values."""
    torch.manual_seed(3)
    module = get_model(name, num_classes=classes).eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.2, 0.2)  # type: ignore[arg-type]  # always there in these networks
            nn.init.uniform_(part.running_var, 0.5, 1.5)  # type: ignore[arg-type]  # always there in these networks
    return module


def write(content: object, path: Path) -> Path:
    """Saved as the suffix says."""
    if path.suffix == ".safetensors":
        assert isinstance(content, Mapping)
        save_file({name: tensor.contiguous().clone() for name, tensor in content.items()}, path)
    else:
        torch.save(content, path)
    return path


def load(path: Path) -> TorchClassifier:
    return load_classifier(str(path), device="cpu", exact=True)


def answers_as(classifier: TorchClassifier, module: nn.Module) -> None:
    """The classifier's probabilities are the module's own."""
    size = classifier.input_size
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = torch.softmax(module(images), 1)
    torch.testing.assert_close(classifier.answer(images), expected, rtol=1e-4, atol=1e-6)


def refusal(path: Path | str) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path), device="cpu", exact=True)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and str(path) in sentence
    return sentence
