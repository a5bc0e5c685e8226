"""Which precision, layout, batch size and number of parallel batches answer fastest: a short trial, remembered."""

from decam.models.tuning.memory import forget, observe, remembered
from decam.models.tuning.trial import find
from decam.models.tuning.ways import modes

__all__ = ["find", "forget", "modes", "observe", "remembered"]
