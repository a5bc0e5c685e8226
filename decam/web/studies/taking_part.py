"""POST: coming in, answering and being deleted. Each waits for the database in a thread, not in the event loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from decam.errors import DecamError
from decam.web.studies import bodies, service, shell
from decam.web.studies.pages import picture

Body = dict[str, Any]


async def enter(request: Request) -> Response:
    """Let somebody in, or go on with what the same identity or code has begun."""

    def let_in(link: str, body: Body) -> Body:
        device = bodies.mapping(body, "device")
        # Kept only where the study asks for it.
        device["user_agent"] = request.headers.get("user-agent", "")
        parameters = bodies.mapping(body, "parameters")
        code, arrival = bodies.text(body, "code"), bodies.text(body, "arrival")
        visit = service.sessions().enter(link, parameters, device, code, arrival=arrival)
        return {**dataclasses.asdict(visit), "texts": shell.own_texts(visit.texts)}

    return await _answered(request, let_in)


async def answers(request: Request) -> Response:
    """Store the answers of one screen, which are on the disk before this is acknowledged."""

    def store(link: str, body: Body) -> Body:
        return dataclasses.asdict(service.sessions().answer(link, bodies.text(body, "code"), body))

    return await _answered(request, store)


async def delete(request: Request) -> Response:
    """Remove everything of somebody."""

    def remove(link: str, body: Body) -> Body:
        service.sessions().delete(link, bodies.text(body, "code"))
        return {"deleted": True}

    return await _answered(request, remove)


async def image(request: Request) -> Response:
    """A picture of a study, by its digest.

    Any of the study's own will do: somebody may be on the road of an earlier document of it.
    """
    link, digest = request.path_params["link"], request.path_params["digest"]
    try:
        return await anyio.to_thread.run_sync(lambda: picture(service.folder(link), digest))
    except DecamError as error:
        return bodies.refusal(*service.told(error))


async def _answered(request: Request, act: Callable[[str, Body], Body]) -> Response:
    """What `act` makes of a body, or the sentence in which it is refused."""
    try:
        body = await bodies.read(request)
        return bodies.answer(await anyio.to_thread.run_sync(act, request.path_params["link"], body))
    except bodies.BodyError as error:
        return bodies.refusal(error.status, str(error))
    except DecamError as error:
        return bodies.refusal(*service.told(error))
