"""What computes the answers of a module: PyTorch step by step, a recorded CUDA graph, or OpenVINO."""

from decam.classifier.engines.base import Answering, Engine, EngineError, Prepared, Source
from decam.classifier.engines.module_engines import ModuleEngines
from decam.classifier.engines.table import EAGER, ENGINES, import_libraries

__all__ = [
    "EAGER",
    "ENGINES",
    "Answering",
    "Engine",
    "EngineError",
    "ModuleEngines",
    "Prepared",
    "Source",
    "import_libraries",
]
