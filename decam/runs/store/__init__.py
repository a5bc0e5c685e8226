"""What outlives the process."""

from decam.runs.store.runs import Store

__all__ = ["Store"]
