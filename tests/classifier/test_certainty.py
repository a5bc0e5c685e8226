"""Whether a model is sure of its answer, and probabilities in digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.classifier.certainty import LEAST, decimal, unsure


@pytest.mark.parametrize(
    ("probabilities", "doubt"),
    [([0.5, 0.5], False), ([0.49, 0.3, 0.21], True), ([0.51, 0.49], False), ([0.1] * 10, True), ([0.4, 0.45], True)],
)
def test_a_model_is_unsure_where_its_answer_is_more_likely_wrong_than_right(
    probabilities: list[float], doubt: bool
) -> None:
    assert unsure(np.array(probabilities, np.float32)) is doubt


@pytest.mark.slow
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=2))
def test_a_model_of_two_classes_that_exclude_each_other_is_never_unsure(weights: list[float]) -> None:
    assert not unsure(np.array(weights) / sum(weights))


@given(st.floats(0, 1))
def test_a_probability_is_written_near_its_value_and_never_as_zero_unless_it_is(probability: float) -> None:
    words = decimal(probability)
    if probability >= LEAST:
        assert abs(float(words) - probability) <= 0.005 + 1e-12
        assert float(words) > 0
    else:
        assert words == ("0" if probability == 0 else "<0.0001")


@pytest.mark.parametrize(
    ("value", "words"), [(0.972, "0.97"), (0.0049, "0.0049"), (0.00321, "0.0032"), (3e-7, "<0.0001")]
)
def test_little_probabilities_have_more_digits(value: float, words: str) -> None:
    assert decimal(value) == words
