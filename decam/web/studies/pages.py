"""GET: the page of a study and its files, and the preview of one that is being made."""

from __future__ import annotations

import re
from pathlib import Path

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from decam.errors import DecamError
from decam.studies import previews
from decam.studies.road import wording_of
from decam.studies.wording import SHIPPED, Wording, shipped
from decam.web.studies import bodies, service, shell

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOR_GOOD = "max-age=31536000, immutable"


async def study(request: Request) -> Response:
    """The page on which people take part; a sentence in the visitor's language where the link leads nowhere."""
    try:
        record = await anyio.to_thread.run_sync(service.record, request.path_params["link"])
    except DecamError as error:
        wording = _wording_for(request)
        status, sentence, reason = service.told(error)
        return _html(shell.refusal(wording, wording(f"page.refused.{reason}") if reason else sentence), status)
    return _html(shell.page(wording_of(record.study)))


async def file(request: Request) -> Response:
    """A script or style sheet of the page; one of another version must not be kept."""
    found = shell.files().get(request.path_params["name"])
    if found is None:
        return bodies.refusal(404, "There is no such file.")
    current = request.path_params["version"] == shell.version()
    headers = {"Cache-Control": f"public, {_FOR_GOOD}" if current else "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(found.content, headers=headers, media_type=found.media_type)


async def preview(request: Request) -> Response:
    """The page that a researcher leafs through; without the preview itself it says so."""
    token = request.path_params["token"]
    found = previews.find(token)
    if found is None:
        wording = _wording_for(request)
        return _html(shell.refusal(wording, wording("page.preview.gone"), up="../"), 404, shell.PREVIEW_POLICY)
    theme = request.query_params.get("theme", "")
    return _html(shell.page(found.wording, up="../", preview=token, theme=theme), policy=shell.PREVIEW_POLICY)


async def preview_steps(request: Request) -> Response:
    """All screens of a preview, with the wording of the page."""
    found = previews.find(request.path_params["token"])
    if found is None:
        return bodies.refusal(404, "There is no such preview any more.")
    wording = found.wording
    return bodies.answer(
        {
            "steps": list(found.steps),
            "ends": found.ends,
            "texts": shell.own_texts(wording.texts),
            "language": wording.language,
            "direction": wording.direction,
        }
    )


async def preview_image(request: Request) -> Response:
    """A picture of a preview."""
    found = previews.find(request.path_params["token"])
    digest = request.path_params["digest"]
    return picture(found.folder if found and digest in found.images else None, digest)


def picture(folder: Path | None, digest: str) -> Response:
    """A PNG of a study's folder by its digest; None stands for a picture that the study does not have."""
    path = folder / f"{digest}.png" if folder is not None and _DIGEST.fullmatch(digest) else None
    if path is None or not path.is_file():
        return bodies.refusal(404, "There is no such image in this study.")
    headers = {"Cache-Control": f"private, {_FOR_GOOD}", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, headers=headers, media_type="image/png")


def _html(content: str, status: int = 200, policy: str = shell.POLICY) -> Response:
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",  # the address is the study's link
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(content, status, headers)


def _wording_for(request: Request) -> Wording:
    """The first language of the browser's that is shipped; English where none is."""
    accepted = request.headers.get("accept-language", "").lower().split(",")
    names = [part.partition(";")[0].strip()[:2] for part in accepted]
    return shipped(next((name for name in names if name in SHIPPED), "en"))
