"""A forward pass on an NVIDIA GPU recorded as one graph: replayed, it is one launch in place of hundreds."""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch
from torch import Tensor

WARM = 3  # forwards before recording, which set up what must not be set up within it


class CudaGraph:
    """What `forward` answers to batches up to the size of an example, on its GPU.

    Batches are copied into the memory that was recorded, smaller ones to its beginning, and answers out of it; one
    thread at a time. Recording runs `forward` a few times and raises RuntimeError where it does what cannot be
    recorded, such as waiting for the GPU.
    """

    def __init__(self, forward: Callable[[Tensor], Tensor], example: Tensor) -> None:
        self._lock = threading.Lock()
        self._given = torch.zeros_like(example)
        now = torch.cuda.current_stream(example.device)
        beside = torch.cuda.Stream(example.device)  # type: ignore[no-untyped-call]  # PyTorch's has no types
        beside.wait_stream(now)
        with torch.cuda.stream(beside):
            for _ in range(WARM):
                forward(self._given)
        now.wait_stream(beside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):  # other threads go on meanwhile
            self._answers = forward(self._given)

    def __call__(self, batch: Tensor) -> Tensor:
        """Answers to N pictures, N at most as many as in the example."""
        with self._lock:
            self._given[: len(batch)].copy_(batch)
            self._graph.replay()
            return self._answers[: len(batch)].clone()
