"""The researchers' password: kept as a hash that is slow to try, and compared with growing waits after failures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from decam.studies.design import StudyError

SHORTEST = 10
"""Characters of a password that `hashed` takes."""
LONGEST = 1000
FIRST_WAIT = 3
"""The failure in a row that is the first to be waited for."""
LONGEST_WAIT = 300.0
"""Seconds."""
_COST, _BLOCK, _PARALLEL, _BYTES = 2**15, 8, 1, 32
_MOST_MEMORY = 2**27
_NAME = "scrypt"


@dataclass(frozen=True)
class _Hash:
    cost: int
    block: int
    parallel: int
    salt: bytes
    value: bytes


def hashed(password: str, salt: bytes | None = None) -> str:
    """The text that stands for a password in the secrets, by scrypt (Percival and Josefsson 2016, RFC 7914).

    Raises StudyError for a password of fewer than SHORTEST characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise StudyError(f"The password has {len(password)} characters, but needs {SHORTEST} to {LONGEST:,}.")
    salt = secrets.token_bytes(16) if salt is None else salt
    value = _derived(password, _Hash(_COST, _BLOCK, _PARALLEL, salt, b"\0" * _BYTES))
    parts = (_NAME, str(_COST), str(_BLOCK), str(_PARALLEL), _text(salt), _text(value))
    return "$".join(parts)


def matches(password: str, stored: str) -> bool:
    """True if `stored` is the hash of this password; raises StudyError for a text that is no such hash."""
    parsed = _parsed(stored)
    if len(password) > LONGEST:
        return False
    return hmac.compare_digest(_derived(password, parsed), parsed.value)


class Gate:
    """Lets passwords be tried, one at a time and ever more slowly; one for the whole process.

    From the failure FIRST_WAIT in a row on there is a wait, 1 s at first and doubled by each further one up to
    LONGEST_WAIT. While it lasts nothing is tried, not even the right password. A right password ends it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def wait(self) -> float:
        """Seconds until a password may be tried again; 0 where one may be now."""
        with self._lock:
            return self._left()

    def opens(self, password: str, stored: str) -> bool:
        """True if this is the password; raises StudyError while it may not be tried, and for a bad hash."""
        with self._lock:
            left = self._left()
            if left > 0:
                raise StudyError(f"Too many wrong passwords; wait {left:.0f} s, then try again.")
            right = matches(password, stored)
            self._failures = 0 if right else self._failures + 1
            if self._failures >= FIRST_WAIT:
                self._until = self._clock() + min(2.0 ** (self._failures - FIRST_WAIT), LONGEST_WAIT)
            return right

    def _left(self) -> float:
        return max(0.0, self._until - self._clock()) if self._failures >= FIRST_WAIT else 0.0


def _derived(password: str, how: _Hash) -> bytes:
    # The same letters may be typed in several ways.
    plain = unicodedata.normalize("NFKC", password).encode()
    return hashlib.scrypt(
        plain, salt=how.salt, n=how.cost, r=how.block, p=how.parallel, dklen=len(how.value), maxmem=_MOST_MEMORY
    )


def _parsed(stored: str) -> _Hash:
    try:
        name, cost, block, parallel, salt, value = stored.strip().split("$")
        parsed = _Hash(int(cost), int(block), int(parallel), _bytes(salt), _bytes(value))
        memory = 128 * parsed.block * (parsed.cost + parsed.parallel + 2)
        sound = name == _NAME and len(parsed.salt) >= 8 and len(parsed.value) >= 16 and memory <= _MOST_MEMORY
        if (
            sound
            and parsed.cost >= 2**14
            and parsed.cost & (parsed.cost - 1) == 0
            and min(parsed.block, parsed.parallel) >= 1
        ):
            return parsed
    except (ValueError, binascii.Error):
        pass  # said below, as for every other text that is no such hash
    raise StudyError(
        "The password in the secrets is no hash of one. Make it with: python -m decam study password, and put its line "
        "under [studies]."
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
