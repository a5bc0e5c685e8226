"""A browser gets a cookie with its first page, keeps it, and is the same owner whenever it comes back."""

from __future__ import annotations

from http.cookies import SimpleCookie

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from decam import web
from decam.web.browsers import COOKIE, owner_of


def cookie(
    path: str = "/",
    sent: str = "",
    *,
    base: str = "",
    accept: str = "text/html,*/*",
    method: str = "GET",
    to: str = "http",
) -> SimpleCookie:
    """What an app below `base` sets when a browser asks for `path` with this header Cookie."""

    async def answer(_: Request) -> Response:
        return Response("ok", headers={"set-cookie": "other=1"})

    app = Starlette(
        routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])], middleware=web.middleware(base, "x")
    )
    found: SimpleCookie = SimpleCookie()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        for name, value in message.get("headers", []):  # type: ignore[attr-defined]
            if name == b"set-cookie":
                found.load(value.decode())

    headers = [(b"accept", accept.encode()), (b"cookie", sent.encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "root_path": ""}
    anyio.run(app, scope | {"scheme": to}, receive, send)
    assert found["other"].value == "1", "cookies of others stay"
    return found


def test_the_first_page_brings_one_that_scripts_and_other_sites_cannot_use() -> None:
    (first, second) = (cookie()[COOKIE] for _ in range(2))
    assert len(first.value) == 43 and first.value != second.value
    assert (first["path"], first["httponly"], first["samesite"], first["secure"]) == ("/", True, "Lax", "")
    assert int(first["max-age"]) > 365 * 24 * 3600
    assert cookie(to="https")[COOKIE]["secure"] is True


def test_a_browser_that_comes_back_keeps_it_whatever_else_it_sends() -> None:
    value = cookie()[COOKIE].value
    assert cookie("/sanity", f"a=b; {COOKIE}={value}; c=d")[COOKIE].value == value
    assert (
        owner_of({COOKIE: value})
        == owner_of({COOKIE: value, "other": "x"})
        != owner_of({COOKIE: cookie()[COOKIE].value})
    )


@pytest.mark.parametrize("others", ['prefs={"a":1}', "version=1", "a=b c", "flag", "=", "a=b; ; c"])
def test_what_other_servers_of_the_host_have_set_hides_nobody(others: str) -> None:
    value = cookie()[COOKIE].value
    for header in (f"{others}; {COOKIE}={value}", f"{COOKIE}={value}; {others}"):
        assert cookie(sent=header)[COOKIE].value == value


@pytest.mark.parametrize("sent", ["", "@shared", "x", "a" * 42, "a" * 44, "ä" * 43, 'a"; b', "(;=,"])
def test_what_is_no_such_cookie_makes_nobody_an_owner_and_is_replaced(sent: str) -> None:
    assert owner_of({COOKIE: sent}) is None
    header = f"{COOKIE}={sent}".encode("latin-1", "replace").decode("latin-1")
    assert len(cookie(sent=header)[COOKIE].value) == 43


def test_the_owners_name_does_not_tell_the_cookie() -> None:
    value = cookie()[COOKIE].value
    owner = owner_of({COOKIE: value})
    assert owner is not None and len(owner) == 32 and value not in owner and owner_of({COOKIE: owner}) is None


@pytest.mark.parametrize("base", ["", "/class/decam/"])
def test_those_who_take_part_in_studies_and_what_is_no_page_get_none(base: str) -> None:
    prefix = f"/{base.strip('/')}" if base else ""
    assert COOKIE not in cookie(f"{prefix}/study/abc", base=base)
    assert COOKIE not in cookie(f"{prefix}/live/run", base=base, accept="text/event-stream")
    assert COOKIE not in cookie(f"{prefix}/", base=base, method="POST")
    assert cookie(f"{prefix}/studies", base=base)[COOKIE]["path"] == f"{prefix}/"
