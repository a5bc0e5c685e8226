"""What outlives the process."""

from decam.store.archive import Store

__all__ = ["Store"]
