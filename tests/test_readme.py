"""The examples of the README and of the guide run as they stand, with a small model and small budgets."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.experiments.plan import MethodChoice
from decam.images.scenes import scene
from tests.conftest import ROOT

README = ROOT / "README.md"
GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
PAGES = (README, *GUIDE)
RUN = (*PAGES, ROOT / "docs" / "method" / "optimiser.md")
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
LINES = 150


# What an example costs less with; all else of it is run as it stands.
SMALLER = {
    '"squeezenet1_0"': '"embedded"',
    "budget=1000": "budget=200",
    "budget=500": "budget=200",
    'method="rise"': 'method="rise", budget=64',
    '"star", seed=0)': '"star", seed=0, budget=300)',
    "seeds=(0,))": "seeds=(0,), methods=quick)",
}


def _examples() -> list[object]:
    """Every Python example, by its page and its place there."""
    found = []
    for page in RUN:
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [pytest.param(page, block, id=f"{page.stem}-{place}") for place, block in enumerate(blocks)]
    return found


@pytest.fixture
def cat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture where the examples look for one."""
    Image.fromarray(scene.scene(3).image).save(tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cat.jpg"


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), _examples())
def test_python_examples_run(page: Path, block: str, cat: Path) -> None:
    smaller = functools.reduce(lambda text, pair: text.replace(*pair), SMALLER.items(), block)
    names: dict[str, object] = {"quick": [MethodChoice.default("smallest", basis="pixels", iterations=20)]}
    exec(compile(smaller, str(page), "exec"), names)
    assert cat.is_file()
    if "explanation" in names:
        saliency = names["explanation"].saliency  # type: ignore[attr-defined]  # what the example promises
        assert saliency.dtype == np.float32
        assert saliency.shape == names["classifier"].input_size  # type: ignore[attr-defined]  # likewise


def test_every_page_of_the_guide_that_speaks_of_python_has_an_example_that_runs() -> None:
    assert {page.stem for page in RUN if "```python" in page.read_text(encoding="utf-8")} >= {
        "README",
        "ground-truth",
        "optimiser",
        "own-networks",
        "python",
    }


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LINES


def test_every_model_and_method_named_on_a_command_line_exists() -> None:
    from decam.methods import CLASS_METHODS, METHODS
    from decam.models import catalogue

    lines = "\n".join(re.findall(r"^    .*python -m decam.*$", TEXT, re.MULTILINE))
    assert set(re.findall(r"--method ([\w-]+)", lines)) <= {*METHODS, *CLASS_METHODS}
    models = re.findall(r"--model (\S+)", lines)
    assert models and all(catalogue.find(name) is not None for name in models)


def test_the_guide_names_every_model() -> None:
    from decam.models.catalogue import ENTRIES

    models = (ROOT / "docs" / "guide" / "models.md").read_text(encoding="utf-8")
    assert [name for name in ENTRIES if f"`{name}`" not in models] == []


@pytest.mark.slow
def test_every_command_line_is_one_that_the_parser_takes() -> None:
    from decam.cli import _parser

    lines = re.findall(r"^    python -m decam (.+)$", TEXT, re.MULTILINE)
    assert lines
    for line in lines:
        _parser().parse_args(line.split())


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})(?:\w+=\w+ )?make ([a-z]+)", TEXT, re.MULTILINE))
    assert named
    assert named <= targets


def test_every_file_that_is_linked_exists() -> None:
    pages = [README, *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).is_file()
    ]
    assert missing == []
