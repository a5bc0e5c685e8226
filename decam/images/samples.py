"""Pictures that are always there: scenes with ground truth, and the photographs that scikit-image carries."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.errors import ImageError, named
from decam.images import reading
from decam.images.scenes import scene


@dataclass(frozen=True)
class Sample:
    """A picture to begin with. A scene has a seed and the classes of its objects, a photograph a file."""

    name: str
    title: str
    kind: Literal["scene", "photograph"]
    credit: str
    seed: int = 0
    labels: tuple[int, ...] = ()
    path: Path | None = None

    def load(self) -> Image.Image:
        """The picture, RGB; raises ImageError where scikit-image no longer carries the file."""
        if self.path is None:
            return Image.fromarray(self._scene().image)
        return reading.read(self.path, self.title).image

    def truth(self, label: str = "") -> NDArray[np.bool_] | None:
        """The visible pixels of the object of that class (of the first for none), 128×128.

        None for a photograph, and where the picture shows no object of that class.
        """
        masks = self.truths()
        names = [scene.CLASSES[index] for index in self.labels]
        if not masks or (label and label not in names):
            return None
        return masks[names.index(label) if label else 0]

    def truths(self) -> tuple[NDArray[np.bool_], ...]:
        """The visible pixels of each object, in the order of `labels`; empty for a photograph."""
        return self._scene().masks if self.path is None else ()

    def _scene(self) -> scene.Scene:
        return scene.scene(self.seed, labels=self.labels)


def get(name: str) -> Sample:
    """The sample of that name; raises ImageError if there is none."""
    return named("sample", name, SAMPLES, ImageError)


# Seeds picked by eye: different colours, grounds and distractors, each object easy to find.
_SCENES = (
    (22, ("star",)),
    (108, ("heart", "ring")),
    (201, ("crescent",)),
    (305, ("arrow",)),
    (405, ("cross", "disc")),
    (504, ("hexagon",)),
    (630, ("triangle",)),
    (811, ("square",)),
)

_PHOTOGRAPHS = (
    ("chelsea", "Chelsea the cat", "chelsea.png", "Stefan van der Walt, public domain (CC0), from scikit-image"),
    ("coffee", "Coffee cup", "coffee.png", "Rachel Michetti, public domain (CC0), from scikit-image"),
    ("rocket", "Rocket on its launch pad", "rocket.jpg", "SpaceX, public domain (CC0), from scikit-image"),
    ("astronaut", "Astronaut", "astronaut.png", "NASA (Eileen Collins), public domain, from scikit-image"),
)


def _scene_samples() -> tuple[Sample, ...]:
    return tuple(
        Sample(
            name=f"scene-{'-'.join(classes)}",
            title=" and ".join(classes).capitalize(),
            kind="scene",
            credit="Drawn by decam.images.scenes",
            seed=seed,
            labels=tuple(scene.CLASSES.index(name) for name in classes),
        )
        for seed, classes in _SCENES
    )


def _photograph_samples() -> tuple[Sample, ...]:
    """Those photographs whose files are installed: scikit-image is never imported, so it downloads nothing."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        return ()
    folder = Path(package.origin).parent / "data"
    return tuple(
        Sample(name=name, title=title, kind="photograph", credit=credit, path=folder / file)
        for name, title, file, credit in _PHOTOGRAPHS
        if (folder / file).is_file()
    )


SAMPLES: tuple[Sample, ...] = _scene_samples() + _photograph_samples()
