"""The researchers' password: hashed by scrypt, compared in full, and tried ever more slowly."""

from __future__ import annotations

import base64
import hashlib

import pytest

from decam.studies import passwords
from decam.studies.design import StudyError
from decam.studies.passwords import Gate, hashed, matches

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def stored() -> str:
    return hashed(PASSWORD, b"0123456789abcdef")


class Clock:
    """Time that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.slow
def test_the_hash_is_scrypts_own(stored: str) -> None:
    name, cost, block, parallel, salt, value = stored.split("$")
    assert (name, base64.b64decode(salt)) == ("scrypt", b"0123456789abcdef")
    plain = hashlib.scrypt(
        PASSWORD.encode(), salt=b"0123456789abcdef", n=int(cost), r=int(block), p=int(parallel), dklen=32,
        maxmem=2**28,
    )  # fmt: skip
    assert base64.b64decode(value) == plain
    assert int(cost) >= 2**14, "RFC 7914 for interactive logins"


@pytest.mark.slow
def test_only_the_password_matches_and_two_hashes_of_it_differ(stored: str) -> None:
    assert matches(PASSWORD, stored) and not matches("correct horsf", stored) and not matches("", stored)
    assert not matches("x" * 100_000, stored)
    other = hashed(PASSWORD)
    assert other != stored and matches(PASSWORD, other)


@pytest.mark.slow
def test_the_same_letters_typed_in_another_way_match() -> None:
    assert matches("gru\u0308n und blau", hashed("gr\u00fcn und blau"))


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(StudyError, match=r"characters, but needs 10 to 1,000"):
        hashed(password)


@pytest.mark.parametrize("bad", [
    "", "correct horse", "scrypt$32768$8$1$c2FsdA==", "md5$32768$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 44,
    "scrypt$2$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=", "scrypt$32768$8$1$???$???",
    "scrypt$1073741824$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=",
    "scrypt$32768$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$",
    "scrypt$40000$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=",
    "scrypt$32768$0$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=",
])  # fmt: skip
def test_a_secret_that_is_no_hash_is_said_and_opens_nothing(bad: str) -> None:
    with pytest.raises(StudyError, match=r"is no hash of one\. Make it with: python -m decam study password"):
        matches(PASSWORD, bad)


def test_failures_are_waited_for_twice_as_long_each_time_and_the_right_password_ends_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda given, _stored: given == PASSWORD)
    clock = Clock()
    gate = Gate(clock)
    waits = []
    for _ in range(14):
        clock.now += gate.wait()
        assert not gate.opens("wrong", "hash")
        waits.append(gate.wait())
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    with pytest.raises(StudyError, match="Too many wrong passwords; wait 300 s"):
        gate.opens(PASSWORD, "hash")
    clock.now += 300
    assert gate.opens(PASSWORD, "hash")
    assert not gate.opens("wrong", "hash") and gate.wait() == 0


@pytest.mark.slow
def test_a_bad_secret_counts_as_no_failure(stored: str) -> None:
    gate = Gate()
    for _ in range(5):
        with pytest.raises(StudyError, match="no hash"):
            gate.opens(PASSWORD, "nonsense")
    assert gate.opens(PASSWORD, stored)
