"""Sentences of the randomisation check against similarities made up so that the answer is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import reading
from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.experiments.kinds.randomisation_reading import THRESHOLDS, Compared, lines, readings
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import Mode, ModelSpec, QuestionSpec, Variant
from decam.methods.controls.maps import CENTRE, EDGES, RANDOM
from decam.metrics.base import Measurement

HOW = Compared("spearman")
SHARES = (0.005, 0.5, 1.0)
VALUES = tuple((absolute, MetricChoice.default("similarity-spearman", absolute=absolute)) for absolute in (False, True))
FLOORS = tuple(
    (absolute, MetricChoice.default("control-similarity-spearman", absolute=absolute)) for absolute in (False, True)
)


def found(
    values: Sequence[float],
    method: str = "grad-cam",
    mode: Mode = "cascading",
    floor: float = 0.0,
    edges: float = 0.0,
    plain: float | None = None,
    answers: Sequence[int] = (),
) -> Grid:
    """A check of one method, whose map is so alike to the original at each stage; `plain` of signed values.

    `answers` are the likeliest classes of the original and of each variant, not known where there are none.
    """
    names = ("head", "late", "early") if mode != "labels" else ("shuffled labels",)
    variants = [Variant(mode, name, share) for name, share in zip(names, SHARES, strict=False)]
    plan = Plan(
        kind=RANDOMISATION,
        device="cpu",
        pictures=(PictureChoice("Star"),),
        questions=(
            QuestionSpec(ModelSpec("embedded"), 0),
            *(QuestionSpec(ModelSpec("embedded", variant), 0, reference=0) for variant in variants),
        ),
        methods=(MethodChoice.default(method),),
        metrics=tuple(choice for _, choice in (*VALUES, *FLOORS)),
    )
    parts = ((RANDOM.title, floor), (CENTRE.title, 0.1), (EDGES.title, edges))
    cells = {key: Cell() for key in plan.cells()}
    cells[CellKey(0, 0)] = Cell(
        measurements={choice.key: Measurement(choice.name, floor, parts=parts) for _, choice in FLOORS}
    )
    for place, value in enumerate(values, start=1):
        measured = {
            choice.key: Measurement(choice.name, value if absolute or plain is None else plain)
            for absolute, choice in VALUES
        }
        cells[CellKey(place, 0)] = Cell(measurements=measured)
    view = np.zeros((2, 2, 3), np.uint8)
    guesses = tuple(((answer, 0.9), (1 - answer, 0.1)) for answer in answers) or (None,) * len(plan.questions)
    return Grid(plan, (view,), labels=("arrow", "ring"), predictions=guesses, cells=cells)


def said(values: Sequence[float], **how: object) -> tuple[str, str]:
    (reading,) = readings(found(values, **how), HOW)  # type: ignore[arg-type]  # a test's own keywords
    return reading.verdict, reading.sentence


@pytest.mark.parametrize(
    ("values", "verdict", "part"),
    [
        ((0.1, 0.0, 0.05), "lost", "completely as soon as the last stage (head) is random (0.10)"),
        ((0.5, 0.2, 0.1), "lost", "completely once the last 2 stages (head to late) are random (0.20)"),
        ((0.1, 0.5, 0.1), "lost", "completely as soon as the last stage (head) is random (0.10)"),
        ((0.1, 0.5, 0.1), "lost", "comes back once the last 2 stages (head to late) are random (0.50)"),
        ((0.5, 0.1, 0.1), "lost", "learned."),
        (
            (0.9, 0.8, 0.1),
            "late",
            "Still similar (0.80) when the last 2 stages (head to late) are random (50 % of the weights)",
        ),
        ((0.9, 0.8, 0.1), "late", "completely only once all weights are random (0.10)"),
        ((0.9, 0.6, 0.5), "changed", "0.50 is left when all weights are random"),
        ((0.9, 0.2, 0.85), "kept", "similar (0.85) although all weights are random"),
        ((0.9, 0.8), "kept", "similar so far (0.80 when the last 2 stages (head to late) are random)"),
        ((-0.4, math.nan, math.nan), "lost", "as soon as the last stage (head) is random (−0.40)"),
        (
            (0.9, math.nan, math.nan),
            "late",
            "Still similar (0.90) when the last stage (head) is random (under 1 % of the weights)",
        ),
        ((math.nan,) * 3, "lost", "as soon as the last stage (head) is random (flat)"),
    ],
)
def test_the_cascade_is_read_by_its_thresholds(values: tuple[float, ...], verdict: str, part: str) -> None:
    read, sentence = said(values)
    assert read == verdict
    assert part in sentence


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((0, 0, 1, 1), "(50 % of the weights) and the model has lost its answer. Changes"),
        ((0, 1, 0, 1), "(50 % of the weights) and the model still answers “arrow”. Changes"),
        ((1, 1, 1, 0), "(50 % of the weights) and the model still answers “ring”. Changes"),
        ((), "(50 % of the weights). Changes"),
    ],
)
def test_a_late_change_tells_what_the_model_answered_when_the_map_was_still_similar(
    answers: tuple[int, ...], words: str
) -> None:
    assert words in said((0.9, 0.8, 0.1), answers=answers)[1]


@pytest.mark.parametrize(
    ("values", "verdict", "part"),
    [
        ((0.9, 0.1, 0.95), "lost", "completely with late alone (stage 2 of 3 from the output; similarity 0.10)"),
        ((0.2, 0.1, 0.95), "lost", "completely with 2 of 3 stages"),
        ((0.9, 0.5, 0.95), "changed", "Changes most with late alone (stage 2 of 3 from the output; similarity 0.50)"),
        ((0.9, 0.8, 0.95), "kept", "no stage alone matters"),
    ],
)
def test_stages_alone_are_read_by_the_least_alike(values: tuple[float, ...], verdict: str, part: str) -> None:
    read, sentence = said(values, mode="independent")
    assert read == verdict
    assert part in sentence


@pytest.mark.parametrize(("value", "verdict"), [(0.1, "lost"), (0.5, "changed"), (0.9, "kept")])
def test_random_labels_are_read_from_the_one_value(value: float, verdict: str) -> None:
    read, sentence = said((value,), mode="labels")
    assert read == verdict
    assert f"{value:.2f}" in sentence and "labels" in sentence


def test_a_control_is_explained_and_not_blamed() -> None:
    verdict, sentence = said((1.0, 1.0, 1.0), method="edges")
    assert verdict == "blind"
    assert "never asks the model" in sentence


def test_what_a_random_map_scores_counts_as_nothing_left() -> None:
    assert said((0.6, 0.6, 0.6), floor=0.0)[0] == "changed"
    assert said((0.6, 0.6, 0.6), floor=0.55)[0] == "lost"


def test_likeness_to_edges_is_told_where_the_map_does_not_go() -> None:
    assert "plain edge detector's map is 0.62" in said((0.9, 0.9, 0.9), edges=0.62)[1]
    assert "edge" not in said((0.9, 0.9, 0.9), edges=0.2)[1]


def test_an_original_that_is_flat_is_said_to_answer_nothing() -> None:
    verdict, sentence = said((math.nan,) * 3, floor=math.nan)
    assert verdict == "unknown"
    assert "flat" in sentence


def test_a_method_that_has_not_been_compared_yet_has_no_sentence() -> None:
    assert readings(found(()), HOW) == []
    assert reading(found(())) == ()


def test_a_check_is_read_by_the_first_similarity_and_says_which_that_is() -> None:
    grid = found((0.1, 0.0, 0.05))
    one, how = reading(grid)
    assert one == readings(grid, HOW)[0] and one.subject == "Grad-CAM"
    assert (
        one.sentence
        == "Changes completely as soon as the last stage (head) is random (0.10): it reflects what the model learned."
    )
    assert how.subject == "" and "Spearman" in how.sentence and how.sentence.endswith(THRESHOLDS)
    assert "Under 0.3" in THRESHOLDS and "From 0.7 on" in THRESHOLDS


def test_a_check_in_which_every_variant_failed_says_nothing() -> None:
    grid = found(())
    cells = {key: cell if key.question == 0 else Cell().failed("No memory.") for key, cell in grid.cells.items()}
    assert reading(replace(grid, cells=cells)) == ()


@pytest.mark.parametrize(("method", "expected"), [("integrated-gradients", 0.9), ("grad-cam", 0.2)])
def test_absolute_values_count_for_signed_maps_only(method: str, expected: float) -> None:
    grid = found((0.9,), method=method, plain=0.2)
    assert lines(grid, HOW)[0].values[0] == expected
    assert lines(grid, Compared("spearman", absolute=False))[0].values[0] == 0.2


@pytest.mark.slow
@given(
    some.lists(some.floats(-1, 1) | some.just(math.nan), min_size=1, max_size=3),
    some.floats(-1, 1) | some.sampled_from([math.nan, 1.0]),
    some.sampled_from(["cascading", "independent"]),
)
def test_every_check_has_one_whole_sentence_without_a_nan(values: list[float], floor: float, mode: str) -> None:
    _, sentence = said(values, floor=floor, mode=mode)
    assert sentence.endswith(".") and "nan" not in sentence.split()
    assert "(nan" not in sentence
