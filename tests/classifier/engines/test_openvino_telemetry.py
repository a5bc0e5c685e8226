"""Converting a model tells nobody outside: no name of another machine is looked up, and no identity is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from decam.classifier.engines import openvino_engine
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not openvino_engine.version(), reason="OpenVINO is not made for this platform")

CONVERTS = """
import os, sys, time

def listen(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        os.write(1, f"ASKED {event} {arguments}\\n".encode())  # by a child that was forked too

sys.addaudithook(listen)

import torch
from torch import nn
from decam.classifier.base import Execution
from decam.classifier.engines import Source, import_libraries
from decam.classifier.engines.openvino_engine import Converted

if "first" in sys.argv:
    import_libraries(torch.device("cpu"))
module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
batch = torch.rand(4, 3, 16, 16)
answers = Converted.of(Source(lambda: module, module, batch)).answering(Execution())(batch)
assert torch.allclose(answers, module(batch), atol=1e-4)
time.sleep(0.5)  # reports are sent by threads of their own
print("CONVERTED", "openvino_telemetry" in sys.modules)
"""


@pytest.mark.parametrize("order", ["first", "lazily"])
@pytest.mark.slow
def test_a_conversion_asks_for_no_other_machine_and_keeps_nothing_at_home(tmp_path: Path, order: str) -> None:
    told = {"CI", "TF_BUILD", "JENKINS_URL"}  # where OpenVINO keeps quiet by itself
    environment = {name: value for name, value in os.environ.items() if name not in told}
    environment |= {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "DECAM_DATA": str(tmp_path / "data")}
    made = subprocess.run(
        [sys.executable, "-c", CONVERTS, order], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout == "CONVERTED False\n"
    assert not any("intel" in found.name.lower() for found in tmp_path.iterdir())


@pytest.mark.slow
def test_a_conversion_and_a_load_beside_it_leave_the_list_of_modules_as_it_was() -> None:
    before = "openvino_telemetry" in sys.modules
    inside, failed = threading.Event(), []

    def load() -> None:
        inside.wait()
        try:
            for _ in range(50):
                openvino_engine.library()
        except KeyError as error:
            failed.append(error)

    beside = threading.Thread(target=load)
    beside.start()
    for _ in range(50):
        with openvino_engine._untold():
            inside.set()
            time.sleep(0.001)
    beside.join()
    assert not failed
    assert ("openvino_telemetry" in sys.modules) == before
