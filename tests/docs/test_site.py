"""The pages build without a warning, every link leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
FETCHED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")}


@dataclass
class Links(HTMLParser):
    """What a page refers to, by tag and attribute, and the places in it that can be referred to."""

    links: list[tuple[str, str, str]] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.places |= {value for name, value in attrs if name in ("id", "name") and value}
        self.links += [(tag, name, value) for name, value in attrs if name in ("href", "src") and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Links]:
    """Every built page by its path, read."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "WARNING" not in built.stdout + built.stderr
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return pages


def test_no_link_leads_nowhere(site: dict[Path, Links]) -> None:
    astray = []
    for page, found in site.items():
        if page.name == "404.html":  # its links are for whatever address was asked for
            continue
        for _, _, link in found.links:
            address, place = urldefrag(link)
            if "://" in address:
                continue
            aim = (page.parent / unquote(address)).resolve() if address else page
            if not aim.is_file() or (place and aim in site and unquote(place) not in site[aim].places):
                astray.append(f"{page.name}: {link}")
    assert astray == []


def test_nothing_is_fetched_from_another_server(site: dict[Path, Links]) -> None:
    fetched = [
        f"{page.name}: {link}"
        for page, found in site.items()
        for tag, name, link in found.links
        if (tag, name) in FETCHED and (link.startswith("//") or "://" in link)
    ]
    assert fetched == []


def test_only_pages_are_published(site: dict[Path, Links]) -> None:
    folder = next(path for path in site if path.name == "methods.html").parent
    assert not [path for path in folder.rglob("*") if path.suffix in (".py", ".pyc", ".md")]
    assert not (folder / "requirements.txt").exists()
