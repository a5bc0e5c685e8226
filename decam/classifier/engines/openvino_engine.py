"""OpenVINO on a CPU: a module converted once, asked by several threads at a time."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from decam.classifier.base import PRECISIONS, Execution
from decam.classifier.engines import conversions
from decam.classifier.engines.base import Answering, EngineError, Source, converting_alone, first_line
from decam.classifier.sharing import keeping_buffers
from decam.hardware.device import is_memory
from decam.lru import Lru

_HINTS: dict[str, str] = dict(zip(PRECISIONS, ("f32", "bf16", "f16"), strict=True))
AGREES = 1e-3  # how far scores in float32 may lie apart, as a share of the largest: rounding stays far below
_OPEN = torch.export.Dim.DYNAMIC
_LOADING = threading.Lock()
_IMPORTING = threading.Lock()  # one thread at a time says what may be imported
_TELEMETRY = "openvino_telemetry"
KEPT = 2  # compiled ways: a trial goes back and forth between few


def serves(device: torch.device) -> bool:
    """True for the CPU, where OpenVINO is installed; its other devices are not PyTorch's."""
    return device.type == "cpu" and version() != ""


@cache
def version() -> str:
    """OpenVINO's version, which its arithmetic depends on; empty on platforms for which it is not made."""
    try:
        return metadata.version("openvino")
    except metadata.PackageNotFoundError:
        return ""


@dataclass(frozen=True, eq=False)
class Converted:
    """A module as OpenVINO has it, with the weights as they were."""

    model: Any
    _compiled: Lru[tuple[str, int, int], Answering] = field(default_factory=lambda: Lru(KEPT))

    @classmethod
    def of(cls, source: Source) -> Converted:
        """Convert a module, or take its conversion from disk, and compare its scores in float32 with the module's own.

        The module is exported by torch.export, which refuses what depends on the pictures' values. Tracing would take
        one branch for all. Raises EngineError where a module cannot be exported or converted, changes itself as it
        answers, or answers otherwise than its conversion.
        """
        with converting_alone, torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
            example, module = source.example.clone(), source.copy()
            expected = _own_scores(module, example)
            place = conversions.place(module, example, f"openvino {version()}") if source.lasting else None
            kept = _read(place) if place else None
            if kept is not None and (found := cls(kept))._gap(example, expected) == 0:
                return found
            converted = cls(_converted(module, example))
            if gap := converted._gap(example, expected):
                raise EngineError(f"its scores differ by up to {gap:.3g} from the conversion's")
            if place:
                _write(place, converted.model)
        return converted

    def _gap(self, example: Tensor, expected: Tensor) -> float:
        """How far its scores in float32 lie from those expected, at most; 0 where that is no more than rounding."""
        gap = float((self.answering(Execution())(example) - expected).abs().max())
        return 0.0 if gap <= AGREES * max(1.0, float(expected.abs().max())) else gap  # NaN is no small gap

    def answering(self, execution: Execution) -> Answering:
        """The model compiled for a precision, and for so many batches side by side on the cores there are."""
        streams = execution.parallel_batches
        key = (execution.precision, streams, max(streams, torch.get_num_threads()))
        found = self._compiled.get(key)
        if found is None:
            found = _Compiled(self.model, *key)
            self._compiled.put(key, found)
        return found


def _converted(module: nn.Module, example: Tensor) -> Any:
    """A module as OpenVINO's model, for any number of pictures; raises EngineError."""
    openvino = library()
    try:
        # A dimension of four pictures is left open; one of one or two could be taken for a constant.
        exported = torch.export.export(module, (example,), dynamic_shapes=({0: _OPEN},))
        with _untold():  # the first conversion imports more
            model = openvino.convert_model(exported)
        model.reshape([-1, *example.shape[1:]])
        return model
    except Exception as error:  # the exporter and the converter raise what they please
        if is_memory(error):
            raise MemoryError(str(error)) from error
        raise EngineError(f"{type(error).__name__}: {first_line(error)}") from error


def _read(place: Path) -> Any:
    """The model that is kept at a place; None where there is none that OpenVINO can read."""
    kept, openvino = conversions.read(place), library()
    if kept is None:
        return None
    text, weights = kept
    with suppress(RuntimeError):
        return _core().read_model(text.encode(), openvino.Tensor(weights.numpy(), shared_memory=False))
    return None


def _write(place: Path, model: Any) -> None:
    """Keep a model at a place, where the disk allows that."""
    with suppress(OSError, RuntimeError), tempfile.TemporaryDirectory() as folder:
        text, weights = Path(folder, "model.xml"), Path(folder, "model.bin")
        library().save_model(model, text, compress_to_fp16=False)
        content = torch.frombuffer(bytearray(weights.read_bytes()), dtype=torch.uint8)
        conversions.write(place, text.read_text(encoding="utf-8"), content)


def _own_scores(module: nn.Module, example: Tensor) -> Tensor:
    """What a module answers itself; raises EngineError where it changes a buffer meanwhile, which is undone."""
    with keeping_buffers(module):
        before = [(id(part), part._version) for part in module.buffers()]
        scores: Tensor = module(example).float()
        if before != [(id(part), part._version) for part in module.buffers()]:
            raise EngineError("it changes a buffer of its own as it answers")
    return scores


class _Compiled:
    """A model compiled for a precision; each thread that asks at a time has a request of its own."""

    def __init__(self, model: Any, precision: str, streams: int, threads: int) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # pinned to the same cores, two processes would wait for each other
        }
        try:
            self._compiled = _core().compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise EngineError(f"{type(error).__name__}: {first_line(error)}") from error
        self._requests: deque[Any] = deque()

    def __call__(self, batch: Tensor) -> Tensor:
        """Scores (N×K, float32) of N pictures."""
        request = self._request()
        try:
            request.infer({0: batch.contiguous().float().numpy()}, share_inputs=True)
        except RuntimeError as error:
            if "bad_alloc" in str(error) or "could not create a memory" in str(error):
                raise MemoryError(str(error)) from error
            raise
        scores = torch.from_numpy(request.get_output_tensor(0).data.copy())
        self._requests.append(request)
        return scores

    def _request(self) -> Any:
        """A request that nobody is using."""
        try:
            return self._requests.pop()
        except IndexError:
            return self._compiled.create_infer_request()


def _core() -> Any:
    """OpenVINO's core, one for as long as the process lives.

    Its CPU plugin gives the thread that loads it a stack of its own for signals, and frees that stack with the last
    core, in whichever thread that happens. The first thread would then crash at its next signal, such as Ctrl-C.
    """
    openvino = library()
    with _LOADING:
        return _made(openvino)


@cache
def _made(openvino: ModuleType) -> Any:
    return openvino.Core()


def library() -> ModuleType:
    """OpenVINO, imported without its telemetry."""
    with _untold():
        return import_module("openvino")


@contextmanager
def _untold() -> Iterator[None]:
    """Keep OpenVINO's telemetry out of what is imported meanwhile.

    When imported, and with each conversion, OpenVINO reports to Google Analytics, and it keeps an identity in the home
    directory. Where its package for that cannot be imported, it takes a stub of its own that does neither. A process
    that has imported OpenVINO itself before has decided that itself.
    """
    with _IMPORTING:
        before = sys.modules.get(_TELEMETRY)
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # Python's way to refuse an import
        try:
            yield
        finally:
            del sys.modules[_TELEMETRY]
            if before is not None:
                sys.modules[_TELEMETRY] = before
