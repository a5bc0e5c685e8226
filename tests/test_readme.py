"""The README's examples run as they stand, with a small model and a small budget in place of real ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.images.scenes import scene
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def cat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture where the examples look for one."""
    Image.fromarray(scene.scene(3).image).save(tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cat.jpg"


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_python_examples_run(block: str, cat: Path) -> None:
    smaller = block.replace('"squeezenet1_0"', '"embedded"').replace("budget=1000", "budget=200")
    smaller = smaller.replace('method="rise"', 'method="rise", masks=64')
    names: dict[str, object] = {}
    exec(compile(smaller, str(ROOT / "README.md"), "exec"), names)
    assert cat.is_file()
    if "explanation" in names:
        saliency = names["explanation"].saliency  # type: ignore[attr-defined]  # what the example promises
        assert saliency.dtype == np.float32
        assert saliency.shape == names["classifier"].input_size  # type: ignore[attr-defined]  # likewise


def test_the_example_lists_every_method_and_metric(capsys: pytest.CaptureFixture[str]) -> None:
    import decam

    (line,) = re.findall(r"^print\(list\(decam\.methods\(\)\).*$", README, re.MULTILINE)
    exec(line, {"decam": decam})
    methods, metrics = list(decam.methods.METHODS), list(decam.metrics.METRICS)
    assert metrics[:2] == ["deletion", "insertion"]
    assert capsys.readouterr().out == f"{methods} {metrics}\n"


def test_every_model_and_method_named_on_a_command_line_exists() -> None:
    from decam.methods import METHODS
    from decam.models.catalogue import ENTRIES

    assert set(re.findall(r"--method ([\w-]+)", README)) <= set(METHODS)
    assert set(re.findall(r"--model (\w+)", README)) <= set(ENTRIES)
    assert all(name in README for name in ENTRIES)


def test_every_command_line_is_one_that_the_parser_takes() -> None:
    from decam.cli import _parser

    lines = re.findall(r"^    python -m decam (.+)$", README, re.MULTILINE)
    assert lines
    for line in lines:
        _parser().parse_args(line.split())


def test_every_file_that_is_linked_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).is_file()]
    assert not missing
