"""The road from a question without a picture to its model: batches that are counted, with gradients or without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.classifier import Classifier, TorchClassifier, computing
from decam.classifier.answers import check_range
from decam.classifier.base import called
from decam.errors import MethodError, ModelError, SettingError
from decam.explanation import ClassQuestion, Ledger, Target, Unit
from decam.masking import halved
from decam.methods.support.weight_sharing import share_weights

Found = TypeVar("Found")

JOINT = 8  # batches of the execution that one joint pass with gradients may hold; 1 on a CPU, whose caches are small


class Road:
    """Asks a classifier about pictures (N×3×H×W, clipped to [0, 1] here) for several targets at once.

    Row i of the pictures is for the target `rows[i]` of `targets`. What is read of a row is its value, in [0, 1] for
    classes (the sum of their probabilities, 1 at most) and the activation for a unit, and its objective: the mean
    log-probability of the classes, their mean logit with `logit`, or the activation. Every picture counts once, with
    gradients too, in the ledger of its row's target. A batch that does not fit into memory is halved and tried again.
    """

    def __init__(
        self, classifier: Classifier, targets: tuple[Target, ...], ledgers: Sequence[Ledger], logit: bool = False
    ) -> None:
        self.classifier, self.targets, self.ledgers = classifier, targets, ledgers
        self._logit = logit
        self._members = members(targets, len(classifier.labels))
        units = {target.layer for target in targets if isinstance(target, Unit)}
        self._open = isinstance(classifier, TorchClassifier) and "gradients" in classifier.provides
        if units and not self._open:
            raise MethodError(f"A unit needs a PyTorch model to look into, and {called(classifier)} is none.")
        self._seen: dict[str, Tensor] = {}
        self._module: nn.Module | None = None
        self._hooked: set[str] = set()
        self._batch = classifier.execution.batch_size * (1 if classifier.device.type == "cpu" else JOINT)
        for layer in sorted(units):
            self._hook(layer)

    @classmethod
    def of(cls, questions: Sequence[ClassQuestion], logit: bool = False) -> Road:
        """The road of questions about one classifier: row i is for the i-th."""
        targets = tuple(question.target for question in questions)
        return cls(questions[0].classifier, targets, [question.ledger for question in questions], logit)

    def values(self, pictures: Tensor, rows: Tensor) -> Tensor:
        """The value of each row (N, on the CPU), without gradients."""
        with torch.no_grad():
            return torch.cat(self._in_batches(pictures, rows, lambda part, at: self._plain(part, rows[at])))

    def probabilities(self, pictures: Tensor, row: int = 0) -> Tensor:
        """The probabilities of all classes (N×C, on the CPU), without gradients."""
        return torch.cat(self._in_batches(pictures, _all(row, pictures), lambda part, _: self._answers(part)))

    def slopes(self, pictures: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The objective's gradient by each picture (N×3×H×W, on the CPU) and the value of each row (N)."""
        found = self._in_batches(pictures, rows, lambda part, at: self._sloped(part, rows[at]))
        return torch.cat([slope for slope, _, _ in found]), torch.cat([value for _, value, _ in found])

    def slopes_and_answers(self, pictures: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The objective's gradient by each picture (N×3×H×W, on the CPU) and the probabilities of all classes (N×C)."""
        found = self._in_batches(pictures, rows, lambda part, at: self._sloped(part, rows[at]))
        return torch.cat([slope for slope, _, _ in found]), torch.cat([answers for _, _, answers in found])

    def activations(self, pictures: Tensor, layer: str, row: int = 0) -> Tensor:
        """The mean over the pictures and channels of a layer's activation, h×w; raises SettingError without a grid."""
        self._hook(layer)

        def mean(part: Tensor, at: slice) -> Tensor:
            del at
            with torch.no_grad():
                self._through(part)
            grid = self._seen[layer]
            if grid.ndim != 4:
                raise SettingError(f"The layer {layer!r} of {called(self.classifier)} has no places; choose another.")
            return grid.float().mean(1).cpu()

        return torch.cat(self._in_batches(pictures, _all(row, pictures), mean)).mean(0)

    def _in_batches(self, pictures: Tensor, rows: Tensor, ask: Callable[[Tensor, slice], Found]) -> list[Found]:
        found: list[Found] = []
        done = 0
        while done < len(pictures):
            at = slice(done, done + self._batch)
            part = pictures[at]
            try:
                found.append(ask(part, at))
            except (RuntimeError, MemoryError) as error:
                self._batch = halved(self._batch, error, self.classifier, self.ledgers)
                continue
            for row, count in enumerate(rows[at].bincount().tolist()):
                self.ledgers[row].evaluations += count
            done += len(part)
        return found

    def _plain(self, part: Tensor, rows: Tensor) -> Tensor:
        if any(isinstance(self.targets[row], Unit) for row in set(rows.tolist())):
            return self._value(self._logs(self._through(part)).exp(), rows)
        return self._value(self._answers(part), rows)

    def _answers(self, part: Tensor) -> Tensor:
        answers = self.classifier.answer(self.classifier.normalise(part.clamp(0, 1))).float().cpu()
        low, high = answers.aminmax()
        check_range(float(low), float(high), self.classifier.name, "a sample")
        return answers

    def _sloped(self, part: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The slope, the value and the probabilities of each row."""
        leaf = part.detach().clone().requires_grad_()
        with torch.enable_grad():
            answers = self._through(leaf)
            objective = self._objective(answers, rows).sum()
            (slope,) = torch.autograd.grad(objective, leaf)
        if not all(bool(edge.isfinite()) for edge in slope.aminmax()):  # NaN is both
            raise ModelError(f"{called(self.classifier)} gave a gradient that is no number; load it with exact=True.")
        probabilities = self._logs(answers.detach()).exp()
        return slope.cpu(), self._value(probabilities, rows), probabilities

    def _through(self, part: Tensor) -> Tensor:
        """Logits (N×C, on the CPU) through the copy on which hooks lie; gradients flow where they are on."""
        classifier = self._white()
        if self._module is None:
            self._module = share_weights(classifier.module)
        normalised = classifier.normalise(part.clamp(0, 1))
        if classifier.execution.channels_last:
            normalised = normalised.contiguous(memory_format=torch.channels_last)
        with classifier.lock.shared(), self._precision():
            return classifier.read(self._module(normalised), len(part)).float().cpu()

    def _precision(self) -> AbstractContextManager[object]:
        """The execution's own, but never float16, in which small gradients vanish."""
        execution = self.classifier.execution
        if execution.precision == "bfloat16":
            return computing(self.classifier.device, execution.precision)
        return nullcontext()

    def _white(self) -> TorchClassifier:
        if not isinstance(self.classifier, TorchClassifier) or not self._open:
            raise MethodError(f"{called(self.classifier)} gives no gradients: ask for the black-box variant.")
        return self.classifier

    def _hook(self, layer: str) -> None:
        if layer in self._hooked:
            return
        classifier = self._white()
        if self._module is None:
            self._module = share_weights(classifier.module)
        try:
            module = self._module.get_submodule(layer)
        except AttributeError as error:
            raise SettingError(f"{called(classifier)} has no layer {layer!r}.") from error
        self._hooked.add(layer)

        def keep(_: nn.Module, __: object, output: Tensor) -> None:
            self._seen[layer] = output.clone()  # the network may overwrite it

        module.register_forward_hook(keep)

    def _objective(self, logits: Tensor, rows: Tensor) -> Tensor:
        """The objective of each row (N)."""
        weights = self._members[rows]
        scores = logits if self._logit else self._logs(logits)
        objective = (scores * weights).sum(1) / weights.sum(1).clamp_min(1)
        return self._with_units(objective, rows)

    def _value(self, probabilities: Tensor, rows: Tensor) -> Tensor:
        """The value of each row (N)."""
        return self._with_units((probabilities * self._members[rows]).sum(1).clamp_max(1), rows)

    def _with_units(self, by_class: Tensor, rows: Tensor) -> Tensor:
        """Values by row, with a unit's mean activation over its places in the rows that are for a unit."""
        for number, target in enumerate(self.targets):
            if isinstance(target, Unit) and bool((rows == number).any()):
                output = self._seen[target.layer]
                if output.ndim < 2 or target.channel >= output.shape[1]:
                    raise SettingError(
                        f"The layer {target.layer!r} has {output.shape[1]} channels, and channel {target.channel} was "
                        "asked for; they count from 0."
                    )
                activation = output[:, target.channel].float().reshape(len(output), -1).mean(1)
                by_class = torch.where(rows == number, activation.cpu(), by_class)
        return by_class

    def _logs(self, logits: Tensor) -> Tensor:
        reading = self._white().inspection.output
        if reading.kind == "independent" and not reading.single:
            return F.logsigmoid(logits)
        return torch.log_softmax(logits, dim=1)


def _all(row: int, pictures: Tensor) -> Tensor:
    return torch.full((len(pictures),), row)


def members(targets: Sequence[Target], classes: int) -> Tensor:
    """K×C: 1 where a class belongs to a target; a unit has none."""
    found = torch.zeros(len(targets), classes)
    for row, target in zip(found, targets, strict=True):
        if not isinstance(target, Unit):
            row[list(target)] = 1
    return found
