"""A bounded memory keeps what was used last."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.lru import Lru


@pytest.mark.slow
@given(
    st.integers(1, 4),
    st.integers(1, 12),
    st.lists(st.tuples(st.sampled_from(["get", "put", "discard"]), st.integers(0, 6))),
)
def test_it_is_an_ordered_dictionary_that_forgets_its_first(most: int, room: int, steps: list[tuple[str, int]]) -> None:
    lru: Lru[int, int] = Lru(most, room, lambda value: value % 5)
    plain: OrderedDict[int, int] = OrderedDict()
    for number, (step, key) in enumerate(steps):
        if step == "get":
            assert lru.get(key) == plain.get(key)
        elif step == "put":
            gone = lru.put(key, number)
            kept = len(plain.keys() | {key})
            plain[key] = number
        else:
            lru.discard(key)
            plain.pop(key, None)
        if key in plain:
            plain.move_to_end(key)
        while len(plain) > 1 and (len(plain) > most or sum(value % 5 for value in plain.values()) > room):
            plain.popitem(last=False)
        assert step != "put" or gone == kept - len(plain)
        assert lru.keys() == tuple(plain)
        assert lru.values() == tuple(plain.values())
        assert len(lru) == len(plain) <= most
    assert [lru.get(key) for key in range(7)] == [plain.get(key) for key in range(7)]
    lru.clear()
    assert len(lru) == 0
