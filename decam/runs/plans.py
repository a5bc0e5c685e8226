"""What becomes of a plan on its way into a run: its fingerprints are filled in, and it grows by metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from decam.classifier import Pixels
from decam.errors import SettingError
from decam.experiments.plan import MetricChoice, Plan, fingerprint
from decam.explanation import Truth


def settled(plan: Plan, views: Sequence[Pixels], truths: Sequence[Truth | None]) -> Plan:
    """The plan with the fingerprints of its pictures and truths; raises SettingError where they do not fit it."""
    if not len(views) == len(truths) == len(plan.pictures):
        counts = f"{len(views)} views and {len(truths)} truths"
        raise SettingError(f"The plan names {len(plan.pictures)} pictures, but {counts} were given.")
    pictures = []
    for choice, view, truth in zip(plan.pictures, views, truths, strict=True):
        complete = dataclasses.replace(
            choice, sha256=fingerprint(view), truth="" if truth is None else fingerprint(truth)
        )
        if choice.sha256 not in ("", complete.sha256) or choice.truth not in ("", complete.truth):
            raise SettingError(f"{choice.name!r} is not the picture that the plan was made for.")
        if truth is not None and truth.shape != view.shape[:2]:
            raise SettingError(
                f"The truth of {choice.name!r} has shape {truth.shape}, but the model sees {view.shape[:2]}."
            )
        pictures.append(complete)
    return dataclasses.replace(plan, pictures=tuple(pictures))


def grown(plan: Plan, metrics: Sequence[MetricChoice]) -> Plan:
    """The plan with the metrics that it did not ask for yet."""
    new = tuple(choice for choice in dict.fromkeys(metrics) if choice not in plan.metrics)
    return dataclasses.replace(plan, metrics=(*plan.metrics, *new))
