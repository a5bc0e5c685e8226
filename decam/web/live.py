"""GET /live/{run}: what changes in a run, as server-sent events or, for one look, as one JSON document.

Other work that a page awaits is followed in the same manner: each piece of it is a cell.
First everything, then what changed, looked for twice a second, mere progress more seldom: an event `cell` for each
cell, and an event `run`, whose id is the version that all of them belong to. A client that names a version it has (in
the header Last-Event-ID, or as ?since=) gets only what came after it. An event `beat` says that nothing has happened,
`end` that nothing will. With ?once=1 the answer is one document with the same objects. Whoever has the run's link may
watch it; nothing is listed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from decam.errors import DecamError, NoSuchRunError
from decam.export.live import PACE, Feed, Feeds, News, encoded, feeds
from decam.web.server import ending

BEAT_SECONDS = 15.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


async def watch(request: Request) -> Response:
    """Answer with a stream, a document, or a sentence on what was wrong."""
    watched = feeds()
    if watched is None:
        return _sentence(503, "No page of this server has opened its runs yet; open the dashboard, then try again.")
    try:
        run, since, drawn = request.path_params["run"], *_asked(request)
        feed = watched.of(run)
        news = await _news(feed, since, drawn)
    except ValueError as error:
        return _sentence(400, str(error))
    except DecamError as error:
        watched.forget(request.path_params["run"])
        return _sentence(404 if isinstance(error, NoSuchRunError) else 503, str(error))
    if request.query_params.get("once"):
        return Response(_document(news), media_type="application/json", headers=_HEADERS)
    return StreamingResponse(_events(watched, run, feed, since, news), media_type="text/event-stream", headers=_HEADERS)


def _asked(request: Request) -> tuple[int | None, bool]:
    """The version that a client has, None for none, and whether it is one that a page has drawn.

    A browser that connects again says what it has in the header, under the address that it began with. Raises
    ValueError for what is no version.
    """
    header, query = request.headers.get("last-event-id"), request.query_params
    version = header or query.get("since") or query.get("drawn")
    if version is not None and not (version.isascii() and version.isdecimal() and len(version) < 30):
        raise ValueError(f"{version[:40]!r} is no version of a run; give the id of an event, or nothing.")
    return (None if version is None else int(version)), not header and not query.get("since")


async def _news(feed: Feed, since: int | None, drawn: bool) -> News:
    """What is new; maps are encoded beside the event loop, so that other visitors do not wait for it."""
    return await anyio.to_thread.run_sync(feed.news, since, drawn)


async def _events(watched: Feeds, run: str, feed: Feed, since: int | None, first: News) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    news, spoken = first, time.monotonic()
    while True:
        if news.version != since:
            spoken, since = time.monotonic(), news.version
            cells = b"".join(_event("cell", cell) for cell in news.cells)
            yield cells + _event("run", news.run, news.version)
        elif time.monotonic() >= spoken + BEAT_SECONDS:
            spoken = time.monotonic()
            yield _event("beat", b"{}")  # a comment would do for proxies, but no page can hear one
        if news.ended:
            watched.forget(run)
            yield _event("end", encoded({"error": ""}))
            return
        await anyio.sleep(PACE)
        if ending():
            return
        watched.touch(run)
        if feed.is_new(since):
            try:
                news = await _news(feed, since, False)
            except DecamError as error:
                watched.forget(run)
                yield _event("end", encoded({"error": str(error)}))
                return


def _event(name: str, data: bytes, version: int | None = None) -> bytes:
    mark = b"" if version is None else b"id: %d\n" % version
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), mark, data)


def _document(news: News) -> bytes:
    ended = b"true" if news.ended else b"false"
    return b'{"cells":[%s],"run":%s,"ended":%s}' % (b",".join(news.cells), news.run, ended)


def _sentence(status: int, sentence: str) -> Response:
    return Response(encoded({"error": sentence}), status, _HEADERS, "application/json")
