"""Where runs are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from decam import paths


def test_the_environment_chooses_the_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DECAM_DATA", str(tmp_path / "here"))
    assert paths.directory() == tmp_path / "here"
    assert not paths.directory().exists()


def test_a_relative_choice_and_a_home_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DECAM_DATA", "runs")
    assert paths.directory() == tmp_path / "runs"
    monkeypatch.setenv("DECAM_DATA", "~/runs")
    assert paths.directory() == Path.home() / "runs"


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize(
    ("platform", "variable", "beneath"),
    [("linux", "XDG_DATA_HOME", "decam"), ("win32", "LOCALAPPDATA", "decam"), ("darwin", "", "decam")],
)
def test_without_a_choice_it_is_the_users_place_for_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, platform: str, variable: str, beneath: str
) -> None:
    monkeypatch.setenv("DECAM_DATA", value)
    monkeypatch.setattr("sys.platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
        assert paths.directory() == tmp_path / beneath
    else:
        assert paths.directory() == Path.home() / "Library" / "Application Support" / beneath


def test_the_plain_default_is_under_local_share(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DECAM_DATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert paths.directory() == Path.home() / ".local" / "share" / "decam"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_a_server_is_shared_only_when_told_so(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("DECAM_SHARED", value)
    assert paths.shared() is expected


def test_the_database_is_a_file_of_the_directory_unless_a_url_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DECAM_DATABASE_URL", raising=False)
    assert paths.database_url() == ""
    monkeypatch.setenv("DECAM_DATABASE_URL", " sqlite:////srv/runs.sqlite ")
    assert paths.database_url() == "sqlite:////srv/runs.sqlite"
