"""Devices: the best first, named for people, and a sentence for those that are not here."""

from __future__ import annotations

import pytest
import torch

from decam.errors import ModelError
from decam.hardware import device


def test_the_cpu_is_always_the_last_choice() -> None:
    assert device.devices()[-1] == "cpu"


def test_cuda_comes_before_mps_and_mps_before_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.devices() == ("cuda:0", "cuda:1", "mps", "cpu")
    assert device.best() == torch.device("cuda:0")
    assert device.resolve("cuda") == torch.device("cuda:0")
    assert device.resolve(None) == torch.device("cuda:0")


def test_without_an_accelerator_the_cpu_is_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.best() == torch.device("cpu")


def test_a_device_that_is_not_here_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ModelError, match=r"no device 'cuda'.*cpu"):
        device.resolve("cuda")
    with pytest.raises(ModelError, match=r"no device 'toaster'.*cpu"):
        device.resolve("toaster")


def test_a_device_is_described_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert device.describe("cpu") == "CPU, 2 threads"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device.describe(torch.device("cpu")) == "CPU, 1 thread"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Great Card")
    assert device.describe("cuda:0") == "Great Card"


def test_float32_is_float32_on_every_device() -> None:
    before = torch.backends.cudnn.allow_tf32
    try:
        torch.backends.cudnn.allow_tf32 = True
        device.full_float32()
        assert not torch.backends.cudnn.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("data. DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_every_library_says_in_its_own_words_that_memory_ran_out(error: Exception, expected: bool) -> None:
    assert device.is_memory(error) == expected
