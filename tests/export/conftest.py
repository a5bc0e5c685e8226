"""A finished comparison, with awkward names, on a classifier whose answer is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from decam.experiments.cells import Cell
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps, comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, fingerprint, usual_metrics
from decam.explanation import ClassExplanation, Unit, last, magnitude
from decam.methods import CLASS_METHODS, get

NAMES = ("Füße/../katze \N{CAT FACE}.final.JPG", "CON", "katze.png", "katze.webp")


@pytest.fixture(scope="session")
def grid(rectangle) -> Grid:
    """Four pictures by three methods, the first of which is there twice, the last of which is signed."""
    views = [rectangle.view, 255 - rectangle.view, rectangle.view // 2, np.roll(rectangle.view, 9, axis=1)]
    few = get("rise").settings.from_mapping({"budget": 40})
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice(name, fingerprint(view)) for name, view in zip(NAMES, views, strict=True)],
        (MethodChoice.default("random"), MethodChoice("rise", few), MethodChoice.default("random")),
        targets=[rectangle.target] * 4,
        metrics=(*usual_metrics(steps=6), MetricChoice.default("sparsity")),
        seed=3,
        execution=rectangle.classifier.execution,
    )
    begun = Grid.empty(plan, views, (rectangle.mask, None, None, None), rectangle.classifier.labels)
    finished = last(execute(begun, lambda _: rectangle.classifier))
    assert finished.complete and not any(cell.error for cell in finished.cells.values())
    return finished


@pytest.fixture(scope="session")
def of_classes() -> Grid:
    """Made-up maps of a class, of two at once and of a unit, by every method of classes and with two seeds."""
    methods = [MethodChoice.default(name) for name in CLASS_METHODS]
    plan = class_maps.plan(["rectangle"], "cpu", [1, (0, 1), Unit("blocks.1", 3)], methods, seeds=(0, 1))
    rng = np.random.default_rng(0)
    cells = {}
    for key in plan.cells():
        choice, question = plan.methods[key.method], plan.questions[key.question]
        about = question.about
        pattern = rng.normal(0, 0.1, (3, 24, 24)).astype(np.float32)
        explanation = ClassExplanation(
            choice.name,
            magnitude(pattern),
            about.channel if isinstance(about, Unit) else about[0],
            plan.subject_of(key.question, ("hidden", "visible")),
            0.75,
            choice.settings,
            question.seed,
            100,
            0.5,
            ("A note.",),
            map=pattern,
            baseline=0.125,
            control=0.25,
            norm=1.5,
            cost=0.5 if key.method else float("nan"),
        )
        cells[key] = Cell().explained(explanation).evaluated(())
    return dataclasses.replace(Grid.empty(plan, (), labels=("hidden", "visible")), cells=cells)
