"""Beating a search by hand: a cover is judged by the search's own fitness, beside the search at as many evaluations."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from decam.errors import SettingError
from decam.experiments.history import Frame
from decam.explanation import Explanation, Map, Progress, Question, Truth
from decam.masking import MaskedQueries, fill, places, ranked
from decam.methods.de_cam.encoding import rank_masks
from decam.methods.de_cam.fitness import ESTIMATED
from decam.methods.de_cam.settings import DeCamSettings
from decam.metrics.anytime import at_full_size


@dataclass(frozen=True)
class Reached:
    """A search at one moment: the evaluations spent, its candidate map (H×W), and its own fitness of its fittest.

    The fitness is None before the first generation.
    """

    evaluations: int
    candidate: Map
    fitness: float | None


def cost_of(settings: DeCamSettings) -> int:
    """The evaluations that `measured` takes for one candidate."""
    return 2 * len(ESTIMATED) if settings.estimates else 2


def candidate_of(cover: Truth, settings: DeCamSettings) -> Map:
    """A cover (H×W, True = covered) as what a search evolves, float32, H×W.

    For plain evolution it is the mask itself, 1 where it is covered. Other searches evolve rankings: the places deepest
    inside the cover come first and those farthest from it last, by their distance to its edge, and equal ones in the
    order of reading. So the covered places are the top of the ranking. Raises SettingError for a cover of nothing or of
    everything, which ranks nothing.
    """
    if cover.all() or not cover.any():
        raise SettingError("Cover a part of the image, neither nothing nor all of it; then it can be judged.")
    if not settings.estimates:
        return cover.astype(np.float32)
    depth = distance_transform_edt(cover) - distance_transform_edt(~cover)
    order = places(ranked(depth.astype(np.float32))).view(*cover.shape).numpy()
    found: Map = (order.size - order).astype(np.float32)
    return found


def measured(
    question: Question, settings: DeCamSettings, seed: int, candidate: Map
) -> Generator[Progress, None, float]:
    """The fitness of a candidate (H×W) in a search with these settings, with the model asked about all of it.

    Of a ranking it is the target's mean probability with the top 2 to 65 % kept alone, minus its mean with them
    removed, at the ten shares of ESTIMATED each; in [−1, 1]. The search estimates the same from answers at two shares.
    Of plain evolution's mask in [0, 1] it is the probability behind the mask, minus that behind its complement, minus
    the visible area; in [−2, 1].
    """
    image = question.image
    values = torch.from_numpy(candidate).to(image.device)
    if settings.estimates:
        masks = rank_masks(values.unsqueeze(0), ESTIMATED, ESTIMATED)[0].unsqueeze(1)
        area = 0.0
    else:
        visible = values.clamp(0, 1)
        masks = torch.stack([visible, 1 - visible]).unsqueeze(1)
        area = float(visible.mean())
    queries = MaskedQueries(question, fill(settings.fill, image, question.classifier.mean, seed))
    answers: list[Tensor] = []
    for batch in queries.batches(masks):
        answers.append(batch[:, question.target])
        done = sum(map(len, answers))
        yield Progress(done, len(masks), question.ledger.evaluations)
    kept, removed = torch.cat(answers).cpu().double().chunk(2)
    return float(kept.mean() - removed.mean()) - area


def reached(frames: Sequence[Frame], evaluations: int, size: tuple[int, int]) -> Reached | None:
    """A search when it had spent at most so many evaluations, its map at the picture's size (H, W).

    None where it had no map yet that ranks anything.
    """
    for frame in reversed(frames):
        values = frame.values()
        if frame.evaluations <= evaluations and values is not None and values.min() < values.max():
            return Reached(frame.evaluations, at_full_size(values, size), frame.curves.get("best"))
    return None


def ended(frames: Sequence[Frame], made: Explanation, settings: DeCamSettings) -> Reached | None:
    """A finished search at its end: the finished map of a search for rankings, the last mask of plain evolution."""
    latest = reached(frames, made.evaluations, (made.saliency.shape[0], made.saliency.shape[1]))
    if latest is None or not settings.estimates:
        return latest
    return replace(latest, evaluations=made.evaluations, candidate=made.saliency)
