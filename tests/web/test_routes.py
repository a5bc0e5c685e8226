"""The routes beside the pages, other than the stream of a run."""

from __future__ import annotations

from urllib.parse import urljoin

import anyio
import pytest

from tests.web.watched import FIRST, ask


@pytest.mark.parametrize("base", ["", "/class/decam/"])
@pytest.mark.parametrize(("query", "kept"), [("", ""), ("run=a-link", "?run=a-link"), ("run=%2F%2Fx", "?run=%2F%2Fx")])
def test_the_first_pages_name_leads_to_the_apps_address_and_keeps_the_link(base: str, query: str, kept: str) -> None:
    path = f"{base.rstrip('/')}/{FIRST}"
    answer = anyio.run(lambda: ask(path, query, base=base))
    assert answer.status == 307
    place = urljoin(f"http://127.0.0.1{path}", answer.headers["location"])
    assert place == f"http://127.0.0.1{base.rstrip('/')}/{kept}"
