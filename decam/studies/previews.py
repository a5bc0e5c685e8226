"""Previews of studies that are being made: what a researcher's page shows of them, held in memory under a token."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from decam.lru import Lru
from decam.studies.elements import Json
from decam.studies.steps import Step
from decam.studies.wording import Wording

_MOST = 64
_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True)
class Preview:
    """What a preview shows: screens as their participants get them, the wording, and the folder of their pictures.

    `ends` says that the study ends with the last screen. `images` are the digests of all pictures of these screens; no
    other file of the folder is shown.
    """

    steps: tuple[dict[str, Json], ...]
    images: frozenset[str]
    wording: Wording
    folder: Path
    ends: bool


_previews: Lru[str, Preview] = Lru(_MOST)


def offer(steps: Iterable[Step], wording: Wording, folder: Path, *, ends: bool = True) -> str:
    """Hold a preview; the token under which it is found, the same for the same preview and not to be guessed.

    A page that draws itself again for another reason thus keeps the preview as it is. The sixty-four that were looked
    at last are held.
    """
    kept = tuple(steps)
    images = frozenset(picture.image for step in kept for picture in step.pictures)
    preview = Preview(tuple(step.visible() for step in kept), images, wording, folder, ends)
    content = json.dumps([preview.steps, wording.language, wording.direction, dict(wording.texts), str(folder), ends])
    token = hmac.new(_SECRET, content.encode(), hashlib.sha256).hexdigest()[:32]
    _previews.put(token, preview)
    return token


def find(token: str) -> Preview | None:
    """The preview of a token; None where there is none, or none any more."""
    return _previews.get(token)
