"""The table of built-in conditions: maps that know nothing of the model, which a good method should beat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch

from decam.classifier import Pixels
from decam.errors import named
from decam.explanation import Map
from decam.methods.controls.maps import (
    CENTRE,
    EDGES,
    RANDOM,
    CentreSettings,
    EdgeSettings,
    RandomSettings,
    centre_map,
    edge_map,
    noise_map,
)
from decam.methods.controls.untrained import UNTRAINED
from decam.studies.design import StudyError
from decam.studies.tasks.base import NO_MAP

Making = Callable[[Pixels, int], Map]


@dataclass(frozen=True)
class Catch:
    """A row of the table of built-in conditions.

    `make` draws the map of a picture (H×W×3 uint8) from a seed. It is None for a map that only a run can have, and for
    the condition in which there is none. `catch` marks a condition that should lose.
    """

    name: str
    title: str
    summary: str
    make: Making | None = None
    catch: bool = True

    @property
    def from_run(self) -> bool:
        """True where only a run with the control of this name has the map."""
        return self.make is None and self.name != NO_MAP


def _random(view: Pixels, seed: int) -> Map:
    height, width = view.shape[:2]
    return noise_map((height, width), RandomSettings(), seed)


def _centre(view: Pixels, _seed: int) -> Map:
    height, width = view.shape[:2]
    return centre_map((height, width), CentreSettings())


def _edges(view: Pixels, _seed: int) -> Map:
    picture = torch.from_numpy(view.copy()).permute(2, 0, 1).float() / 255
    return edge_map(picture, EdgeSettings())


CATCHES: tuple[Catch, ...] = (
    Catch(RANDOM.name, RANDOM.title, "Noise, another one for every image and class.", _random),
    Catch(CENTRE.name, CENTRE.title, "A blob in the middle of the image.", _centre),
    Catch(EDGES.name, EDGES.title, "The edges of the image.", _edges),
    Catch(UNTRAINED.name, UNTRAINED.title, "The map of a model with random weights; a run must have that control."),
    Catch(NO_MAP, "No map", "The image alone, to compare people with and without maps.", catch=False),
)


def get(name: str) -> Catch:
    """The built-in condition of this name; raises StudyError, with the names there are, where there is none."""
    return named("built-in condition", name, CATCHES, StudyError)


def seed_of(*parts: object) -> int:
    """A seed that depends on all parts and on nothing else, the same on every machine."""
    return int.from_bytes(hashlib.sha256("\n".join(map(str, parts)).encode()).digest()[:7], "big")
