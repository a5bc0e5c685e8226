"""Many metrics of one case as one generator, what they ask the model shared among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from decam.errors import SettingError
from decam.explanation import Progress, relayed
from decam.metrics.base import Case, Measurement, Metric
from decam.settings import Settings


@dataclass(frozen=True)
class Request:
    """A metric and the settings that it is wanted with."""

    metric: Metric
    settings: Settings

    def cost(self, case: Case) -> int:
        """Evaluations that this takes if nothing has been asked before."""
        made = [0 if origin is None else origin.cost for origin in case.origins]
        each = round(sum(made) / len(made)) if made else 0
        return self.metric.cost(self.settings, len(case.maps), each)


def evaluate(case: Case, requests: Sequence[Request]) -> Generator[Progress, None, tuple[tuple[Measurement, ...], ...]]:
    """For each request one Measurement a map; `step` of Progress counts evaluations of `total`, shared ones too.

    Raises SettingError before anything is asked, where a metric lacks what it needs; closing the generator cancels.
    """
    for request in requests:
        if obstacle := request.metric.obstacle(case):
            raise SettingError(obstacle)
    costs = [max(1, request.cost(case)) for request in requests]
    total = sum(costs)
    found = []
    for place, request in enumerate(requests):
        run = request.metric.measured(case, request.settings)
        found.append((yield from relayed(run, _of_all(sum(costs[:place]), costs[place], total))))
    return tuple(found)


def _of_all(before: int, share: int, total: int) -> Callable[[Progress], list[Progress]]:
    """A metric's progress as progress of all."""

    def report(event: Progress) -> list[Progress]:
        part = share * event.step // event.total if event.total else 0
        return [dataclasses.replace(event, step=before + part, total=total)]

    return report
