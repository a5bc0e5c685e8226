"""A finished comparison, with awkward names, on a classifier whose answer is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from decam.experiments.execute import compare
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint
from decam.export import Result
from decam.methods import get

NAMES = ("Füße/../katze \N{CAT FACE}.final.JPG", "CON", "katze.png", "katze.webp")


@pytest.fixture(scope="session")
def result(rectangle) -> Result:
    """Four pictures by three methods, the first of which is there twice, the last of which is signed."""
    views = [rectangle.view, 255 - rectangle.view, rectangle.view // 2, np.roll(rectangle.view, 9, axis=1)]
    few = get("rise").settings.from_mapping({"masks": 40})
    plan = Plan(
        model="rectangle",
        device="cpu",
        pictures=tuple(
            PictureChoice(name, rectangle.target, fingerprint(view)) for name, view in zip(NAMES, views, strict=True)
        ),
        methods=(MethodChoice.default("random"), MethodChoice("rise", few), MethodChoice.default("random")),
        seed=3,
        steps=6,
        metrics=(MetricChoice.default("sparsity"),),
        speed=rectangle.classifier.speed,
    )
    result = Result(plan, tuple(rectangle.classifier.labels), tuple(views), created="2026-01-02T03:04:05+00:00")
    truths = (rectangle.mask, None, None, None)
    result = dataclasses.replace(result, truths=truths)
    for event in compare(rectangle.classifier, views, plan, truths=truths):
        result = result.after(event)
    assert not result.failures
    return result
