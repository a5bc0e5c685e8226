"""The command app: what it refuses, and that help repeats what the user typed."""

from __future__ import annotations

import pytest

from decam.cli import main
from decam.cli.serving import SCRIPT


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "8501.5"])
def test_a_port_that_none_can_listen_on_is_refused_in_one_sentence(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["app", f"--port={port}"])
    assert end.value.code == 2
    sentence = capsys.readouterr().err
    assert f"'{port}' is no port; give a whole number from 1 to 65535" in sentence
    assert sentence.count("\n") == 1


@pytest.mark.parametrize("program", ["decam", "python -m decam"])
def test_help_repeats_what_was_typed(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["app", "--help"], program)
    assert f"usage: {program} app" in capsys.readouterr().out


def test_the_script_that_streamlit_runs_is_alone_in_its_folder_with_its_settings() -> None:
    beside = {path.name for path in SCRIPT.parent.iterdir() if path.name != "__pycache__"}
    assert beside == {"__init__.py", "app.py", "dashboard.py", "icon.png", ".streamlit"}
