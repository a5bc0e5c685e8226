"""What a participant's page sends, read with care: JSON objects of at most 64 KiB; and what it is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

LARGEST = 64 * 1024
_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class BodyError(Exception):
    """A body that cannot be used: the HTTP status, and a sentence on what was wrong."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def read(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises BodyError for anything else, and before more than 64 KiB are read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BodyError(415, "The content type must be application/json.")
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()):
        raise BodyError(400, "The length of the body must be a whole number.")
    if len(declared) > 12 or int(declared) > LARGEST:
        raise _too_large()
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise _too_large()
    except ClientDisconnect as error:
        raise BodyError(400, "The connection ended before the body did.") from error
    return _object(bytes(body))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_refuse)
        # Half of a character can be written as JSON, but neither sent nor stored.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BodyError(400, "The body must be JSON in UTF-8.") from error
    if not isinstance(found, dict):
        raise BodyError(400, "The body must be a JSON object.")
    return found


def text(body: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A text of a body, empty where it is missing; raises BodyError for another type, or one that is too long."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise BodyError(422, f"{name!r} must be a text of at most {most} characters.")
    return value


def mapping(body: Mapping[str, Any], name: str, most: int = 50) -> dict[str, Any]:
    """An object of a body, empty where it is missing; raises BodyError for another type, or too many entries."""
    value = body.get(name, {})
    if not isinstance(value, dict) or len(value) > most:
        raise BodyError(422, f"{name!r} must be an object of at most {most} entries.")
    return value


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON document that nobody keeps."""
    content = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Response(content, status, _NOT_KEPT, "application/json")


def refusal(status: int, sentence: str, reason: str = "") -> Response:
    """A refusal in a sentence; `reason` names the text with which the page says it in the participant's language."""
    return answer({"error": sentence, "reason": reason}, status)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON.")


def _too_large() -> BodyError:
    return BodyError(413, f"The body is larger than {LARGEST // 1024} KiB.")
