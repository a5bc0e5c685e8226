"""A lesson's texts as HTML: safe, with terms that can be reached, and the glossary behind them."""

from __future__ import annotations

import re

import pytest

from decam.lessons import glossary, prose
from decam.lessons.glossary import TERMS

FACTS = {"name": lambda: "<b>star & co</b>", "share": lambda: "12 %"}


def test_what_is_filled_in_is_text_and_never_markup() -> None:
    made = prose.html("It says **{name}** <i>here</i>.", FACTS)
    assert made == "<p>It says <b>&lt;b&gt;star &amp; co&lt;/b&gt;</b> &lt;i&gt;here&lt;/i&gt;.</p>"
    assert prose.plain("It says **{name}**.", FACTS) == "It says <b>star & co</b>."


def test_paragraphs_and_lists() -> None:
    made = prose.html("One\n   line.\n\n- first {share}\n- second\n\nLast.", FACTS)
    assert made == "<p>One line.</p><ul><li>first 12 %</li><li>second</li></ul><p>Last.</p>"


def test_a_term_can_be_reached_by_keyboard_and_points_to_its_explanation() -> None:
    made = prose.html("The [[model]] and its [[answers|prediction]], the [[model]] again.", {}, "here")
    anchors = re.findall(r'<span tabindex="0" aria-describedby="(.*?)">(.*?)</span>', made)
    assert [words for _, words in anchors] == ["model", "answers", "model"]
    assert len({anchor for anchor, _ in anchors}) == 3
    for anchor, _ in anchors:
        assert f'<span role="tooltip" id="{anchor}"><b>' in made
    assert TERMS["Prediction"] in made
    assert prose.html("The [[model]].", {}) == "<p>The model.</p>"


def test_terms_are_in_alphabetical_order_and_explained_in_short_sentences() -> None:
    assert list(TERMS) == sorted(TERMS, key=str.casefold)
    for meaning in TERMS.values():
        assert meaning.endswith(".")
        assert all(len(sentence.split()) <= 28 for sentence in re.split(r"(?<=[.:;])\s", meaning))


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("model", "Model"),
        ("Models", "Model"),
        ("classes", "Class"),
        ("probabilities", "Probability"),
        ("differential evolution", "Differential Evolution (DE)"),
        ("black box", "Black box"),
        ("nothing", None),
    ],
)
def test_a_term_is_found_in_any_case_and_in_the_plural(said: str, term: str | None) -> None:
    assert glossary.term(said) == term
