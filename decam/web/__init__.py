"""The HTTP routes beside the pages: what is live does not go through the framework that draws pages."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from decam.web import accounts, browsers, studies
from decam.web.live import watch
from decam.web.server import beside, lifespan

__all__ = ["beside", "lifespan", "middleware", "routes"]


def middleware(base: str, page: str) -> list[Middleware]:
    """What answers pass through, for an app below the path `base`; `page` is the one that asks for an account.

    Those who take part in studies get no cookie.
    """
    return [accounts.middleware(base, page), browsers.middleware(base, studies.FOLDER)]


def routes(base: str, first: str) -> list[Route]:
    """All routes, below the path `base` where the app is served under one; `first` names the first page."""
    prefix = "/" + base.strip("/") if base.strip("/") else ""
    return [
        Route(f"{prefix}/live/{{run}}", watch, methods=["GET"]),
        *studies.routes(prefix),
        Route(f"{prefix}/{first}", _to_first, methods=["GET"]),
    ]


async def _to_first(request: Request) -> RedirectResponse:
    """Lead from the first page's name to the app's own address, where Streamlit serves that page alone.

    The new address is relative, so it also holds behind a proxy that takes a part of the path away.
    """
    query = request.url.query
    return RedirectResponse(f"./?{query}" if query else "./")
