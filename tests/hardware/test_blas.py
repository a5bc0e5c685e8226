"""A process that serves pages computes products in the thread that asks for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, os, sys, threading
import numpy as np
from threadpoolctl import threadpool_info
from decam.hardware.blas import one_openblas_thread
from decam.web.server import lifespan

before = [one["num_threads"] for one in threadpool_info() if one["internal_api"] == "openblas"]
lifespan(lambda: None)
import scipy.linalg  # brings another OpenBLAS
after = [one["num_threads"] for one in threadpool_info() if one["internal_api"] == "openblas"]

done, enough, long = threading.Event(), threading.Event(), np.random.default_rng(0).random(200_000)

def products():
    while not enough.is_set():
        long.dot(long)
    done.set()

threading.Thread(target=products, daemon=True).start()
for _ in range(100):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
enough.set()
print(json.dumps({"before": before, "after": after, "done": done.wait(20)}))
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no other threads")
def test_products_end_although_the_process_forks_meanwhile() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    asked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, timeout=120, env=environment
    )
    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout)
    if not said["before"]:
        pytest.skip("NumPy comes with another library here")
    assert set(said["after"]) == {1}
    assert said["done"]
