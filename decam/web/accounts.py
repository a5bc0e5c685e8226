"""Whoever signs in or out with an account comes back to the page that asks for one."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Streamlit's own routes; where they lead back to the app, they lead to its first page.
RETURNS = {"/oauth2callback": "./{page}", "/auth/logout": "../{page}"}


def middleware(base: str, page: str) -> Middleware:
    """For an app served below the path `base`; `page` is the address of the page that asks for an account."""
    prefix = "/" + base.strip("/") if base.strip("/") else ""
    places = {f"{prefix}{path}": place.format(page=page) for path, place in RETURNS.items()}
    return Middleware(BackToPage, home=f"{prefix}/", places=places)


class BackToPage:
    """Replace a redirect to `home` by the one in `places`, under the path of the request.

    The new addresses are relative, so they also hold behind a proxy that takes a part of the path away. Redirects to
    anywhere else, such as to the provider of the accounts, stay.
    """

    def __init__(self, app: ASGIApp, home: str, places: dict[str, str]) -> None:
        self._app = app
        self._home = home
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request as ASGI asks for."""
        place = self._places.get(scope["path"]) if scope["type"] == "http" else None

        async def send_on(message: Message) -> None:
            if place is not None and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location") == self._home:
                    headers["location"] = place
            await send(message)

        await self._app(scope, receive, send_on)
