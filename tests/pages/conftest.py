"""A server in the test's own process, and a finished run for the tests that only look at one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from decam.ui import state
from tests.pages.visitor import Visitor

SEED = 7


def _close() -> None:
    for resource in (state.runs, state.downloads, state.models):
        resource.clear()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where weights belong; none are there."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def server(data_directory: Path) -> Iterator[Path]:
    """A server that has just started; its data directory, which is not there yet."""
    _close()
    yield data_directory
    _close()


@pytest.fixture
def restart(server: Path) -> Callable[[], None]:
    """Ends the server and starts it again on the same data directory."""
    assert server
    return _close


@dataclass(frozen=True)
class Finished:
    """A finished run: its link, and the grid that whoever started it saw in the end."""

    run: str
    grid: dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """Two scenes, one asked about another class than the predicted, by three methods with settings of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DECAM_DATA", str(tmp_path_factory.mktemp("finished")))
        _close()
        visitor = Visitor().sample("scene-arrow", "scene-cross-disc").methods("de-cam", "grad-cam", "random").quick()
        visitor.app.number_input(key="seed").set_value(SEED)
        visitor.ask("Arrow", "ring").explain()
        visitor.finish()
        yield Finished(visitor.run, visitor.grid)
        _close()
