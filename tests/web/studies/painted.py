"""The pictures of a study that tests take: each file is there, so that a browser has something to show."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from decam.figures.colours import lut
from decam.studies.design import Study


def paint(study: Study, folder: Path) -> None:
    """Draw all pictures of a study: a scene for a stimulus, and spots of colour over it for its maps."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, stimulus in enumerate(study.stimuli):
        size = (stimulus.width, stimulus.height)
        scene = _scene(number, *size)
        Image.fromarray(scene).save(folder / f"{stimulus.image}.png")
        for place, one in enumerate(stimulus.maps):
            heat = _heat(100 * number + place, *size)
            mixed = 0.45 * scene + 0.55 * lut("cividis")[(heat * 255).astype(int)]
            Image.fromarray(mixed.astype(np.uint8)).save(folder / f"{one.image}.png")


def blank(study: Study, folder: Path) -> None:
    """One pixel for each picture of a study."""
    folder.mkdir(parents=True, exist_ok=True)
    pixel = BytesIO()
    Image.new("RGB", (1, 1)).save(pixel, "PNG")
    for image in {one.image for stimulus in study.stimuli for one in (stimulus, *stimulus.maps)}:
        (folder / f"{image}.png").write_bytes(pixel.getvalue())


def _scene(seed: int, width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    sky = np.stack([120 + 60 * y / height, 160 + 40 * y / height, 220 - 60 * y / height], axis=-1)
    for colour in ((180, 90, 60), (70, 120, 70), (230, 200, 120)):
        centre = rng.uniform(0.2, 0.8, 2) * (width, height)
        radius = rng.uniform(0.12, 0.3) * height
        sky[np.hypot(x - centre[0], y - centre[1]) < radius] = colour
    return sky.astype(np.uint8)


def _heat(seed: int, width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    heat = np.zeros((height, width))
    for _ in range(3):
        centre = rng.uniform(0.1, 0.9, 2) * (width, height)
        heat += np.exp(-(((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * (0.18 * height) ** 2)))
    return heat / heat.max()
