"""A bounded memory keeps what was used last."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from decam.lru import Lru


@given(st.integers(1, 4), st.lists(st.tuples(st.sampled_from(["get", "put", "discard"]), st.integers(0, 6))))
def test_it_is_an_ordered_dictionary_that_forgets_its_first(most: int, steps: list[tuple[str, int]]) -> None:
    lru: Lru[int, int] = Lru(most)
    plain: OrderedDict[int, int] = OrderedDict()
    for number, (step, key) in enumerate(steps):
        if step == "get":
            assert lru.get(key) == plain.get(key)
        elif step == "put":
            lru.put(key, number)
            plain[key] = number
        else:
            lru.discard(key)
            plain.pop(key, None)
        if key in plain:
            plain.move_to_end(key)
        while len(plain) > most:
            plain.popitem(last=False)
        assert len(lru) == len(plain) <= most
    assert [lru.get(key) for key in range(7)] == [plain.get(key) for key in range(7)]
