"""The page on models that may hide something, as its visitors use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from decam.experiments.kinds import backdoors
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress
from decam.methods import CLASS_METHODS
from decam.methods.class_level.scoring import leads
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from tests.experiments.class_level import PULL, PullSettings
from tests.pages.visitor import Visitor, shown

ODD = 3  # the class whose map is cheap, and what hidden-08 was trained to answer


def _run(questions: Sequence[ClassQuestion], settings: PullSettings) -> ClassSteps:
    del settings
    for place, question in enumerate(questions):
        (target,) = question.target
        question.ledger.evaluations += 4
        pattern = np.full((3, *question.classifier.input_size), 0.1 * (target + 1), np.float32)
        yield place, Progress(1, 1, 4, curves={"fidelity": 0.9}, pattern=pattern)
        cost = 1.0 if target == ODD else 10.0 + target + question.seed
        yield place, ClassMap(pattern, 0.9, 0.1, 0.2, float(np.linalg.norm(pattern)), cost)


CHEAP = dataclasses.replace(PULL, name="cheap", title="Cheap", run=_run, scores=lambda _, costs: leads(costs, 0.2))


@pytest.fixture
def quick_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches take no time, and their cheap class is ODD."""
    monkeypatch.setitem(CLASS_METHODS, "cheap", CHEAP)
    monkeypatch.setattr(backdoors, "measures", lambda _: (MethodChoice.default("cheap"),))


def visitor(**address: str) -> Visitor:
    """A visitor who came to the page by an address with these parameters."""
    arrived = Visitor()
    for name, value in address.items():
        arrived.app.query_params[name] = value
    return arrived.go("backdoors").look()


def searched(model: str = "08") -> Visitor:
    """A visitor who has searched a model with a number."""
    return visitor(model=model).press("search-model").finish().look()


def guessed(model: str, guess: str) -> Visitor:
    """A visitor who has locked in a guess on a model with a number."""
    arrived = searched(model)
    arrived.app.radio(key=f"suspect-guess-{link(arrived)}").set_value(guess)
    return arrived.look().press("lock-guess")


def address(of: Visitor, name: str) -> str:
    found = of.app.query_params.get(name, "")
    return found if isinstance(found, str) else found[0]


def link(of: Visitor) -> str:
    """The search that the address names."""
    return address(of, "suspect")


def run(of: Visitor) -> RunSnapshot:
    return state.runs().snapshot(link(of))


def texts(of: Visitor) -> list[str]:
    """Everything that a reader can read, and what is behind it."""
    kinds = ("markdown", "caption", "html", "info", "error", "warning", "header", "subheader", "title")
    return [shown(str(element.value)) for kind in kinds for element in of.app.get(kind)]


def sent(of: Visitor) -> str:
    """All that was sent to the browser, widgets and components too."""
    return "\n".join(str(element.proto) for block in (of.app.main, of.app.sidebar) for element in block)


def read(of: Visitor, *parts: str) -> bool:
    return any(all(part in text for part in parts) for text in texts(of))
