"""A grid about classes, made up: no model is asked."""

from __future__ import annotations

import dataclasses

import numpy as np

from decam.experiments.cells import Cell
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassExplanation, Unit, magnitude
from decam.methods import CLASS_METHODS


def class_grid() -> Grid:
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
