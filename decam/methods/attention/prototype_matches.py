"""This looks like that: the patches of training scenes that places of a picture resemble, for a prototype network."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from decam.classifier import Pixels
from decam.classifier.base import called
from decam.errors import MethodError, SettingError
from decam.explanation import Question
from decam.images.scenes.scene import scene
from decam.methods.support.white_box import white_box
from decam.models.networks.prototypes import COUNT, EACH, PrototypeNetwork

_CELLS = 3  # a place is shown with its neighbours: it sees more than its own cell


@dataclass(frozen=True)
class Box:
    """Rows and columns of a picture, in pixels; bottom and right are not inside."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, picture: Pixels) -> Pixels:
        """The part of a picture (H×W×3) in the box."""
        return picture[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Patch:
    """What a prototype is: a box of the scene of a seed; `whole` is the scene, `picture` that part, h×w×3 uint8."""

    seed: int
    box: Box
    whole: Pixels

    @property
    def picture(self) -> Pixels:
        """What the prototype was taken from."""
        return self.box.of(self.whole)


@dataclass(frozen=True)
class PrototypeMatch:
    """One place of the picture and the prototype it looks like.

    `similarity` is a cosine in [-1, 1]; `points` what it adds to the logit of the class asked about, and `label` and
    `name` say to which class the prototype belongs. `box` is the place in the picture, `picture` the pixels there.
    """

    prototype: int
    label: int
    name: str
    similarity: float
    points: float
    box: Box
    picture: Pixels
    patch: Patch


def this_looks_like_that(question: Question, count: int = EACH) -> tuple[PrototypeMatch, ...]:
    """The `count` prototypes that add most to the target's logit, best first; costs one evaluation.

    Raises MethodError where the model is no prototype network, SettingError for a count outside 1 to 30
    (Chen et al., This Looks Like That, 2019, figure 1).
    """
    classifier = white_box(question)
    network = classifier.module
    if not isinstance(network, PrototypeNetwork):
        raise MethodError(f"{called(classifier)} has no prototypes; choose the Prototype network.")
    if not 1 <= count <= COUNT:
        raise SettingError(f"There are {COUNT} prototypes: ask for 1 to {COUNT}, not {count}.")
    with torch.inference_mode(), classifier.lock.shared():
        found = network.similarities(classifier.normalise(question.image.unsqueeze(0)))[0]
    question.ledger.evaluations += 1
    best, places = found.flatten(1).max(1)
    points = network.contributions(best[None])[0, question.target]
    picture: Pixels = (question.image * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    side, cells = found.shape[-1], classifier.input_size[0] // found.shape[-1]
    looks = []
    for prototype in points.argsort(descending=True, stable=True)[:count].tolist():
        row, column = divmod(int(places[prototype]), side)
        box = _around(row, column, side, cells)
        label = prototype // EACH
        looks.append(
            PrototypeMatch(
                prototype=prototype,
                label=label,
                name=classifier.labels[label],
                similarity=float(best[prototype]),
                points=float(points[prototype]),
                box=box,
                picture=box.of(picture),
                patch=patch_of(network, prototype),
            )
        )
    return tuple(looks)


def patch_of(network: PrototypeNetwork, prototype: int) -> Patch:
    """The patch that a prototype is, drawn again from the seed of its scene."""
    seed = int(network.seeds[prototype])
    row, column = (int(value) for value in network.places[prototype])
    drawn = scene(seed).image
    box = _around(row, column, network.side, len(drawn) // network.side)
    return Patch(seed, box, drawn)


def _around(row: int, column: int, side: int, pixels: int) -> Box:
    """The cell of a grid of side × side cells, each `pixels` wide, with its neighbours: whole at the edges too."""
    top, left = (min(max(place - _CELLS // 2, 0), side - _CELLS) for place in (row, column))
    return Box(top * pixels, left * pixels, (top + _CELLS) * pixels, (left + _CELLS) * pixels)
