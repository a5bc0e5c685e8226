"""Formulas become MathML that a browser shows without a script."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from markdown import Markdown

from decam.methods import CLASS_METHODS, METHODS
from decam.metrics import METRICS
from decam.metrics.similarity import SIMILARITIES
from docs.formulas import Formulas, mathml

SPACE = "{http://www.w3.org/1998/Math/MathML}"
ROWS = (*METHODS.values(), *CLASS_METHODS.values(), *METRICS.values(), *SIMILARITIES.values())


@pytest.mark.parametrize("formula", [row.formula for row in ROWS], ids=[row.name for row in ROWS])
def test_every_formula_of_a_table_is_mathml_without_commands_left(formula: str) -> None:
    root = ElementTree.fromstring(mathml(formula, "block"))
    assert root.tag == f"{SPACE}math"
    assert "\\" not in "".join(root.itertext())
    if "gathered" in formula:
        assert len(list(root.iter(f"{SPACE}mtr"))) == formula.count(r"\\") + 1


def test_a_command_that_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        mathml(r"\nonsense x", "block")


def test_formulas_are_found_in_lines_and_between_them_and_never_in_code() -> None:
    markdown = Markdown(extensions=["fenced_code", Formulas()])
    html = markdown.convert("A $`x^2`$ here, `$HOME` there.\n\n$$\n\\frac{1}{n}\n$$\n\n```\n$$\nnot this\n$$\n```\n")
    assert html.count("<math") == 2
    assert 'display="inline"' in html
    assert '<div class="formula"><math' in html
    assert "<code>$HOME</code>" in html
    assert "not this" in html
