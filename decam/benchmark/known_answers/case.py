"""A known answer on one picture: the classifier, the picture, where the right map is high, and exact values."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from decam.benchmark.datasets import Source
from decam.benchmark.known_answers.grounds import EDGES, GROUNDS, grained, picture
from decam.benchmark.known_answers.kinds import KINDS, Answer, Kind
from decam.benchmark.known_answers.parts import SIDE, Blocks, pixels
from decam.benchmark.known_answers.shapley import Values, shapley
from decam.classifier import Classifier, Pixels, wrap
from decam.errors import SettingError, unknown
from decam.explanation import Map, Truth

PREFIX = "known"
CLEAR = 1 / 3  # of the largest exact value: a part with as much is one that the map must show
NEUTRAL = 1 / 10  # of it: a part with less says nothing
BATCH = 32


@dataclass(frozen=True)
class Drawn:
    """What is drawn for a case: the picture (112×112×3 bytes), its parts, and what the model makes of them."""

    image: Pixels
    parts: tuple[Blocks, ...]
    answer: Answer


@dataclass(frozen=True)
class Case:
    """A kind of answer on a ground with edges, drawn from a seed; raises SettingError for a name that does not exist.

    The same four always make the same picture and the same answer.
    """

    kind: str
    ground: str
    edges: str
    seed: int

    def __post_init__(self) -> None:
        for what, name, table in (
            ("kind", self.kind, KINDS),
            ("ground", self.ground, GROUNDS),
            ("sort of edges", self.edges, EDGES),
        ):
            if name not in table:
                raise SettingError(unknown(what, name, table))

    @property
    def name(self) -> str:
        """The model's name, which says all."""
        return f"{PREFIX}:{self.kind}:{self.ground}:{self.edges}:{self.seed}"

    @classmethod
    def named(cls, name: str) -> Case:
        """The case of a model's name; raises SettingError for a name that is none."""
        words = name.split(":")
        if len(words) != 5 or words[0] != PREFIX or not words[4].isdecimal():
            raise SettingError(
                f"{name!r} names no known answer; a name is {PREFIX}:kind:ground:edges:seed, such as "
                f"{PREFIX}:rectangle:smooth:agree:0."
            )
        return cls(words[1], words[2], words[3], int(words[4]))

    @property
    def row(self) -> Kind:
        """The kind's row of the table."""
        return KINDS[self.kind]

    @cached_property
    def drawn(self) -> Drawn:
        """The picture, its parts and the answer."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        parts = self.row.parts(random)
        made = self.row.paint(picture(random, self.ground, self.edges, parts), parts, random)
        return Drawn(grained(made, random), parts, self.row.answer(random))

    def classifier(self) -> Classifier:
        """The model: it reads shares from pictures of 112×112 pixels and answers; it never sees a mask."""
        drawn = self.drawn
        image = torch.from_numpy(drawn.image.copy()).permute(2, 0, 1).float() / 255
        read = self.row.reader(image, drawn.parts)

        def answered(images: Tensor) -> Tensor:
            return drawn.answer(read(images))

        return wrap(answered, labels=self.row.labels, input_size=(SIDE, SIDE), batch_size=BATCH, name=self.name)

    @property
    def target(self) -> int:
        """The class asked about: of one answer its presence, of several the first."""
        return 1 if len(self.row.labels) == 1 else 0

    @property
    def source(self) -> Source:
        """The picture with its truth, as benchmarks take pictures; methods' random numbers begin at the seed."""
        image, truth = Image.fromarray(self.drawn.image), self.truth
        return Source(self.name, lambda: (image, truth), self.target, self.seed)

    @cached_property
    def values(self) -> Values:
        """The exact Shapley value of each part for the class asked about, P."""

        def game(sets: Tensor) -> Tensor:
            answers = self.drawn.answer(sets)
            return answers if answers.ndim == 1 else answers[:, 0]

        return shapley(game, len(self.drawn.parts))

    @property
    def ranked(self) -> bool:
        """True if so many parts have values of their own that their order can be compared."""
        return len(np.unique(self.values.round(9))) > 3

    @property
    def truth(self) -> Truth:
        """Where the right map is high (112×112): the parts that speak clearly for the class."""
        return self._where(self.values >= CLEAR * self.values.max())

    @property
    def against(self) -> Truth:
        """The parts that speak clearly against the class; no pixel where there are none."""
        return self._where(self.values <= -CLEAR * self.values.max())

    @property
    def neutral(self) -> Truth:
        """All that says nothing: outside the parts, and parts next to no value."""
        return ~self._where(np.abs(self.values) > NEUTRAL * self.values.max())

    def _where(self, chosen: NDArray[np.bool_]) -> Truth:
        parts = [part for part, one in zip(self.drawn.parts, chosen, strict=True) if one]
        return pixels(np.any(parts, axis=0)) if parts else np.zeros((SIDE, SIDE), bool)

    def means(self, saliency: Map) -> Values:
        """The mean of a map (112×112) over each part, P."""
        return np.array([float(saliency[pixels(part)].mean(dtype=np.float64)) for part in self.drawn.parts])
