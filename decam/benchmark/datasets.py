"""What a benchmark asks about: pictures of a folder, or generated scenes, as a model sees them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from decam.classifier import Classifier, Pixels
from decam.errors import SettingError
from decam.experiments.plan import PictureChoice, fingerprint
from decam.explanation import Truth
from decam.images.ground_truth import seen
from decam.images.reading import read
from decam.images.scenes.scene import Scene, scene

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
HALVES = ("all", "develop", "report")
FIRST_SCENE = 5_000_000  # far from the seeds that the embedded model was trained and tested on
ASKED_LATER = 1000  # scenes with two objects begin so much later


@dataclass(frozen=True)
class Source:
    """A picture of a dataset by its name; `draw` gives the picture and, where that is known, its object's mask.

    `target` is the class asked about, None for the predicted one; `seed` is where random numbers begin.
    """

    name: str
    draw: Callable[[], tuple[Image.Image, Truth | None]]
    target: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Subject:
    """A picture of a dataset as a model sees it: H×W×3 uint8 and, where that is known, its object's mask (H×W bool)."""

    choice: PictureChoice
    view: Pixels
    truth: Truth | None
    target: int | None
    seed: int

    @classmethod
    def of(cls, classifier: Classifier, source: Source) -> Subject:
        """The picture of a source; raises ImageError where it cannot be read or nothing of its object can be seen."""
        image, mask = source.draw()
        view = classifier.view(image)
        truth = None if mask is None else seen(mask, classifier)
        choice = PictureChoice(source.name, fingerprint(view), "" if truth is None else fingerprint(truth))
        return cls(choice, view, truth, source.target, source.seed)


@dataclass(frozen=True)
class Place:
    """A scene by its number of objects and its seed.

    Of two objects one is asked about, the first and the second in turns: asking about both would cost as much as
    another scene and tell less, for the two answers share their picture.
    """

    objects: int
    number: int

    @property
    def which(self) -> int:
        """The place of the object asked about among those of the scene."""
        return self.number % self.objects

    def source(self, seed: int | None = None) -> Source:
        """The scene as a picture with its truth; random numbers begin at `seed`, or at the scene's own number."""
        drawn = _drawn(self.number, self.objects)
        image, mask = Image.fromarray(drawn.image), drawn.masks[self.which]
        start = self.number if seed is None else seed
        return Source(f"scene {self.number}", lambda: (image, mask), drawn.labels[self.which], start)


@lru_cache(maxsize=512)
def _drawn(number: int, objects: int) -> Scene:
    return scene(number, objects=objects)


def half(paths: Sequence[Path], which: str) -> list[Path]:
    """The paths in the order of their names: all, every second from the first (develop) or the others (report)."""
    ordered = sorted(paths, key=lambda path: path.name)
    return {"all": ordered, "develop": ordered[::2], "report": ordered[1::2]}[which]


def pictures(folder: Path, which: str = "all") -> list[Source]:
    """A half of the picture files in a folder; raises SettingError where there are none."""
    if not folder.is_dir():
        raise SettingError(f"There is no folder {folder}; give one with images in it.")
    found = half([path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES], which)
    if not found:
        raise SettingError(f"There are no images for {which!r} in {folder}: files ending in {', '.join(SUFFIXES)}.")
    return [_file(path) for path in found]


def _file(path: Path) -> Source:
    return Source(path.name, lambda: (read(path).image, None))


def places(scenes: int, pairs: int) -> tuple[Place, ...]:
    """So many scenes with one object and with two, taking turns; training and its tests drew none of them."""
    single = [Place(1, FIRST_SCENE + number) for number in range(scenes)]
    double = [Place(2, FIRST_SCENE + ASKED_LATER + number) for number in range(pairs)]
    turns = itertools.chain.from_iterable(itertools.zip_longest(single, double))
    return tuple(place for place in turns if place is not None)


def few(chosen: Sequence[Place], count: int) -> tuple[Place, ...]:
    """The first so many places of each kind, in their order."""
    by_kind = {objects: [place for place in chosen if place.objects == objects][:count] for objects in (1, 2)}
    return tuple(place for place in chosen if place in by_kind[place.objects])
