"""The wheel, installed into a fresh environment and used from another folder, as whoever runs pip install has it."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import decam
from decam.images.scenes import scene
from decam.ui import nav
from tests.conftest import ROOT
from tests.tools.ports import free_port

pytestmark = pytest.mark.slow

PATIENCE = 300  # seconds before a command counts as stuck
BIN = "Scripts" if sys.platform == "win32" else "bin"


def _run(*command: str | Path, folder: Path) -> str:
    """What a command prints; nothing of the checkout is on its path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def tracked() -> tuple[str, ...]:
    """The files of the package that belong to the repository, new ones too, named from its root."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git, so nobody knows which files belong to it")
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


@pytest.fixture(scope="session")
def wheel(tracked: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the repository's files alone: a checkout may hold more."""
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in tracked:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, sources / name)
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", out, sources]
    _run(sys.executable, "-m", "pip", "--disable-pip-version-check", *build, folder=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds the wheel, and looks into this one for PyTorch and the other large packages."""
    folder = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / BIN / "python"
    packages = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-warn-script-location", wheel]
    _run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, *install, folder=folder)
    here = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    (packages / "large-packages.pth").write_text("\n".join(here), encoding="utf-8")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder far from the checkout, with a picture."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Image.fromarray(scene.scene(3).image).save(folder / "cat.jpg")
    return folder


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path, tracked: tuple[str, ...]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    assert packed == {name for name in tracked if name.startswith("decam/")}


def test_the_wheel_says_what_it_is_and_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode("utf-8")
    assert f"\nVersion: {decam.__version__}\n" in metadata
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*(?:; extra == \"(\w+)\")?$", metadata, re.MULTILINE)
    core = {name.lower() for name, extra in needed if not extra}
    assert {"torch", "numpy", "safetensors"} <= core
    assert not core & {"streamlit", "plotly", "sqlalchemy"}
    assert {"app", "dev", "docs", "postgresql"} == set(re.findall(r"^Provides-Extra: (\w+)$", metadata, re.MULTILINE))


def test_the_installed_package_is_the_one_that_is_imported(environment: Path, elsewhere: Path) -> None:
    code = "import decam; print(decam.__file__); print(decam.__version__)"
    file, version = _run(environment / BIN / "python", "-c", code, folder=elsewhere).split("\n")[:2]
    assert Path(file).is_relative_to(environment)
    assert version == decam.__version__


def test_the_readmes_first_example_runs_with_the_embedded_model(environment: Path, elsewhere: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[0]
    smaller = example.replace('"squeezenet1_0"', '"embedded"').replace("budget=1000", "budget=200")
    smaller = smaller.replace('method="rise"', 'method="rise", budget=64')
    (elsewhere / "example.py").write_text(smaller, encoding="utf-8")
    printed = _run(environment / BIN / "python", "example.py", folder=elsewhere)
    assert re.search(r"^\w+ [01]\.\d+ 200 \d+\.\d+$", printed, re.MULTILINE), printed


def test_the_command_lists_and_explains(environment: Path, elsewhere: Path) -> None:
    command = environment / BIN / "decam"
    assert "de-cam" in _run(command, "methods", folder=elsewhere)
    arguments = ["--model", "embedded", "--method", "grad-cam", "--steps", "5", "--out", "maps"]
    assert "grad-cam" in _run(command, "explain", "cat.jpg", *arguments, folder=elsewhere)
    assert (elsewhere / "maps" / "settings.json").is_file()
    assert "1 of 1 maps are identical." in _run(command, "replay", "maps/settings.json", folder=elsewhere)
    module = _run(environment / BIN / "python", "-m", "decam", "methods", folder=elsewhere)
    assert module == _run(command, "methods", folder=elsewhere)


@pytest.fixture
def served(environment: Path, elsewhere: Path) -> Iterator[str]:
    """Where the installed command serves the dashboard, started in another folder."""
    port = free_port()
    log = elsewhere / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [environment / BIN / "decam", "app", "--port", str(port), "--address", "127.0.0.1"],
            cwd=elsewhere,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(f"{url}/_stcore/health"):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


def test_the_command_serves_the_dashboard_from_any_folder(served: str) -> None:
    for address in ("", *(entry.address for entry in nav.PAGES)):
        with urllib.request.urlopen(f"{served}/{address}", timeout=PATIENCE) as answer:
            assert b"<title>" in answer.read()


def test_the_installed_pages_are_drawn_without_an_error(environment: Path, elsewhere: Path) -> None:
    addresses = [entry.address for entry in nav.PAGES]
    code = f"""
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from decam.ui.nav import SCRIPT

for address in {addresses!r}:
    app = AppTest.from_file(SCRIPT, default_timeout={PATIENCE})
    app._page_hash = calc_hash(address)
    app.run()
    print("drawn", address, [error.value for error in app.exception], len(app.get("page_link")))
"""
    printed = _run(environment / BIN / "python", "-c", code, folder=elsewhere)
    drawn = [line for line in printed.splitlines() if line.startswith("drawn")]
    assert drawn == [f"drawn {address} [] {len(addresses)}" for address in addresses]
