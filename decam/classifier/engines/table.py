"""The table of engines: `Execution.engine` names one of them."""

from __future__ import annotations

from dataclasses import dataclass

from decam.classifier.base import Execution
from decam.classifier.engines import openvino_engine
from decam.classifier.engines.base import Answering, Engine, Source
from decam.hardware.cuda_graph import CudaGraph

EAGER = "eager"


@dataclass(frozen=True)
class _Recordable:
    """A module whose forward pass a GPU is to record."""

    source: Source

    def answering(self, execution: Execution) -> Answering:
        """Record a batch of the execution's size."""
        example = self.source.example.new_zeros(execution.batch_size, *self.source.example.shape[1:])
        return CudaGraph(self.source.forward, example)


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
