"""A researcher's own questions: what keeps one from being answered, and the bounds of a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.studies.blocks.forms import faulty, question
from decam.studies.design import Item
from decam.studies.document import digest_of, study_from_json, study_to_json
from decam.studies.elements import AnswerError
from decam.studies.road import lacks
from decam.studies.wording import shipped
from tests.studies.studies import block, study


@pytest.mark.parametrize("kind", ["demographics", "questionnaire"])
@pytest.mark.parametrize(("item", "sentence"), [
    (Item("Age", "number", least=18, most=18), "The question 'Age' needs a smallest number that is below the largest"),
    (Item("Age", "number", least=99, most=18), "The question 'Age' needs a smallest number that is below the largest"),
    (Item("Job", "choice", ("any",)), "The question 'Job' needs two options or more."),
    (Item("Job", "several"), "The question 'Job' needs two options or more."),
])  # fmt: skip
def test_a_question_that_cannot_be_answered_keeps_a_study_a_draft(kind: str, item: Item, sentence: str) -> None:
    assert any(sentence in one for one in lacks(study(block(kind, [item]))))


@pytest.mark.slow
@given(
    least=st.none() | st.floats(-1e6, 1e6),
    most=st.none() | st.floats(-1e6, 1e6),
    value=st.floats(-1e6, 1e6),
    form=st.sampled_from(["number", "text"]),
)
def test_a_number_is_taken_exactly_within_the_bounds_that_there_are(
    least: float | None, most: float | None, value: float, form: str
) -> None:
    item = Item("Age", form, least=least, most=most)
    backwards = least is not None and most is not None and least >= most
    assert bool(faulty((item,))) == (backwards and form == "number")
    if form == "text" or backwards:
        return
    asked = question(item, "age", shipped("en"))
    if (least is None or least <= value) and (most is None or value <= most):
        assert asked.check(value) == value
    else:
        with pytest.raises(AnswerError, match="a number from"):
            asked.check(value)


def test_bounds_are_kept_in_the_document_and_a_number_without_any_has_the_digest_it_had() -> None:
    bounded = study(block("demographics", [Item("Age", "number", least=18, most=99.5)]))
    assert study_from_json(study_to_json(bounded)) == bounded
    free = study(block("demographics", [Item("Age", "number")]))
    assert '"least"' not in study_to_json(free) and '"least"' in study_to_json(bounded)
    assert digest_of(free) != digest_of(bounded)
