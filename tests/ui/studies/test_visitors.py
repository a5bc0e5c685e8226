"""Who counts as sitting at the server's own machine."""

from __future__ import annotations

import pytest

from decam.ui.studies.visitors import FORWARDED, is_local

OWN = {"Host": "localhost:8501", "Origin": "http://localhost:8501"}


@pytest.mark.parametrize("address", [None, "127.0.0.1", "127.8.0.1", "::1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST:80"])
def test_a_visitor_at_this_machine_is_local(address: str | None, host: str) -> None:
    assert is_local(address, {"Host": host, "Origin": f"http://{host}"})
    assert is_local(address, {})


@pytest.mark.parametrize("address", ["192.168.1.7", "10.0.0.1", "2001:db8::1", "8.8.8.8", "nonsense", ""])
def test_a_visitor_from_another_machine_is_remote(address: str) -> None:
    assert not is_local(address, OWN)


@pytest.mark.parametrize("header", FORWARDED)
def test_whoever_comes_through_a_proxy_is_remote_even_if_the_proxy_names_this_machine(header: str) -> None:
    for name in (header, header.title(), header.upper()):
        assert not is_local(None, OWN | {name: "127.0.0.1"})


@pytest.mark.parametrize(
    "host", ["studies.example.org", "localhost.example.org", "192.168.1.7:8501", "127.0.0.1.nip.io"]
)
def test_a_page_opened_under_another_name_is_remote(host: str) -> None:
    assert not is_local(None, {"Host": host})
    assert not is_local(None, {"Host": "localhost:8501", "Origin": f"https://{host}"})


def test_a_page_in_a_sandbox_is_remote() -> None:
    assert not is_local(None, {"Host": "localhost:8501", "Origin": "null"})
