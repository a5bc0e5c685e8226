"""The core works where the app's libraries are not installed: each test runs a Python that cannot import them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from decam.images.scenes import scene
from tests.conftest import ROOT

APP_ONLY = (
    "streamlit",
    "plotly",
    "sqlalchemy",
    "alembic",
    "choix",
    "krippendorff",
    "pandas",
    "psycopg",
    "starlette",
)

# A finder that does not find them is what a Python without them has; torch asks for pandas and takes no for an answer.
HIDDEN = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {APP_ONLY!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
sys.path.insert(0, {str(ROOT)!r})
"""


def run_without_the_app(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in `folder` where nothing that only the app needs can be imported."""
    return subprocess.run(
        [sys.executable, "-c", HIDDEN + code], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.slow
def test_the_libraries_are_hidden_from_these_tests(tmp_path: Path) -> None:
    code = f"""
import importlib
for name in {APP_ONLY!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{{name}} can be imported")
"""
    assert run_without_the_app(code, tmp_path).returncode == 0


@pytest.mark.slow
def test_a_picture_is_explained_and_measured_without_the_app(tmp_path: Path) -> None:
    code = """
import decam
from decam.images.scenes import scene

classifier = decam.load_classifier("embedded", device="cpu", exact=True)
view = scene.scene(3).image
explanation = decam.explain(classifier, view, method="grad-cam")
values = decam.measure(classifier, view, explanation.saliency, target=explanation.target, steps=5)
print(explanation.saliency.shape == classifier.input_size, sorted(values))
"""
    done = run_without_the_app(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "['deletion',", "'insertion']"]


@pytest.mark.slow
def test_the_command_line_explains_and_lists_without_the_app(tmp_path: Path) -> None:
    Image.fromarray(scene.scene(3).image).save(tmp_path / "scene.png")
    code = """
from decam.cli import main
assert main("explain scene.png --model embedded --method grad-cam --steps 5 --out maps".split()) == 0
assert main(["methods"]) == main(["metrics"]) == main(["models"]) == 0
assert main(["replay", "maps/settings.json"]) == 0
"""
    done = run_without_the_app(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "maps" / "settings.json").read_text(encoding="utf-8"))
    assert list((tmp_path / "maps").rglob("*.png"))


@pytest.mark.slow
def test_the_dashboard_says_what_it_lacks(tmp_path: Path) -> None:
    done = run_without_the_app("from decam.cli import main\nraise SystemExit(main(['app']))", tmp_path)
    assert done.returncode == 2
    assert "streamlit" in done.stderr
    assert "pip install 'decam[app]'" in done.stderr
    assert "Traceback" not in done.stderr
