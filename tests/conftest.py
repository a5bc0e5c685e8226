"""What tests share: real pictures and models where they are at hand, and a classifier whose answer is known."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray

if TYPE_CHECKING:
    from decam.classifier import FunctionClassifier, TorchClassifier
    from tests.tools.postgresql import PostgreSQL

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("DECAM_TEST_SHARED", ROOT.parent / "shared"))

# No test is about time: a busy machine fails none.
settings.register_profile("decam", deadline=None)
settings.load_profile("decam")

if (SHARED / "torch_home").is_dir():
    os.environ.setdefault("TORCH_HOME", str(SHARED / "torch_home"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser's tests and run them last: Playwright keeps an event loop that page tests would trip over."""
    browser = ROOT / "tests" / "browser"
    for item in items:
        if item.path.is_relative_to(browser):
            item.add_marker("browser")
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session", autouse=True)
def _no_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing a test does, not even at session scope, reaches the user's own runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DECAM_DATA", str(tmp_path_factory.mktemp("decam")))
        patch.delenv("DECAM_SHARED", raising=False)
        patch.delenv("DECAM_DATABASE_URL", raising=False)
        yield


@pytest.fixture(scope="session")
def data_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of directories that are not there yet; a `tmp_path` for every test would take longer than most tests."""
    folder = tmp_path_factory.mktemp("data")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def data_directory(data_directories: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory for every test, which is not there yet."""
    directory = next(data_directories)
    monkeypatch.setenv("DECAM_DATA", str(directory))
    return directory


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server of its own; without one its tests are skipped."""
    from tests.tools import postgresql as tools  # which not every system can import

    programs = tools.find()
    if programs is None:
        pytest.skip("there is no PostgreSQL here: install it (Debian: apt-get install postgresql)")
    server = tools.PostgreSQL(programs)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """Where a store keeps its rows: empty for the file in its directory, or a new database of a server."""
    if request.param == "sqlite":
        return ""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.make_database()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real weights and pictures beside the project; absent on most machines."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED}, with real ImageNet weights and images, is not here")
    return SHARED


@pytest.fixture(scope="session")
def imagenet_pictures(shared: Path) -> tuple[Path, ...]:
    """Real ImageNet pictures in the order of their classes, named class-index_synset_label.jpg."""
    pictures = tuple(sorted((shared / "imagenet" / "images").glob("*.jpg")))
    if not pictures:
        pytest.skip(f"there are no ImageNet images in {shared}")
    return pictures


@pytest.fixture(scope="session")
def squeezenet() -> TorchClassifier:
    """torchvision's squeezenet1_0 with its real weights."""
    from decam.models import load_classifier
    from decam.models.catalogue import ENTRIES

    if not ENTRIES["squeezenet1_0"].present():
        pytest.skip("the weights of squeezenet1_0 are not in TORCH_HOME")
    return load_classifier("squeezenet1_0", device="cpu", exact=True)


@pytest.fixture(scope="session")
def embedded() -> TorchClassifier:
    """The model that comes with the project."""
    from decam.models import load_classifier

    return load_classifier("embedded", device="cpu", exact=True)


@dataclass(frozen=True)
class Rectangle:
    """A classifier whose answer is known, its picture (H×W×3 uint8) and where the rectangle lies (H×W bool).

    Class 1 is "visible": its probability is the share of the rectangle that can be seen.
    """

    classifier: FunctionClassifier
    view: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    target: int = 1


@pytest.fixture(scope="session")
def rectangle() -> Rectangle:
    """A white rectangle off the centre of a black picture, and a function that says how much of it is visible."""
    from decam.classifier import wrap

    size, rows, columns = (96, 96), slice(14, 42), slice(52, 84)
    mask = np.zeros(size, dtype=bool)
    mask[rows, columns] = True
    view = np.repeat(mask[:, :, None], 3, axis=2).astype(np.uint8) * 255

    def visible(images: torch.Tensor) -> torch.Tensor:
        share = images[:, :, rows, columns].mean(dim=(1, 2, 3)).clamp(0, 1)
        return torch.stack([1 - share, share], dim=1)

    classifier = wrap(visible, labels=["hidden", "visible"], input_size=size, mean=(0.0, 0.0, 0.0), name="rectangle")
    return Rectangle(classifier, view, mask)


@pytest.fixture(scope="session")
def rectangle_classifier(rectangle: Rectangle) -> FunctionClassifier:
    """The classifier of `rectangle` alone."""
    return rectangle.classifier
