"""How many threads the linear algebra of NumPy and SciPy takes."""

from __future__ import annotations

import os

from threadpoolctl import ThreadpoolController


def one_openblas_thread() -> None:
    """Let OpenBLAS compute in the thread that calls it, from now on and in libraries that are loaded later.

    A library may fork this process, as OpenVINO's telemetry does where it is not kept out, and OpenBLAS ends its own
    threads at every fork. A product that another thread is computing then waits for them for ever. PyTorch has its own
    threads, which this leaves alone; what decam gives to NumPy is too small to gain from several.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
