"""Ctrl-C after a model that OpenVINO had computed was let go of by another thread: a signal, and no crash."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import gc, signal, threading
import torch
from decam.classifier import Execution
from decam.classifier.engines.base import Source
from decam.classifier.engines.openvino_engine import Converted

net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten()).eval()
example = torch.rand(4, 3, 8, 8)
engine = [Converted.of(Source(lambda: net, net, example))]
engine[0].answering(Execution())(example)

def let_go():
    engine.clear()
    gc.collect()

other = threading.Thread(target=let_go)
other.start()
other.join()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.slow
def test_a_signal_is_heard_after_the_last_model_was_let_go_of_in_another_thread() -> None:
    pytest.importorskip("openvino")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
