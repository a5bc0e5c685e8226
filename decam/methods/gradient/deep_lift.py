"""DeepLIFT: the difference of two scores, shared out step by step from the score back to the pixels."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from decam.errors import MethodError
from decam.explanation import Question
from decam.methods.gradient.recording import Recording, Step
from decam.methods.gradient.step_rules import Pair, difference, hand_back
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.white_box import Opened
from decam.numerals import listed

MISSING = 0.01  # of the scores' difference: a sum that misses by more is worth a note
FLOOR = 1e-4  # of the largest logit: what rounding in float32 alone can make of a difference
_FINE = 1e-5  # of the scores' difference: how much one step may miss before it is shared out along a finer path
_LISTED = 3  # steps that a note names
_INSIDE = re.compile("^(native|safe|linalg)_")


@dataclass(frozen=True)
class Attribution:
    """The contributions of a picture's values (1×3×H×W) and how far their sum is from the difference of the scores.

    `lost` says for operators by how much their steps miss. `shared` are those without a closed rule.
    """

    contributions: Tensor
    picture: float
    baseline: float
    largest: float
    lost: dict[str, float]
    shared: tuple[str, ...]

    @property
    def gap(self) -> float:
        """The difference of the scores minus the sum of the contributions."""
        return self.picture - self.baseline - float(self.contributions.cpu().double().sum())

    def notes(self) -> list[str]:
        """What a reader must know: that the sum misses the difference, why, and which steps the paper does not know."""
        notes = []
        if self.shared:
            notes.append(
                f"DeepLIFT's paper has no rule for {_named(self.shared)}: their differences were shared out along the "
                "straight line from baseline to image."
            )
        change = self.picture - self.baseline
        if not abs(self.gap) <= max(MISSING * abs(change), FLOOR * self.largest):
            notes.append(
                f"The map adds up to {change - self.gap:.3g}, but the score differs from the baseline's by "
                f"{change:.3g}: {self._reason()}."
            )
        return notes

    def _reason(self) -> str:
        """Why the sum misses; the steps' gaps add up to the whole one, but for what was not seen."""
        heavy = sorted((name for name in self.lost if abs(self.lost[name]) > 0.05 * abs(self.gap)), key=self._loss)
        unseen = self.gap - sum(self.lost.values())
        if heavy and not abs(unseen) > 0.5 * abs(self.gap):
            return f"no rule of the method is exact for {_named(heavy[:_LISTED])} in this network"
        return "part of the score is computed where PyTorch's operators cannot be followed"

    def _loss(self, name: str) -> float:
        return -abs(self.lost[name])


def deep_lift(question: Question, baseline: Tensor, checkpoint: Checkpoint) -> Attribution:
    """Contributions of the picture's values to the difference of the target's logits, picture minus baseline.

    Shrikumar, Greenside and Kundaje (2017), section 3, with the rescale rule. `baseline` is 1×3×H×W in [0, 1] like the
    picture. Two evaluations. Raises MethodError where the network takes other steps for the baseline than for the
    picture.
    """
    # Both with the same layout in memory: a network's own code may take other steps for another layout.
    model = Opened(question, checkpoint)
    image, baseline = question.image.unsqueeze(0).contiguous(), baseline.contiguous()
    picture, logits = _recorded(model, image)
    reference, reference_logits = _recorded(model, baseline)
    _compared(picture, reference, question.classifier.name)
    score, reference_score = (float(each[0, question.target]) for each in (logits, reference_logits))
    start = torch.zeros_like(logits)
    start[0, question.target] = 1
    walked = walked_back(picture, reference, logits, start, _FINE * abs(score - reference_score))
    change = difference(image, baseline)
    return Attribution(
        torch.zeros_like(change) if walked.multiplier is None else walked.multiplier * change,
        score,
        reference_score,
        float(max(logits.abs().max(), reference_logits.abs().max())),
        walked.lost,
        walked.shared,
    )


class _Unfused(TorchFunctionMode):
    """Within this context PyTorch's transformer layers compute as they do in training, by operators with rules.

    They ask whether anybody looks on; this mode does, on its own thread.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function."""
        del types
        return func(*args, **(kwargs or {}))


def _recorded(model: Opened, image: Tensor) -> tuple[Recording, Tensor]:
    recording = Recording(image)
    devices = [image.device] if image.device.type == "cuda" else []
    # What a network draws by chance is the same for picture and baseline.
    with torch.no_grad(), torch.random.fork_rng(devices), _Unfused(), recording:
        logits: Tensor = model(image)
    return recording, logits


def _compared(picture: Recording, baseline: Recording, name: str) -> None:
    """Raises MethodError where the two forward passes are not the same steps."""
    same = len(picture.steps) == len(baseline.steps) and all(
        (one.operator, one.sources, one.outputs) == (other.operator, other.sources, other.outputs)
        for one, other in zip(picture.steps, baseline.steps, strict=False)
    )
    if not same or any(part.shape != baseline.values[number].shape for number, part in picture.values.items()):
        raise MethodError(
            f"DeepLIFT compares a network's steps for the image with those for the baseline, and the code of {name} "
            "takes other steps for one than for the other; another baseline may do."
        )


@dataclass(frozen=True)
class Walked:
    """The picture's multiplier, None where no slope leads back to it; `lost` and `shared` are those of Attribution."""

    multiplier: Tensor | None
    lost: dict[str, float]
    shared: tuple[str, ...]


def walked_back(
    picture: Recording, baseline: Recording, answer: Tensor, multiplier: Tensor, tolerance: float
) -> Walked:
    """The way back from the recorded answer for the picture, whose multiplier is given; uses the recordings up.

    Where a step misses its results' contributions by more than `tolerance`, a finer path is tried.
    """
    walk, number = _Walk(picture, baseline, tolerance), picture.number(answer)
    picture.forget_memory()
    baseline.forget_memory()
    found = None if number is None else walk.back(number, multiplier)
    return Walked(found, dict(walk.lost), tuple(sorted(walk.shared)))


class _Walk:
    """Multipliers on their way back from the answer."""

    def __init__(self, picture: Recording, baseline: Recording, tolerance: float) -> None:
        self.lost: defaultdict[str, float] = defaultdict(float)
        self.shared: set[str] = set()
        self._picture, self._baseline, self._tolerance = picture, baseline, tolerance
        self._multipliers: dict[int, Tensor] = {}

    def back(self, number: int, multiplier: Tensor) -> Tensor | None:
        """The picture's multipliers for that multiplier of a value; None where no slope leads back to the picture."""
        self._multipliers[number] = multiplier
        for step, other in zip(reversed(self._picture.steps), reversed(self._baseline.steps), strict=True):
            multipliers = [self._multipliers.pop(made, None) for made in _numbers(step)]
            if any(each is not None for each in multipliers):
                self._through(step, other, multipliers)
            for made in _numbers(step):  # nothing before this step needs its results
                self._picture.values.pop(made, None)
                self._baseline.values.pop(made, None)
        return self._multipliers.get(0)

    def _through(self, step: Step, other: Step, multipliers: list[Tensor | None]) -> None:
        here, there = self._picture.values, self._baseline.values
        given, given_baseline = ([values[source] for source in step.sources] for values in (here, there))
        made, made_baseline = ([values.get(number) for number in _numbers(step)] for values in (here, there))
        pair = Pair(step, other, given, given_baseline, made, made_baseline, multipliers, self._tolerance)
        handed = hand_back(pair)
        self.lost[step.name] += handed.gap
        if handed.shared:
            self.shared.add(step.name)
        for source, multiplier in zip(step.sources, handed.multipliers, strict=True):
            if multiplier is not None:
                before = self._multipliers.get(source)
                self._multipliers[source] = multiplier if before is None else before + multiplier


def _numbers(step: Step) -> list[int]:
    """The numbers of a step's results; -1, which no value has, for one that is no tensor."""
    return [-1 if number is None else number for number in step.outputs]


def _named(names: Sequence[str]) -> str:
    """Names of operators in a sentence, without the prefixes of PyTorch's inside: "layer_norm and softmax"."""
    return listed(list(dict.fromkeys(_INSIDE.sub("", name) for name in names)))
