"""Every test of the trial begins without a memory; some on a machine whose business is made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from decam.hardware import processor
from decam.models.tuning import memory


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    memory.forget()
    yield
    memory.forget()


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many cores other programs use, as the machine is made to say."""
    foreign = [0.0]
    monkeypatch.setattr(processor, "others", lambda _before, _after: foreign[0])
    monkeypatch.setattr(processor, "GLANCE", 0.0)
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    return foreign
