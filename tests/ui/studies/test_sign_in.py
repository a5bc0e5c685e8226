"""Which ways to sign in the secrets allow, and which accounts come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import streamlit as st

from decam.ui.studies import sign_in
from decam.ui.studies.sign_in import Ways, admitted, ways_in


class Secrets(dict[str, Any]):
    """Streamlit's secrets as a file has them."""

    def load_if_toml_exists(self) -> bool:
        return bool(self)


@pytest.mark.parametrize(("secrets", "ways"), [
    ({}, Ways()),
    ({"other": {"key": "value"}}, Ways()),
    ({"studies": {"password": " scrypt$… "}}, Ways("scrypt$…")),
    ({"auth": {"client_id": "x"}}, Ways("", ("default",))),
    ({"auth": {"cookie_secret": "x", "github": {"client_id": "x"}}}, Ways("", ("github",))),
    ({"auth": {"client_id": "x", "a": {"client_id": "x"}, "b": {"client_id": "y"}}}, Ways("", ("default", "a", "b"))),
    ({"auth": {"client_kwargs": {"prompt": "login"}}}, Ways("", ("default",))),
    ({"auth": {}, "studies": {"people": ["a@b.org", "@c.org"]}}, Ways("", ("default",), ("a@b.org", "@c.org"))),
    ({"studies": {"people": "a@b.org"}}, Ways("", (), ("a@b.org",))),
])  # fmt: skip
def test_the_secrets_say_how_one_can_sign_in(
    secrets: Mapping[str, Any], ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "secrets", Secrets(secrets))
    assert ways_in() == ways
    assert ways.any == bool(ways.password or ways.providers), "a list of people alone opens nothing"


PEOPLE = ("Ada@Example.org", "@lab.example.org")


@pytest.mark.parametrize(("claims", "address"), [
    ({"email": "ada@example.org"}, "ada@example.org"),
    ({"email": " ADA@EXAMPLE.ORG ", "email_verified": True}, "ada@example.org"),
    ({"email": "eve@lab.example.org"}, "eve@lab.example.org"),
    ({"email": "ada@example.org", "email_verified": False}, ""),
    ({"email": "ada@example.org", "email_verified": "false"}, ""),
    ({"email": "eve@example.org"}, ""),
    ({"email": "eve@evil.lab.example.org"}, ""),
    ({"email": "eve@lab.example.org.evil.org"}, ""),
    ({"email": "@lab.example.org"}, ""),
    ({"email": "lab.example.org"}, ""),
    ({"email": ""}, ""), ({"email": None}, ""), ({}, ""),
])  # fmt: skip
def test_only_listed_accounts_and_those_of_listed_domains_come_in(claims: Mapping[str, Any], address: str) -> None:
    assert admitted(claims, PEOPLE) == address
    assert admitted(claims, ()) == "", "with nobody listed nobody comes in"


def test_the_mark_of_a_session_does_not_hold_the_password_or_its_hash() -> None:
    assert "scrypt" not in sign_in._mark("scrypt$1$2") and sign_in._mark("a") != sign_in._mark("b")
