"""What a sanity check is made from, and what it looks like at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from decam.classifier import Pixels
from decam.errors import SettingError
from decam.experiments.plan import MAX_SEED, MethodChoice
from decam.experiments.randomisation import MODES
from decam.experiments.randomisation_result import Sanity, Working
from decam.methods import get as get_method
from decam.models import EMBEDDED
from decam.models.weight_files import WEIGHTS
from decam.runs.snapshots import ACTIVE, Status

LABELS = "labels"
"""The mode that sets a model against the same network trained on shuffled labels; the others draw weights anew."""

_TWINS = {EMBEDDED: "shuffled"}


def twin(model: str) -> str | None:
    """The name of the same network trained on shuffled labels; None where there is none, or its weights are missing."""
    name = _TWINS.get(model)
    return name if name and (WEIGHTS / f"{name}.safetensors").is_file() else None


@dataclass(frozen=True)
class SanityPlan:
    """All that a sanity check is made from: names of model, device and picture, the class asked about, the methods.

    `target` None is for the predicted class; `mode` is one of `decam.sanity.MODES` or LABELS. Raises SettingError
    where a part is missing or out of bounds.
    """

    model: str
    device: str
    picture: str
    methods: tuple[MethodChoice, ...]
    target: int | None = None
    mode: str = "cascading"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.methods:
            raise SettingError("A sanity check needs at least one method.")
        if self.mode not in (*MODES, LABELS):
            raise SettingError(f"There is no sanity check {self.mode!r}; there are: {', '.join((*MODES, LABELS))}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(f"seed is {self.seed}, but must lie between 0 and {MAX_SEED}.")

    def titles(self) -> tuple[str, ...]:
        """The methods' titles."""
        return tuple(get_method(choice.name).title for choice in self.methods)


@dataclass(frozen=True)
class SanitySnapshot:
    """A sanity check at one moment.

    `view` is the picture as the model sees it (H×W×3 uint8), `found` what is finished, `working` the map being made.
    `ahead` counts the jobs before it while it is queued; `note` says why it failed or is not being kept.
    """

    id: str
    created: datetime
    status: Status
    plan: SanityPlan
    view: Pixels
    found: Sanity = field(default_factory=Sanity)
    working: Working | None = None
    ahead: int = 0
    note: str = ""
    owner: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ACTIVE

    @property
    def done(self) -> tuple[int, int]:
        """How many maps are finished or failed, and how many there will be, where that is known (else 0)."""
        found = self.found
        total = len(self.plan.methods) * (1 + len(found.variants)) if found.variants else 0
        lost = sum(failure.variant is None for failure in found.failures) * len(found.variants)
        return len(found.originals) + len(found.compared) + len(found.failures) + lost, total


@dataclass(frozen=True)
class SanitySummary:
    """A line in the list of earlier checks."""

    id: str
    created: datetime
    status: Status
    plan: SanityPlan
    owner: str
