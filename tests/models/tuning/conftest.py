"""Every test of the trial begins without a memory; some on a machine whose business is made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch

from decam.classifier.engines import ENGINES, Engine
from decam.hardware import processor
from decam.models.tuning import memory, ways


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    memory.forget()
    yield
    memory.forget()


@pytest.fixture(autouse=True)
def _eager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU PyTorch alone answers, unless a test is about `engines`: to convert a model takes a second."""
    if "engines" not in request.fixturenames:
        monkeypatch.setattr(ways, "ENGINES", {name: row for name, row in ENGINES.items() if name != "openvino"})


@pytest.fixture
def engines() -> Mapping[str, Engine]:
    """The table of engines, all of which the trial may choose."""
    return ENGINES


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many cores other programs use, as the machine is made to say."""
    foreign = [0.0]
    monkeypatch.setattr(processor, "others", lambda _before, _after: foreign[0])
    monkeypatch.setattr(processor, "GLANCE", 0.0)
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    return foreign
