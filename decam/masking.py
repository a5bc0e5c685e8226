"""The road to a model's answers: masked or blended pictures in batches, counted, and stopped between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.classifier import Classifier, Pixels
from decam.classifier.answers import check_range
from decam.classifier.base import called
from decam.errors import ModelError, SettingError, unknown
from decam.explanation import Ledger, Map, MaskedBatch, Question
from decam.hardware.device import is_memory as is_memory  # those who ask through here find it here
from decam.hardware.parallel_batches import ahead, side_by_side

FILLS = ("blur", "box-blur", "mean", "black", "noise")
BLUR_SIGMA = 20 / 224


def fill(name: str, image: Tensor, mean: tuple[float, float, float], seed: int = 0) -> Tensor:
    """What replaces hidden pixels: 3×H×W in [0, 1] for an image of the same shape.

    `blur` is the image under a Gaussian (σ = 20 pixels at 224, in proportion elsewhere; edges reflected), `box-blur`
    the mean over a square a fifth of the picture high (Gomez and Mouchère 2023), `mean` the colour that is zero after
    the model's normalisation, `black` zero, `noise` uniform from `seed`. Raises SettingError for another name.
    """
    if name == "blur":
        return gaussian(image, BLUR_SIGMA * image.shape[-1])
    if name == "box-blur":
        return box_blur(image, mean)
    if name == "mean":
        return torch.tensor(mean, device=image.device).view(3, 1, 1).expand_as(image).clone()
    if name == "black":
        return torch.zeros_like(image)
    if name == "noise":
        drawn = torch.rand(image.shape, generator=torch.Generator().manual_seed(seed))
        return drawn.to(image.device)
    raise SettingError(unknown("fill", name, FILLS))


def gaussian(image: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian blur, cut at 3 σ or the last pixel that reflection reaches."""
    blurred = image.unsqueeze(0)
    for axis in (-1, -2):
        radius = min(int(3 * sigma + 0.5), image.shape[axis] - 1)
        offsets = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
        weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
        kernel = (weights / weights.sum()).view(1, 1, 1, -1)
        turned = blurred if axis == -1 else blurred.transpose(-1, -2)
        padded = F.pad(turned, (radius, radius, 0, 0), mode="reflect")
        channels = padded.shape[1]
        smooth = F.conv2d(padded, kernel.expand(channels, 1, 1, -1), groups=channels)
        blurred = smooth if axis == -1 else smooth.transpose(-1, -2)
    return blurred.squeeze(0).clamp_(0, 1)


def box_blur(image: Tensor, mean: tuple[float, float, float]) -> Tensor:
    """Mean over a square of an odd number of pixels, a fifth of the height but at least 9.

    Beyond the edges lies the model's mean colour, as where a picture is blurred after normalisation and padded with
    zeros: so it is in the code that Gomez and Mouchère (2023) published.
    """
    side = max(image.shape[-2] // 5, 9) // 2 * 2 + 1
    zero = torch.tensor(mean, dtype=image.dtype, device=image.device).view(3, 1, 1)
    blurred = F.avg_pool2d((image - zero).unsqueeze(0), side, stride=1, padding=side // 2).squeeze(0) + zero
    return blurred.clamp_(0, 1)


def upsample(grids: Tensor, size: tuple[int, int]) -> Tensor:
    """N×h×w grids to N×1×H×W by bilinear interpolation between the cells' centres."""
    return F.interpolate(grids.unsqueeze(1), size=size, mode="bilinear", align_corners=False)


def ranked(saliency: Map) -> Tensor:
    """Pixel positions (flat, int64) from the most to the least salient; ties keep the order of reading."""
    return torch.from_numpy(np.argsort(-saliency.reshape(-1), kind="stable"))


def places(order: Tensor) -> Tensor:
    """Where each pixel stands in the order (flat, int32): 0 for the first."""
    found = torch.empty(order.numel(), dtype=torch.int32)
    found[order] = torch.arange(order.numel(), dtype=torch.int32)
    return found


def step_shares(steps: int) -> Tensor:
    """The share of the pixels that is hidden or shown at each of `steps` + 1 points (float64), from none to all.

    Divided as Python divides, so that a share computed for one step rounds to the very same number of pixels.
    """
    return torch.arange(steps + 1, dtype=torch.float64) / steps


def share_masks(place: Tensor, shares: Tensor, metric: str, size: tuple[int, int]) -> Tensor:
    """N masks (N×1×H×W, True = visible) that hide (deletion) or show (insertion) the first shares of all `places`."""
    counts = torch.round(shares * place.numel()).to(place).unsqueeze(1)
    visible = place < counts if metric == "insertion" else place >= counts
    return visible.view(-1, 1, *size)


def step_picture(image: Tensor, saliency: Map, filling: Tensor, share: float, metric: str) -> Pixels:
    """The very picture (H×W×3 uint8) that the model saw when `share` of the pixels was hidden or shown."""
    size = (image.shape[-2], image.shape[-1])
    place = places(ranked(saliency)).to(image.device)
    mask = share_masks(place, torch.tensor([share], dtype=torch.float64), metric, size)[0]
    return to_pixels(torch.where(mask, image, filling))


def to_pixels(image: Tensor) -> Pixels:
    """A picture that a model saw (3×H×W in [0, 1]) for the eye: H×W×3 uint8."""
    seen: Pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return seen


class MaskedQueries:
    """Asks a classifier about one image behind many masks.

    Image and fill are normalised once (blending commutes with an affine normalisation), batches are blended into
    buffers that are used again, as many side by side as is fastest for the model. They are blended with the channels
    apart, ten times as fast as with channels last: the model's first layer turns them round in passing. Every image is
    counted in the question's ledger, which also keeps the target's lowest and highest probability. A batch that does
    not fit into memory is halved and tried again. On a GPU one batch more is asked for before the answers to each are
    handed out. Raises ModelError where the model answers something that is no number, or lies outside [0, 1].
    """

    def __init__(self, question: Question, filling: Tensor) -> None:
        classifier = question.classifier
        self._classifier = classifier
        self._ledger = question.ledger
        self._target = question.target
        self._bare, self._hidden, self._listener = question.image, filling, question.listener
        both = classifier.normalise(torch.stack([question.image, filling]))
        self._image, self._filling = both[:1], both[1:]
        self.batch_size = classifier.execution.batch_size
        self._parallel_batches = classifier.execution.parallel_batches
        self._buffers: list[Tensor] = []

    @property
    def round_size(self) -> int:
        """Pictures that keep the model busy: fewer at a time leave a part of the machine idle."""
        return self.batch_size * self._parallel_batches

    def batches(self, masks: Tensor) -> Iterator[Tensor]:
        """Answers (n×C probabilities) to masks (N×1×H×W), a batch at a time: stop by not going on.

        Masks are the visible share of each pixel, or booleans, which take less memory.
        """
        return self._answers(masks, self._ask, self._masked)

    def pictures(self, images: Tensor) -> Tensor:
        """Answers (N×C) to pictures (N×3×H×W in [0, 1]) that somebody else has masked already."""
        classifier = self._classifier
        asked = self._answers(images, lambda part: classifier.answer(classifier.normalise(part)), self._changed)
        return torch.cat(list(asked))

    def _masked(self, masks: Tensor, answers: Tensor) -> MaskedBatch:
        """What a listener is told of masks."""
        visible = masks.to(self._bare.device, self._bare.dtype)
        return MaskedBatch(visible, torch.lerp(self._hidden, self._bare, visible), answers[:, self._target])

    def _changed(self, images: Tensor, answers: Tensor) -> MaskedBatch:
        """What a listener is told of pictures that somebody else has masked: what is as it was is visible."""
        visible = (images == self._bare).all(1, keepdim=True).to(self._bare.dtype)
        return MaskedBatch(visible, images, answers[:, self._target])

    def _answers(
        self,
        questions: Tensor,
        ask: Callable[[Tensor], Tensor],
        told: Callable[[Tensor, Tensor], MaskedBatch],
    ) -> Iterator[Tensor]:
        done = 0
        while done < len(questions):
            left = questions[done:]
            answered = side_by_side(ask, torch.split(left, self._even(len(left))), self._parallel_batches)
            with closing(ahead(answered) if self._image.device.type == "cuda" else answered) as coming:
                while done < len(questions):
                    try:
                        answers = next(coming)
                    except (RuntimeError, MemoryError) as error:
                        self._halve(error)
                        break
                    self._ledger.evaluations += len(answers)
                    done += len(answers)
                    # One clean picture may get what looks like probabilities where masked ones do not.
                    lowest, highest, target_lowest, target_highest = self._ends(answers)
                    check_range(lowest, highest, self._classifier.name, "a masked image")
                    self._ledger.answered(target_lowest, target_highest)
                    if self._listener is not None:
                        self._listener(told(questions[done - len(answers) : done], answers))
                    yield answers

    def _ends(self, answers: Tensor) -> list[float]:
        """The lowest and highest of all answers, then of the target's; a GPU is waited for once."""
        ends: list[float] = torch.stack([*answers.aminmax(), *answers[:, self._target].aminmax()]).tolist()
        return ends

    def _even(self, count: int) -> int:
        """The size of a batch when `count` pictures are shared out evenly among the parallel batches."""
        rounds = -(-count // self.round_size)
        return -(-count // (rounds * self._parallel_batches))

    def _ask(self, masks: Tensor) -> Tensor:
        shape = (len(masks), *self._image.shape[1:])
        try:
            buffer = self._buffers.pop()
        except IndexError:
            buffer = self._image.new_empty(0)
        if buffer.shape != shape:
            buffer = self._image.new_empty(shape)
        # Booleans too: weights of 0 and 1 give fill and image bit for bit, twenty times as fast as torch.where.
        torch.lerp(self._filling, self._image, masks.to(self._image.device, self._image.dtype), out=buffer)
        answers = self._classifier.answer(buffer)
        self._buffers.append(buffer)
        return answers

    def _halve(self, error: BaseException) -> None:
        self._buffers.clear()
        self.batch_size = halved(self.batch_size, error, self._classifier, [self._ledger])


def halved(size: int, error: BaseException, classifier: Classifier, ledgers: Iterable[Ledger]) -> int:
    """Half the size of a batch that did not fit into memory, which all ledgers note.

    Raises an error again that was not about memory, and ModelError where a batch held one picture alone.
    """
    if not is_memory(error):
        raise error
    if classifier.device.type == "cuda":
        torch.cuda.empty_cache()
    if size == 1:
        raise ModelError(
            f"There is not enough memory to ask {called(classifier)} about a single image; "
            "choose a smaller model or free memory, then run again."
        ) from error
    for ledger in ledgers:
        ledger.note(f"Memory ran short, so the batch was halved to {size // 2} and tried again.")
    return size // 2
