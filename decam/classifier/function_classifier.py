"""A function of pictures that answers: a black box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from decam.classifier.answers import (
    Answers,
    OutputFormat,
    check_answers,
    check_probabilities,
    in_words,
    selected,
    shaped,
)
from decam.classifier.arguments import batch_size_of, classes_of, labels_of, normalisation_of, size_of
from decam.classifier.base import IMAGENET_MEAN, Execution, Need, Pixels, fit


class FunctionClassifier:
    """Any function from N×3×H×W float32 in [0, 1] to N×C probabilities: a black box.

    Each probability lies in [0, 1]. A row need not add up to 1: those of several sigmoids do not. N×1 or N answers are
    the probability of the second of two classes; one label alone names the second. With answers="logits" the function
    answers logits, read through softmax or, of one a picture, through a sigmoid. Every batch is checked. A function
    that asks a module puts it into evaluation mode itself.
    """

    provides: frozenset[Need] = frozenset({"output"})

    def __init__(
        self,
        function: Callable[[Tensor], object],
        labels: Iterable[object],
        input_size: tuple[int, int] | int = (224, 224),
        *,
        name: str = "function",
        mean: Sequence[float] | float = IMAGENET_MEAN,
        batch_size: int = 16,
        output: str | int | None = None,
        answers: Answers = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        self.name = name
        given_labels = labels_of(labels)
        self.labels = classes_of(given_labels)
        self.input_size = size_of(input_size)
        self.mean, _, _ = normalisation_of(mean, 1)
        self.device = torch.device(device)
        self.execution = Execution(batch_size=batch_size_of(batch_size))
        self._function, self._given, self._output = function, len(given_labels), output
        self._logits = check_answers(answers) == "logits"

    def view(self, image: Image.Image) -> Pixels:
        """The picture scaled and cropped to the input size, H×W×3 uint8 RGB."""
        return np.asarray(fit(image, self.input_size).convert("RGB"), dtype=np.uint8)

    def normalise(self, images: Tensor) -> Tensor:
        """The same images: a copy, for a function may change what it is given."""
        return images.to(self.device, copy=True)

    def answer(self, normalised: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to N×C probabilities; raises ModelError where the function answers something else."""
        with in_words(self.name, normalised.shape, "Mend the function."), torch.no_grad():
            answered = self._function(normalised.contiguous())
        scores = shaped(selected(answered, self._output, self.name), len(normalised), self._given, self.name)
        scores = scores.detach().to(self.device, torch.float32)
        if not self._logits:
            check_probabilities(scores, self.name)
            scores = scores.clamp(0, 1)
        reading = OutputFormat("logits" if self._logits else "independent", single=scores.shape[1] == 1)
        return reading.probabilities(scores)
