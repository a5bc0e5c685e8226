"""Where models compute: CUDA, then Apple's MPS, then the CPU."""

from __future__ import annotations

import torch

from decam.errors import ModelError
from decam.numerals import several


def devices() -> tuple[str, ...]:
    """The devices of this machine, best first; the CPU is always the last."""
    cuda = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    mps = ("mps",) if _has_mps() else ()
    return (*cuda, *mps, "cpu")


def best() -> torch.device:
    """The first of `devices()`."""
    return torch.device(devices()[0])


def resolve(device: torch.device | str | None) -> torch.device:
    """The device meant: None is the best one, "cuda" the first GPU; raises ModelError for one that is not here."""
    if device is None:
        return best()
    here = ", ".join(devices())
    try:
        wanted = torch.device(device)
    except RuntimeError:
        raise ModelError(f"There is no device {str(device)!r}; this machine has: {here}.") from None
    if str(wanted) == "cuda":
        wanted = torch.device("cuda", 0)
    if wanted.type in ("cpu", "mps"):
        wanted = torch.device(wanted.type)
    if str(wanted) not in devices():
        raise ModelError(f"This machine has no device {str(device)!r}; it has: {here}.")
    return wanted


def describe(device: torch.device | str) -> str:
    """The device in words: "CPU, 2 threads", or the name of the graphics card."""
    device = torch.device(device)
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        return f"{name} ({device})" if torch.cuda.device_count() > 1 else name
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {several(torch.get_num_threads(), 'thread')}"


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())


def full_float32() -> None:
    """Let NVIDIA's GPUs convolve float32 in float32: by default PyTorch would round to TF32, which keeps ten bits."""
    torch.backends.cudnn.allow_tf32 = False


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


_SHORT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")


def is_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or in the process."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _SHORT_OF_MEMORY)
