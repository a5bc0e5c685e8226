"""A study as a document: read back as it was, digested, and refused in a sentence where it is not one."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.studies.design import StudyError
from decam.studies.document import digest_of, study_from_json, study_to_json
from decam.studies.wording import SHIPPED, WordingError, shipped, wording_from_json, wording_json
from tests.studies.studies import study, whole


def test_a_study_comes_back_as_it_was() -> None:
    assert study_from_json(study_to_json(whole())) == whole()
    assert study_to_json(study_from_json(study_to_json(whole()))) == study_to_json(whole())


def test_the_digest_is_that_of_the_content_and_of_nothing_else() -> None:
    made = whole()
    assert digest_of(made) == digest_of(study_from_json(study_to_json(made)))
    changed = [
        dataclasses.replace(made, name="Another"),
        dataclasses.replace(made, wording={"choice.left": "Links"}),
        dataclasses.replace(made, blocks=made.blocks[:-1]),
        dataclasses.replace(made, stimuli=made.stimuli[1:]),
        dataclasses.replace(made, assignment=dataclasses.replace(made.assignment, seed=1)),
    ]
    assert len({digest_of(one) for one in (made, *changed)}) == 1 + len(changed)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schema": "other"}, '"schema" must be'),
        ({"version": 2}, "update decam"),
        ({"blocks": [{"kind": "nothing"}]}, "There is no block"),
        ({"blocks": [{"kind": "trials", "task": {"name": "nothing"}}]}, "There is no task"),
        ({"blocks": [{"kind": "break", "settings": {"seconds": -1}}]}, "between 0 and 600"),
        ({"assignment": {"subjects": "both"}}, "must be one of"),
        ({"display": {"opacity": 3}}, "opacity"),
        ({"name": 3}, "A text is expected"),
        ({"more": 3}, "parts that no study has: more"),
        ({"stimuli": [{"key": "s"}]}, "missing or has a wrong type"),
        ({"conditions": 3}, "missing or has a wrong type"),
        ({"conditions": [{"colour": 3}]}, "missing or has a wrong type"),
        ({"direction": "up"}, "ltr, rtl"),
        ({"wording": {"nothing": "x"}}, "No text is called"),
        ({"conditions": [{"key": "a", "title": "A"}, {"key": "a", "title": "B"}]}, "Two conditions are called 'a'"),
        ({"conditions": [{"key": 3, "title": "A"}]}, "wrong type"),
        ({"blocks": [{"kind": "demographics", "items": [{"text": "Age", "form": "x"}]}]}, "form of a question"),
        *(
            (
                {"blocks": [{"kind": "demographics", "items": [{"text": "Age", "form": "number", "least": value}]}]},
                "least is .*, but must be a number from -1e9 to 1e9",
            )
            for value in ("18", True, 1e10, float("nan"))
        ),
    ],
)
def test_what_is_no_study_is_refused_in_a_sentence(change: dict[str, object], sentence: str) -> None:
    entries = {**json.loads(study_to_json(study())), **change}
    with pytest.raises(StudyError, match=sentence):
        study_from_json(json.dumps(entries))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"study"', "[" * 100_000, b"\xff\xfe"])
def test_what_is_no_document_is_refused(text: str | bytes) -> None:
    with pytest.raises(StudyError, match="not a study"):
        study_from_json(text)


def test_a_stimulus_names_its_files_by_digests_and_no_path() -> None:
    text = study_to_json(study())
    with pytest.raises(StudyError, match="no SHA-256"):
        study_from_json(text.replace(study().stimuli[0].image, "../../secret"))


@pytest.mark.slow
@given(st.data())
def test_a_damaged_document_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    text = study_to_json(study())
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.sampled_from('"{}[]:,019ax')) + text[place + 1 :]
    try:
        study_from_json(damaged)
    except StudyError as error:
        assert str(error).endswith((".", "?"))


def test_all_shipped_wordings_have_the_same_texts_with_the_same_values() -> None:
    assert SHIPPED == ("de", "en")
    for language in SHIPPED:
        read = wording_from_json(wording_json(shipped(language)))
        assert read == shipped(language)
        assert set(read.texts) == set(shipped("en").texts)


def test_a_language_that_is_not_shipped_comes_as_a_file() -> None:
    entries = {"language": "ar", "direction": "rtl", "texts": {"choice.left": "يسار"}}
    made = wording_from_json(json.dumps(entries))
    assert (made.direction, made("choice.left")) == ("rtl", "يسار")
    assert made("choice.right") == shipped("en")("choice.right")


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"language": "fr", "direction": "ltr", "texts": {"nothing": "rien"}}, "No text is called nothing"),
        ({"language": "fr", "direction": "ltr", "texts": {"alt.map": "Une carte"}}, r"lost \{number\}"),
        ({"language": "fr", "direction": "down", "texts": {}}, "direction"),
        ({"language": "fr", "texts": {}}, "direction"),
        ({"language": "fr", "direction": "ltr", "texts": {"choice.left": 3}}, "texts"),
        ([], "needs"),
    ],
)
def test_a_wording_that_cannot_be_used_is_refused(entries: object, sentence: str) -> None:
    with pytest.raises(WordingError, match=sentence):
        wording_from_json(json.dumps(entries))


def test_a_missing_text_is_named() -> None:
    with pytest.raises(WordingError, match="'nothing'"):
        shipped("en")("nothing")
