"""Maps made again, of another picture or from another seed, for metrics that judge the method by its maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from torch import Tensor

from decam.errors import SettingError
from decam.explanation import Progress, relayed
from decam.metrics.base import Case
from decam.metrics.scales import Values, cleaned

_FINE = 100  # parts of one map on the progress bar
_SEEDS = 2**63


class Remaker:
    """Makes the maps of a case again, one at a time, and says how far it is of `total` maps in all."""

    def __init__(self, case: Case, total: int) -> None:
        self._case = case
        self._total = total * _FINE
        self._done = 0

    def map(self, place: int, image: Tensor | None = None, shift: int = 0) -> Generator[Progress, None, Values]:
        """Map `place` of this image (3×H×W in [0, 1]; the case's own if None) with its seed moved on by `shift`.

        The ledger of the case's question counts what it asks. Raises SettingError for a map that cannot be made again.
        """
        case = self._case
        origin = case.origins[place] if case.origins else None
        if origin is None:
            raise SettingError("This map cannot be made again, because it is not known which method made it.")
        question = case.question if image is None else dataclasses.replace(case.question, image=image)
        saliency = yield from relayed(
            origin.make(question, (origin.seed + shift) % _SEEDS), lambda e: [self._counted(e)]
        )
        self._done += _FINE
        yield self._at(0)
        return cleaned(saliency)

    def _counted(self, event: Progress) -> Progress:
        return self._at(_FINE * event.step // event.total if event.total else 0)

    def _at(self, part: int) -> Progress:
        return Progress(self._done + part, self._total, self._case.question.ledger.evaluations)
