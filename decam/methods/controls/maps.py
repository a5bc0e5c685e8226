"""Maps that know nothing of the model: what every method has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from skimage.filters import sobel
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import gaussian, upsample
from decam.methods.base import Method
from decam.settings import Settings, parameter

FAMILY = "control"


@dataclass(frozen=True)
class RandomSettings(Settings):
    """How fine the noise is."""

    cells: int = parameter(
        14,
        "Random values a side; they are interpolated up to the image's size.",
        low=2,
        high=224,
        title="Cells a side",
    )


@dataclass(frozen=True)
class CentreSettings(Settings):
    """How wide the Gaussian is."""

    width: float = parameter(
        0.25, "Standard deviation as a share of the image's side.", low=0.02, high=2.0, step=0.01, title="Width"
    )


@dataclass(frozen=True)
class EdgeSettings(Settings):
    """How coarse the edges are."""

    blur: float = parameter(
        0.01, "Blur before edges are looked for, as a share of the image's side.", low=0.0, high=0.2, step=0.01
    )


def random_map(question: Question, settings: RandomSettings, seed: int) -> Steps:
    """Uniform noise on a grid, interpolated."""
    yield from ()
    return noise_map(question.classifier.input_size, settings, seed)


def noise_map(size: tuple[int, int], settings: RandomSettings, seed: int) -> Map:
    """The noise for a picture of `size` (H, W), in [0, 1]."""
    grid = torch.rand((1, settings.cells, settings.cells), generator=torch.Generator().manual_seed(seed))
    found: Map = upsample(grid, size)[0, 0].numpy()
    return found


def centre_gaussian(question: Question, settings: CentreSettings, seed: int) -> Steps:
    """A Gaussian on the picture's centre: photographers put their subject there."""
    del seed
    yield from ()
    return centre_map(question.classifier.input_size, settings)


def centre_map(size: tuple[int, int], settings: CentreSettings) -> Map:
    """The Gaussian for a picture of `size` (H, W), at most 1."""
    height, width = size
    rows = (np.arange(height) + 0.5) / height - 0.5
    columns = (np.arange(width) + 0.5) / width - 0.5
    squared = rows[:, None] ** 2 + columns[None, :] ** 2
    found: Map = np.exp(-squared / (2 * settings.width**2)).astype(np.float32)
    return found


def edges(question: Question, settings: EdgeSettings, seed: int) -> Steps:
    """Magnitude of Sobel's gradient of the brightness, after a Gaussian blur."""
    del seed
    yield from ()
    return edge_map(question.image, settings)


def edge_map(image: Tensor, settings: EdgeSettings) -> Map:
    """The edges of a picture (3×H×W in [0, 1])."""
    blurred = gaussian(image, settings.blur * image.shape[-1]) if settings.blur else image
    grey = blurred.mean(0).cpu().numpy()
    found: Map = sobel(grey).astype(np.float32)  # type: ignore[no-untyped-call]  # scikit-image is partly typed
    return found


def _free(settings: Settings, classifier: Classifier) -> int:
    del settings, classifier
    return 0


RANDOM = Method(
    name="random",
    title="Random map",
    family=FAMILY,
    summary="Random noise: the score of a map that knows nothing.",
    formula=r"M = \mathrm{up}(G), \quad G_{ij} \sim \mathcal{U}(0, 1)",
    reference="Gomez & Mouchère, Computing and evaluating saliency maps for image classification: a tutorial (2023)",
    url="https://doi.org/10.1117/1.JEI.32.2.020801",
    strengths="The floor: a method that is not better than this knows nothing.",
    misleads="A single draw can be lucky. Compare several seeds.",
    needs=frozenset(),
    signed=False,
    settings=RandomSettings,
    run=random_map,
    cost=_free,
)

CENTRE = Method(
    name="centre",
    title="Centre Gaussian",
    family=FAMILY,
    summary="A blob in the centre, where most photos have their subject.",
    formula=r"M(x, y) = e^{-(x^2 + y^2) / 2 \sigma^2}",
    reference="Judd, Durand & Torralba, A Benchmark of Computational Models of Saliency to Predict Human Fixations "
    "(2012)",
    url="http://hdl.handle.net/1721.1/68590",
    strengths="Beats many methods at localisation where images are composed.",
    misleads="Knows the photographer and not the model.",
    needs=frozenset(),
    signed=False,
    settings=CentreSettings,
    run=centre_gaussian,
    cost=_free,
)

EDGES = Method(
    name="edges",
    title="Edge detector",
    family=FAMILY,
    summary="The image's edges: a map that knows the image and not the model.",
    formula=r"M = \sqrt{(S_x * x)^2 + (S_y * x)^2}",
    reference="Adebayo et al., Sanity Checks for Saliency Maps (2018), after Sobel & Feldman (1968)",
    url="https://arxiv.org/abs/1810.03292",
    strengths="A method whose maps look like this one may only be showing the image.",
    misleads="Edges are often where the object is, so it scores better than it deserves.",
    needs=frozenset(),
    signed=False,
    settings=EdgeSettings,
    run=edges,
    cost=_free,
)
