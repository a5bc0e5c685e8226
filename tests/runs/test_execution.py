"""Every model that a run needs is asked in the way that its plan writes down, and afterwards as before."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from decam.classifier import Execution, TorchClassifier
from decam.experiments.kinds import randomisation
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.status import Status
from decam.explanation import Progress, Question
from decam.methods import METHODS
from decam.models import load_classifier
from decam.runs.service import Runs
from decam.runs.store import Store


@pytest.mark.slow
@pytest.mark.parametrize("planned", [None, Execution(batch_size=3)])
def test_the_model_of_shuffled_labels_is_asked_in_the_plans_way(
    planned: Execution | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {"embedded": Execution(batch_size=7), "shuffled": Execution(batch_size=5)}
    loaded: dict[str, TorchClassifier] = {}
    for name, execution in usual.items():
        loaded[name] = load_classifier(name, device="cpu", exact=True)
        loaded[name].configure(execution)
    used: list[tuple[str, Execution]] = []

    def run(question: Question, *_: object) -> Iterator[Progress]:
        yield Progress(0, 1, 0)
        used.append((question.classifier.name, question.classifier.execution))
        return np.random.default_rng(0).random(question.classifier.input_size, dtype=np.float32)

    monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=run))
    embedded = loaded["embedded"]
    plan = randomisation.plan(embedded, PictureChoice("a"), [MethodChoice.default("random")], mode="labels")
    view = np.random.default_rng(0).integers(0, 256, (*embedded.input_size, 3), dtype=np.uint8)
    runs = Runs(Store(tmp_path / "data"), lambda name, _device: loaded[name])
    try:
        run_id = runs.start(dataclasses.replace(plan, execution=planned), [view])
        while (ended := runs.snapshot(run_id)).status.active:
            time.sleep(0.01)
    finally:
        runs.close()
    wanted = planned or usual["embedded"]
    assert ended.status is Status.DONE and ended.plan.execution == wanted
    assert [used[0], used[-1]] == [("embedded", wanted), ("shuffled", wanted)]
    assert {name: classifier.execution for name, classifier in loaded.items()} == usual
