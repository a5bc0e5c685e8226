"""The table of sources: what the catalogue lists is what the rows offer, and every row answers for its own names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from decam.models import catalogue, load_classifier, sources
from decam.models.catalogue import ENTRIES
from decam.models.sources.bundled import BUNDLED
from decam.models.sources.table import SOURCES

ROOM = Path(sources.__file__).parent
ROWS = [(source, name) for source in SOURCES.values() for name in source.offered]
UNLISTED = [name for name, own in BUNDLED.items() if not own.listed]


def test_the_catalogue_lists_what_the_sources_offer_in_their_order() -> None:
    assert list(ENTRIES) == [name for source in SOURCES.values() for name in source.offered]
    assert list(SOURCES) == [source.name for source in SOURCES.values()]


def test_every_module_of_the_room_that_makes_a_row_is_in_the_table() -> None:
    modules = {path.stem for path in ROOM.glob("*.py")} - {"__init__", "base", "table"}
    assert set(SOURCES) == modules


@pytest.mark.parametrize(("source", "name"), ROWS, ids=[name for _, name in ROWS])
def test_an_offered_name_has_an_entry_of_that_source_and_of_no_other(source: sources.base.Source, name: str) -> None:
    entry = source.entry(name)
    assert entry is not None and entry == ENTRIES[name]
    assert (entry.name, entry.source) == (name, source.name)
    assert entry.parameters > 0 and entry.title
    assert entry.weights_path() == source.weights_path(entry)
    assert [other.name for other in SOURCES.values() if other.entry(name) is not None] == [source.name]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_name_that_nobody_has_is_left_to_others(source: sources.base.Source) -> None:
    assert source.entry("no-such-model") is None


@pytest.mark.parametrize("name", UNLISTED)
def test_a_model_that_is_not_listed_is_loaded_by_its_name(name: str) -> None:
    assert name not in ENTRIES
    assert catalogue.get(name).title == BUNDLED[name].title
    classifier = load_classifier(name, device="cpu", exact=True)
    assert classifier.name == name
    assert classifier.answer(torch.zeros(1, 3, *classifier.input_size)).shape == (1, len(classifier.labels))


def test_only_the_table_imports_sources_and_they_import_neither_it_nor_the_catalogue() -> None:
    for path in ROOM.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for name in (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))
        }
        assert "decam.models.catalogue" not in imported
        if path.stem != "table":
            assert not imported & {f"decam.models.sources.{name}" for name in (*SOURCES, "table")}
    listing = (ROOM.parent / "catalogue.py").read_text(encoding="utf-8")
    assert not [name for name in SOURCES if name in listing]
