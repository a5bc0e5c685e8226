"""The benchmark of settled maps from its arguments to its page, and its numbers by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from benchmarks.settling import Found, Search, main, median, searched, summary
from decam.benchmark.datasets import Subject
from decam.errors import SettingError
from decam.experiments.plan import PictureChoice, fingerprint
from decam.images.scenes import scene
from decam.methods.de_cam.settings import DeCamSettings
from tests.conftest import Rectangle


def search(places: np.ndarray, error: float = 0.1, twice: float = math.nan) -> Search:
    """One whose map is known."""
    return Search(1000, not math.isnan(twice), places.astype(np.float32), error, twice, twice)


def test_seeds_are_compared_in_turns_and_their_spread_is_that_of_the_ranks() -> None:
    rng = np.random.default_rng(0)
    maps = [rng.permutation(784).reshape(28, 28) for _ in range(3)]
    found = Found(tuple(map(search, maps)))
    for place in range(3):
        expected = spearmanr(maps[place].ravel(), maps[(place + 1) % 3].ravel()).statistic
        assert found.next_seed(place) == pytest.approx(expected, abs=1e-6)
    two = Found(tuple(map(search, maps[:2])))
    by_hand = np.abs(maps[0] - maps[1]).mean() / 784 / math.sqrt(2)
    assert two.between_seeds == pytest.approx(by_hand, rel=1e-6)
    alone = Found((search(maps[0]),))
    assert math.isnan(alone.next_seed(0)) and math.isnan(alone.between_seeds)


def test_medians_leave_out_what_is_no_number() -> None:
    assert median([1.0, math.nan, 2.0, 6.0], ".1f").startswith("2.0 [1.0, 6.0]")
    assert median([math.nan], ".1f") == "–"
    flat = np.arange(784).reshape(28, 28)
    said = summary([Found((search(flat, 0.1, 0.9), search(flat, 0.3, 0.7))), Found((search(flat), search(flat)))])
    assert "| searches that settled | 2 of 4 |" in said
    assert "| with 2 × as many | 0.800 |" in said, "the mean of an image's seeds, of those that settled"


@pytest.mark.slow
def test_only_a_search_that_settled_is_compared_with_longer_ones(rectangle: Rectangle) -> None:
    subject = Subject(PictureChoice("r", fingerprint(rectangle.view)), rectangle.view, None, 1, 0)
    early = searched(rectangle.classifier, subject, DeCamSettings(budget=2500, settled=0.05), 0)
    assert early.settled and early.evaluations < 2500
    assert -1 <= early.twice <= 1 and -1 <= early.whole <= 1 and 0 < early.error < 1
    late = searched(rectangle.classifier, subject, DeCamSettings(budget=400, settled=0.95), 0)
    assert not late.settled and math.isnan(late.twice) and math.isnan(late.whole)


@pytest.mark.slow
def test_rows_and_medians_are_printed_and_written_without_the_folders_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "somewhere" / "pictures"
    folder.mkdir(parents=True)
    Image.fromarray(scene.scene(0).image).save(folder / "secret.png")
    main(["--pictures", str(folder), "--budget", "400", "--write", str(tmp_path / "settling.md")])
    page = (tmp_path / "settling.md").read_text()
    assert page.count("\n| 1 | ") == 2 and "| searches that settled | 0 of 2 |" in page
    assert "somewhere" not in page and "secret" not in page
    assert page.endswith(capsys.readouterr().out.partition("\n")[2].lstrip())


@pytest.mark.slow
def test_bad_counts_and_folders_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="must be at least 1"):
        main(["--seeds", "0"])
    with pytest.raises(SettingError, match="There are no images"):
        main(["--pictures", str(tmp_path)])
