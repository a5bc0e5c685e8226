"""Networks are rewired while others go on answering."""

from __future__ import annotations

import threading

import pytest
import torch

from decam.methods.support import rectifiers
from decam.models import load_classifier


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.slow
def test_a_model_that_answers_while_it_or_another_is_rewired_answers_as_before(same: bool) -> None:
    rewired = load_classifier("embedded", exact=True)
    asked = rewired if same else load_classifier("embedded", exact=True)
    picture = torch.rand((1, 3, 128, 128), generator=torch.Generator().manual_seed(0))
    expected = asked.answer(picture)
    done, wrong = threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            try:
                wrong.extend([] if torch.equal(asked.answer(picture), expected) else ["another answer"])
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    made = [rectifiers._made(rewired.module) for _ in range(20)]
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(one.module is not None for one in made)
    alone = rectifiers._made(rewired.module).module
    assert alone is not None
    assert {len(one.module.graph.nodes) for one in made if one.module is not None} == {len(alone.graph.nodes)}


@pytest.mark.slow
def test_networks_rewired_side_by_side_leave_nothing_behind() -> None:
    classifiers = [load_classifier("embedded", exact=True) for _ in range(4)]
    call = torch.nn.Module.__call__
    made: list[rectifiers.Rewired] = []
    threads = [threading.Thread(target=lambda one=one: made.append(rectifiers.rewired(one))) for one in classifiers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.nn.Module.__call__ is call
    assert len(made) == 4 and all(one.module is not None for one in made)
