"""A browser that comes back is known again: by a cookie that nobody can guess and no address shows."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "decam_browser"
_SECONDS = 400 * 24 * 3600  # the longest that browsers allow; each visit begins it anew
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 random bytes


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """The owner that a browser with these cookies is; None where it has no cookie of ours.

    The name is a digest: who reads it in the database cannot pass for that browser.
    """
    token = cookies.get(COOKIE, "")
    return hashlib.sha256(f"owner {token}".encode()).hexdigest()[:32] if _TOKEN.fullmatch(token) else None


def middleware(base: str, without: str) -> Middleware:
    """For an app served below the path `base`; pages below `without`, a part of the path, get no cookie."""
    prefix = "/" + base.strip("/") if base.strip("/") else ""
    return Middleware(KnownAgain, path=f"{prefix}/", without=f"{prefix}/{without}/")


class KnownAgain:
    """Give each browser that opens a page a cookie, for pages below `path` but not below `without`.

    Scripts cannot read it, and other sites cannot make a browser send it along.
    """

    def __init__(self, app: ASGIApp, path: str, without: str) -> None:
        self._app = app
        self._path = path
        self._without = without

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request as ASGI asks for."""
        cookie = self._cookie(scope) if scope["type"] == "http" else None

        async def send_on(message: Message) -> None:
            if cookie is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_on)

    def _cookie(self, scope: Scope) -> str | None:
        """The cookie that belongs into the answer to a request; None where that is no page."""
        headers = Headers(scope=scope)
        is_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        if not is_page or scope["path"].startswith(self._without):
            return None
        sent = _sent(headers.get("cookie", ""))
        token = sent if _TOKEN.fullmatch(sent) else secrets.token_urlsafe(32)
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{COOKIE}={token}; Path={self._path}; Max-Age={_SECONDS}; HttpOnly; SameSite=Lax{secure}"


def _sent(header: str) -> str:
    """The value that a browser sent; empty where it sent none.

    Other servers of this host may have set anything: http.cookies gives up at the first pair that it cannot read.
    """
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")
