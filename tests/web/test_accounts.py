"""Whoever comes back from a provider of accounts comes to the page that asked for one, and nobody else is led there."""

from __future__ import annotations

from urllib.parse import urljoin

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from decam import web

FAR = "https://accounts.example.org/authorize?client_id=x"


def location(path: str, base: str, place: str | None) -> str | None:
    """Where an app below `base` sends a browser that asks for `path`, if it answers with `place` there."""

    async def answer(_: Request) -> Response:
        return Response("ok") if place is None else RedirectResponse(place, status_code=302)

    app = Starlette(routes=[Route(path, answer)], middleware=web.middleware(base, "studies"))
    started: list[str | None] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            headers = {bytes(name): bytes(value) for name, value in message["headers"]}  # type: ignore[attr-defined]
            found = headers.get(b"location")
            started.append(None if found is None else found.decode())

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
    anyio.run(app, scope, receive, send)
    (sent,) = started
    return sent if sent is None else urljoin(f"http://127.0.0.1{path}", sent)


@pytest.mark.parametrize("base", ["", "class/decam", "/class/decam/"])
@pytest.mark.parametrize("route", ["/oauth2callback", "/auth/logout"])
def test_a_way_back_to_the_app_leads_to_the_page_that_asks_for_an_account(base: str, route: str) -> None:
    prefix = f"/{base.strip('/')}" if base else ""
    assert location(f"{prefix}{route}", base, f"{prefix}/") == f"http://127.0.0.1{prefix}/studies"


@pytest.mark.parametrize(("path", "place"), [("/auth/logout", FAR), ("/auth/login", FAR), ("/oauth2callback", None)])
def test_a_way_to_the_provider_stays_and_so_does_an_answer_that_leads_nowhere(path: str, place: str | None) -> None:
    assert location(path, "", place) == place


@pytest.mark.parametrize("path", ["/", "/auth/login", "/compare", "/other/oauth2callback"])
def test_other_redirects_to_the_app_stay(path: str) -> None:
    assert location(path, "", "/") == "http://127.0.0.1/"
