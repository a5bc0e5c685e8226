"""A process counts as alive exactly as long as it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from decam.errors import StoreError
from decam.runs.store.instance import Instance, alive

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_alive_until_it_lets_go(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert alive(tmp_path, instance.token)
    assert alive(tmp_path, instance.token)
    instance.close()
    assert not alive(tmp_path, instance.token)
    assert not alive(tmp_path, "never-there")


@pytest.mark.slow
def test_another_process_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from decam.runs.store.instance import Instance\n"
        "kept = Instance(Path(sys.argv[1])); print(kept.token, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        token = process.stdout.readline().strip()
        assert alive(tmp_path, token)
        process.kill()
        process.wait(60)
    assert not alive(tmp_path, token)


def test_what_the_dead_left_is_swept_and_what_is_young_or_alive_is_not(tmp_path: Path) -> None:
    old, young = tmp_path / "old.lock", tmp_path / "young.lock"
    for path in (old, young):
        path.touch()
    living = Instance(tmp_path)
    past = time.time() - 3600
    os.utime(old, (past, past))
    os.utime(tmp_path / f"{living.token}.lock", (past, past))
    other = Instance(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {"young", living.token, other.token}
    living.close()
    other.close()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Cannot write in .*DECAM_DATA"):
        Instance(tmp_path / "file" / "instances")
