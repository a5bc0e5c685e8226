"""What is written in several places says the same: requirements, version, papers, packaged files."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import decam
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def _listed(path: Path) -> list[str]:
    """The requirements of a file, without its comments and the files that it includes."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def test_requirements_are_the_dependencies_and_those_of_the_app() -> None:
    assert _listed(ROOT / "requirements.txt") == [*PROJECT["project"]["dependencies"], *EXTRAS["app"]]


def test_requirements_of_the_tests_are_the_extra_for_development() -> None:
    assert ["decam[app,docs]", *_listed(ROOT / "tests" / "requirements.txt")] == EXTRAS["dev"]


def test_requirements_of_the_documentation_are_the_extra_for_it() -> None:
    assert _listed(ROOT / "docs" / "requirements.txt") == EXTRAS["docs"]


def test_every_requirement_has_a_bound_below_and_above() -> None:
    named = [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["app"],
        *EXTRAS["postgresql"],
        *EXTRAS["docs"],
        *EXTRAS["dev"][1:],
    ]
    assert [name for name in named if not re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+,<\d+", name)] == []


def test_the_changelog_has_the_version_that_the_package_has() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[?(Unreleased|\d[\w.]*)", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert decam.__version__ in headings


def test_the_citation_names_the_papers_that_the_readme_says_ideas_are_from() -> None:
    citation, readme = ((ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "README.md"))
    papers = re.findall(r"^- \*\*(?:DE-CAM|The map of the field)\*\*.*?(?=^- \*\*)", readme, re.MULTILINE | re.DOTALL)
    identifiers = [found for text in papers for found in re.findall(r"\[(?:arXiv|doi) ([\w./]+)\]", text)]
    assert len(identifiers) >= 3
    assert [identifier for identifier in identifiers if identifier not in citation] == []


@pytest.mark.parametrize("name", ["Containerfile", ".dockerignore", ".github/workflows/check.yml", "CONTRIBUTING.md"])
def test_files_that_point_at_others_point_at_what_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = re.findall(r"(?<![\w/.~$-])((?:decam|tests|docs)/[\w/.-]*\w|\w+\.toml|\w+\.txt)\b(?!<)", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_data_directory_of_the_package_is_ignored_by_git() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "decam/data/file", "decam/build/file", "data/file", ".venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ignored.returncode == 128:
        pytest.skip("this is no checkout of git")
    assert ignored.stdout.split() == ["data/file", ".venv"]
