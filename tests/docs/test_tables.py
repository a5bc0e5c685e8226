"""The pages written from the tables: what is committed is what the script writes, and no row is missing."""

from __future__ import annotations

import re

import pytest

from decam.methods import CLASS_METHODS, METHODS, described
from decam.metrics import METRICS
from decam.metrics.similarity import SIMILARITIES
from docs import tables

pytestmark = pytest.mark.slow

ROWS = (*METHODS.values(), *CLASS_METHODS.values(), *METRICS.values(), *SIMILARITIES.values())


def _committed(name: str) -> str:
    return (tables.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", tables.PAGES)
def test_a_page_is_what_the_script_writes(name: str) -> None:
    assert _committed(name) == tables.PAGES[name](), "run python -m docs.tables"


def test_every_method_has_a_section_with_all_its_settings() -> None:
    sections = dict(zip(*_split(_committed("methods.md"), "method"), strict=True))
    assert list(sections) and set(sections) == {*METHODS, *CLASS_METHODS}
    for name, method in (METHODS | CLASS_METHODS).items():
        missing = [one.name for one in method.settings.parameters() if f"| `{one.name}` |" not in sections[name]]
        assert missing == [], name
        assert method.summary in sections[name]
        assert method.formula in sections[name]


def test_every_metric_has_a_section_with_all_its_settings() -> None:
    sections = dict(zip(*_split(_committed("metrics.md"), "metric"), strict=True))
    assert set(sections) == set(METRICS)
    for name, metric in METRICS.items():
        missing = [one.name for one in metric.settings.parameters() if f"| `{one.name}` |" not in sections[name]]
        assert missing == [], name
        assert metric.formula in sections[name]


def test_the_references_name_the_paper_of_every_row_and_of_the_three_sources() -> None:
    references = _committed("references.md")
    assert [row.name for row in ROWS if row.reference not in references or row.url not in references] == []
    for identifier in ("2209.08906", "10.1023/A:1008202821328", "10.1117/1.JEI.32.2.020801"):
        assert identifier in references


def test_examples_are_python_and_name_settings_that_exist() -> None:
    for name, section in zip(*_split(_committed("methods.md"), "method"), strict=True):
        (example,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        compile(example, name, "exec")
        given = set(re.findall(r"(\w+)=", example)) - {"method"}
        assert given <= {one.name for one in described(name).settings.parameters()}


def _split(text: str, kind: str) -> tuple[list[str], list[str]]:
    """The names of the sections of that kind, and their texts."""
    _, *parts = re.split(r'<a id="(\w+)-([\w+-]+)"></a>', text)
    kinds, names, sections = parts[::3], parts[1::3], parts[2::3]
    chosen = [place for place, found in enumerate(kinds) if found == kind]
    return [names[place] for place in chosen], [sections[place] for place in chosen]
