"""The table of engines: `Execution.engine` names one of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from decam.classifier.base import Execution
from decam.classifier.engines import openvino_engine
from decam.classifier.engines.base import Answering, Engine, EngineError, Source, first_line
from decam.errors import ModelError
from decam.hardware.cuda_graph import CudaGraph
from decam.hardware.device import is_memory

EAGER = "eager"


@dataclass(frozen=True)
class _Recordable:
    """A module whose forward pass a GPU is to record."""

    source: Source

    def answering(self, execution: Execution) -> Answering:
        """Record a batch of the execution's size; raises EngineError where it does not fit or cannot be recorded."""
        try:
            example = self.source.example.new_zeros(execution.batch_size, *self.source.example.shape[1:])
            return CudaGraph(self.source.forward, example)
        except (RuntimeError, ModelError) as error:  # the module's own code may be what cannot be recorded
            if is_memory(error):
                reason = f"there is not enough memory to record a batch of {execution.batch_size}"
            else:
                reason = f"{type(error).__name__}: {first_line(error)}"
            raise EngineError(reason) from error


_ROWS = (
    Engine(EAGER, "PyTorch"),
    Engine(
        "openvino",
        "OpenVINO",
        "by OpenVINO",
        serves=openvino_engine.serves,
        keeps_weights=True,
        own_layout=True,
        prepare=openvino_engine.Converted.of,
        load=openvino_engine.library,
        version=openvino_engine.version,
    ),
    Engine(
        "cuda-graph",
        "A recorded graph",
        "as a recorded graph",
        serves=lambda device: device.type == "cuda",
        takes=lambda batch, execution: len(batch) <= execution.batch_size,
        prepare=_Recordable,
    ),
)

ENGINES: dict[str, Engine] = {row.name: row for row in _ROWS}


def import_libraries(device: torch.device) -> None:
    """Import the libraries of the engines that serve a device."""
    for engine in ENGINES.values():
        if engine.serves(device):
            engine.load()
