"""A search that is made again beside others: it counts its own evaluations, not those of the ledger."""

from __future__ import annotations

import numpy as np
import pytest

from decam.classifier import to_tensor
from decam.explanation import Ledger, Progress, Question
from decam.methods import METHODS
from tests.conftest import Rectangle


def made(rectangle: Rectangle, name: str, before: int) -> tuple[np.ndarray, int, list[Progress], list[str]]:
    row, ledger = METHODS[name], Ledger(evaluations=before)
    settings = row.settings.from_mapping({"budget": 2500, "settled": 0.3})
    question = Question(rectangle.classifier, to_tensor(rectangle.classifier, rectangle.view), 1, ledger)
    steps, events = row.run(question, settings, 4), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, ledger.evaluations - before, events, ledger.notes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["de-cam", "cma-es"])
def test_a_search_ends_early_at_the_same_place_whatever_was_asked_before(rectangle: Rectangle, name: str) -> None:
    first, spent, _, notes = made(rectangle, name, 0)
    again, spent_again, events, notes_again = made(rectangle, name, 2500)
    assert spent == spent_again < 2500
    np.testing.assert_array_equal(again, first)
    assert notes_again == notes
    assert events[0].step < events[0].total
    assert events[-1].step == events[-1].total == spent
    assert events[-1].evaluations == 2500 + spent
