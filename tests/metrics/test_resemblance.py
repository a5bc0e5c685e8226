"""Resemblance to a reference and to controls, beside scipy, scikit-image and plain arithmetic."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from decam.errors import SettingError
from decam.explanation import last
from decam.metrics import METRICS, RANDOMISATION, Case, get
from decam.metrics.resemblance import FLAT, TO_CONTROLS, TO_REFERENCE
from decam.metrics.similarity import SIMILARITIES
from tests.tools.cases import bent, case, run, signed, view

SIDE = (40, 36)
FLAT_MAP = np.zeros(SIDE, np.float32)


def maps(*seeds: int) -> list[np.ndarray]:
    return [signed(seed, SIDE) for seed in seeds]


def a_case(saliencies: list[np.ndarray], **changes: object) -> Case:
    return dataclasses.replace(case(bent(SIDE), view(size=SIDE), saliencies), **changes)


def measured(judged: Case, metric: str, **settings: bool) -> list[float]:
    row = RANDOMISATION[metric]
    return [found.value for found in last(row.run(judged, row.settings.from_mapping(settings)))]


def scipys(first: np.ndarray, second: np.ndarray) -> float:
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def scikit_images(first: np.ndarray, second: np.ndarray) -> float:
    one, two = ((it.astype(float) - it.min()) / np.ptp(it) for it in (first, second))
    return float(structural_similarity(one, two, data_range=1))


OTHERS = pytest.mark.parametrize(("measure", "other"), [("spearman", scipys), ("ssim", scikit_images)])


@OTHERS
def test_each_map_is_compared_with_its_own_reference(measure: str, other) -> None:
    own, references = maps(0, 1), [signed(0, SIDE) + signed(5, SIDE), -signed(1, SIDE)]
    judged = a_case(own, references=tuple(references))
    pairs = list(zip(own, references, strict=True))
    found = measured(judged, f"similarity-{measure}")
    assert found == pytest.approx([other(a, b) for a, b in pairs], abs=1e-6)
    strong = measured(judged, f"similarity-{measure}", absolute=True)
    assert strong == pytest.approx([other(np.abs(a), np.abs(b)) for a, b in pairs], abs=1e-6)
    assert strong[1] == pytest.approx(1) and found[1] < 0.5
    assert judged.question.ledger.evaluations == 0


@OTHERS
def test_a_control_that_is_drawn_several_times_counts_with_its_mean(measure: str, other) -> None:
    own = maps(0, 1)
    controls = {"Noise": tuple(maps(7, 8, 9)), "Shifted": (np.roll(own[0], 1, axis=0),)}
    row = TO_CONTROLS[measure]
    found = last(row.run(a_case(own, controls=controls), row.settings()))
    for one, saliency in zip(found, own, strict=True):
        means = {name: np.mean([other(saliency, drawn) for drawn in drawns]) for name, drawns in controls.items()}
        assert dict(one.parts) == pytest.approx(means, abs=1e-6)
        assert one.value == dict(one.parts)["Noise"]
        assert one.metric == f"control-similarity-{measure}" and not one.note


@pytest.mark.parametrize("measure", SIMILARITIES)
def test_a_map_resembles_itself_fully_and_a_flat_one_nothing(measure: str) -> None:
    row = TO_REFERENCE[measure]
    judged = a_case(
        [signed(3, SIDE), FLAT_MAP, signed(4, SIDE)], references=(signed(3, SIDE), signed(3, SIDE), FLAT_MAP)
    )
    same, *flat = last(row.run(judged, row.settings()))
    assert same.value == pytest.approx(1) and same.note == ""
    for one in flat:
        assert np.isnan(one.value) and one.note == FLAT and not one.failed


def test_what_there_is_to_compare_with_must_be_given() -> None:
    bare = a_case(maps(0, 1))
    assert "compares each map with another one, which must be given" in RANDOMISATION["similarity-ssim"].obstacle(bare)
    assert "controls, which must be given" in RANDOMISATION["control-similarity-ssim"].obstacle(bare)
    half = a_case(maps(0, 1), references=(signed(2, SIDE), None))
    assert RANDOMISATION["similarity-ssim"].obstacle(half)
    with pytest.raises(SettingError, match="no reference"):
        measured(half, "similarity-ssim")
    assert not RANDOMISATION["similarity-ssim"].obstacle(a_case(maps(0), references=(signed(2, SIDE),)))


def test_they_are_found_by_name_but_are_not_offered_to_comparisons() -> None:
    assert not set(RANDOMISATION) & set(METRICS)
    assert list(RANDOMISATION) == [
        f"{kind}-{measure}" for kind in ("similarity", "control-similarity") for measure in SIMILARITIES
    ]
    for name, row in RANDOMISATION.items():
        assert get(name) is row and row.name == name and row.family == "randomisation"
        assert row.cost(row.settings()) == 0


def test_other_metrics_take_no_notice_of_references() -> None:
    own = maps(0)
    with_reference = a_case(own, references=(signed(1, SIDE),))
    assert run(with_reference, "sparsity") == run(a_case(own), "sparsity")
