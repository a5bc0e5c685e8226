"""What a reader is told about an exception that ends one part of long work and not the rest."""

from __future__ import annotations

import logging

from decam.errors import DecamError
from decam.masking import is_memory

_LOG = logging.getLogger(__name__)


def sentence_for(error: Exception, subject: str) -> str:
    """One sentence about what went wrong; what nobody expected also goes to the log with its traceback."""
    if isinstance(error, DecamError):
        return str(error)
    if is_memory(error):
        return f"{subject} did not fit into memory; choose a smaller model or a smaller batch."
    _LOG.error("%s failed unexpectedly", subject, exc_info=error)
    return f"{subject} failed unexpectedly ({type(error).__name__}); the log of the server has the details."
