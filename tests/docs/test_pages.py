"""The written pages say what the code says: rooms, arrows, benchmarks."""

from __future__ import annotations

import configparser
import re

from tests.conftest import ROOT

DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def test_the_rooms_are_the_folders_of_the_package() -> None:
    folders = {path.parent.name for path in (ROOT / "decam").glob("*/__init__.py")}
    listed = set(re.findall(r"`decam/(\w+)/`", _section("The rooms")))
    assert listed == folders


def test_the_arrows_are_the_layers_that_are_checked() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")
    checked = [set(re.split(r"\s*[:|]\s*", layer.strip())) for layer in layers if layer.strip()]
    (block,) = re.findall(r"\n\n((?:    .+\n)+)", _section("Arrows"))
    drawn = [set(re.split(r",\s*", layer.strip())) for layer in " ".join(block.split()).split(">")]
    assert drawn == checked


def test_every_benchmark_has_a_page_that_names_the_command_that_writes_it() -> None:
    scripts = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "benchmarks").glob("*.md")}
    assert set(pages) - {"index"} == scripts
    for name in scripts:
        assert re.search(rf"^    \S*python -m benchmarks\.{name}\b", pages[name], re.MULTILINE), name
        assert f"({name}.md)" in pages["index"]


def test_the_claims_of_the_readme_are_rows_of_the_benchmark() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    claims = readme[readme.index("## Three claims") :]
    pages = [(DOCS / "benchmarks" / name).read_text(encoding="utf-8") for name in ("faithfulness.md", "settling.md")]
    intervals = re.findall(r"[+−]?\d\.\d+ \[[^\]]+\]", claims[: claims.index("## Documentation")])
    assert len(intervals) >= 6
    assert [interval for interval in intervals if not any(interval in page for page in pages)] == []


def test_terms_of_the_glossary_are_in_alphabetical_order() -> None:
    terms = re.findall(r"^\*\*(.+?)\.\*\*", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(terms) > 40
    assert terms == sorted(terms, key=str.casefold)


def _section(title: str) -> str:
    return ARCHITECTURE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
