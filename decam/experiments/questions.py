"""What a plan asks: which model, or which variant of it, about which picture and class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

from decam.errors import ModelError, SettingError, unknown
from decam.explanation import Target, Unit
from decam.models.catalogue import digest

Mode: TypeAlias = Literal["cascading", "independent", "labels"]
MODES: tuple[Mode, ...] = get_args(Mode)
MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Variant:
    """A model that differs from the one that was trained (Adebayo et al. 2018, section 3).

    In the modes "cascading" and "independent" the weights of some stages are drawn anew from `seed`: all stages from
    the output to `stage`, or `stage` alone. "labels" is the same network trained on shuffled labels. `share` is the
    share of the weights that are not the original's, in [0, 1].
    """

    mode: Mode
    stage: str
    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SettingError(unknown("randomisation", self.mode, MODES))


@dataclass(frozen=True)
class ModelSpec:
    """A model by its name or path, as it was trained or as a variant of that.

    `sha256` is that of its weights, in hexadecimal; empty where they are those that the name says.
    """

    name: str
    variant: Variant | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ModelError("The plan names no model; give one, such as 'embedded'.")

    @classmethod
    def of(cls, name: str, variant: Variant | None = None) -> ModelSpec:
        """The model with the weights that are here now."""
        return cls(name, variant, digest(name))

    def to_mapping(self) -> dict[str, object]:
        """The spec for JSON; the digest only where there is one, as plans were written before there were any."""
        digests = {"sha256": self.sha256} if self.sha256 else {}
        return {"name": self.name, "variant": None if self.variant is None else asdict(self.variant), **digests}


@dataclass(frozen=True)
class QuestionSpec:
    """Why does this model give this picture this class? Or, without a picture: what does it take this class to be?

    `picture` is an index into the plan's pictures, None for a question about the class itself. `target` is a class
    index, None for the class that the model predicts, or, where there is a `reference`, for that question's class.
    `reference` is the index of an earlier question whose maps the maps of this one are compared with. `seed` is where
    random numbers begin. Without a picture there may be a `unit` in the place of a target, or the map may be for the
    classes in `also` too, which it raises together with the target. With a picture, `against` is the class that the
    target is told from: why is it the one rather than the other?
    """

    model: ModelSpec
    picture: int | None
    target: int | None = None
    seed: int = 0
    reference: int | None = None
    unit: Unit | None = None
    also: tuple[int, ...] = ()
    against: int | None = None

    @property
    def about(self) -> Target:
        """What a question without a picture is about; raises SettingError for a question about a picture."""
        if self.unit is not None:
            return self.unit
        if self.picture is not None or self.target is None:
            raise SettingError("This question is about an image, not about a class.")
        return (self.target, *self.also)

    @property
    def about_class(self) -> bool:
        """True if no picture is asked about."""
        return self.picture is None

    def __post_init__(self) -> None:
        if self.target is not None and self.target < 0:
            raise SettingError(f"The target is {self.target}, but classes are counted from 0.")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(f"seed is {self.seed}, but must lie between 0 and {MAX_SEED}.")
        if self.against is not None:
            self._check_contrast(self.against)
        if self.picture is None and (self.target is None) == (self.unit is None):
            raise SettingError("A question without an image needs a class or a unit of a layer; give one of them.")
        if self.also and (self.picture is not None or self.target is None):
            raise SettingError("Several classes are asked about at once without an image; leave the image out.")
        if len({self.target, *self.also}) != 1 + len(self.also) or any(other < 0 for other in self.also):
            raise SettingError(f"A class of {(self.target, *self.also)} is named twice or below 0; name each once.")
        if self.picture is not None and self.unit is not None:
            raise SettingError("A unit is asked about without an image; leave the image out, or name a class.")

    def _check_contrast(self, against: int) -> None:
        if against < 0:
            raise SettingError(f"The class to tell the target from is {against}, but classes are counted from 0.")
        if self.picture is None:
            raise SettingError("Two classes are told apart in an image; name one, or leave the second class out.")
        if against == self.target:
            raise SettingError(f"Class {against} cannot be told from itself; name two classes.")
