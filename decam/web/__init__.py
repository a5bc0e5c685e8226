"""The HTTP routes beside the pages: what is live does not go through the framework that draws pages."""

from __future__ import annotations

from starlette.routing import Route

from decam.web.live import watch
from decam.web.server import lifespan

__all__ = ["lifespan", "routes"]


def routes(base: str = "") -> list[Route]:
    """All routes, below the path `base` where the app is served under one."""
    prefix = "/" + base.strip("/") if base.strip("/") else ""
    return [Route(f"{prefix}/live/{{run}}", watch, methods=["GET"])]
