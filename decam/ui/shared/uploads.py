"""The pictures a visitor has uploaded: they belong to the session, and every page has them until they are removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from decam.errors import ImageError
from decam.images import reading
from decam.ui import text
from decam.ui.shared import thumbnails

# HEIC is not read: it is taken so that the sentence on what to do with it is shown.
TYPES = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif", "avif", "heic", "heif")
MOST = reading.MAX_PICTURES
MEGABYTES = reading.MAX_BYTES // 2**20
LONGEST = 24  # characters of a name in the list
KEPT, SEEN, NEWS, WIDGET = "uploads", "uploads-seen", "uploads-news", "uploader"


@dataclass(frozen=True)
class Upload:
    """A file that is a picture; its key is a digest of its content. `chosen`: it is part of the comparison."""

    key: str
    name: str
    content: bytes
    chosen: bool = True


@dataclass(frozen=True)
class News:
    """A sentence on the files that came last."""

    kind: Literal["error", "warning", "info"]
    sentence: str


def kept() -> tuple[Upload, ...]:
    """All uploads of this session, in the order in which they came."""
    uploads: tuple[Upload, ...] = st.session_state.get(KEPT, ())
    return uploads


def content_key(content: bytes) -> str:
    """What a picture is called in the session, whatever its file is called and wherever it stands."""
    return f"upload:{hashlib.sha256(content).hexdigest()[:32]}"


def panel() -> None:
    """Draw the uploader, what was wrong or special with the files that came last, and the list of uploads."""
    files = st.file_uploader(
        "Images",
        type=TYPES,
        accept_multiple_files=True,
        key=_widget_key(),
        max_upload_size=MEGABYTES,
        help=(
            f"Up to {MOST} images at once, {MEGABYTES} MB each: {reading.KINDS}. "
            "A HEIC photo must be exported as JPEG first. "
            "Uploaded images stay on this server, and on every page until you remove them."
        ),
    )
    _take(files)
    for news in st.session_state.get(NEWS, ()):
        getattr(st, news.kind)(text.plain(news.sentence))
    _list()


def thumbnail(upload: Upload) -> str:
    """An upload as a small square, in a data address."""
    return _thumbnail(upload.key, upload)


def toggle(key: str) -> None:
    """Add an upload to the comparison, or set it aside."""
    _keep(replace(upload, chosen=upload.chosen != (upload.key == key)) for upload in kept())


def choose(keys: Sequence[str] = ()) -> None:
    """Make these uploads part of the comparison, and set all others aside."""
    _keep(replace(upload, chosen=upload.key in keys) for upload in kept())


def remove(key: str) -> None:
    """Forget an upload, with the classes and ground truths that were chosen for it."""
    _keep(upload for upload in kept() if upload.key != key)
    for name in list(st.session_state):
        if isinstance(name, str) and name.startswith(("target:", "against:", "truth:")) and name.endswith(f":{key}"):
            del st.session_state[name]
    _empty_widget()


def clear() -> None:
    """Forget all uploads."""
    for upload in kept():
        remove(upload.key)
    quiet()


def quiet() -> None:
    """Say no more about the files that came last."""
    st.session_state.pop(NEWS, None)


def _keep(uploads: Iterable[Upload]) -> None:
    st.session_state[KEPT] = tuple(uploads)


def _widget_key() -> str:
    return f"uploads-{st.session_state.get(WIDGET, 0)}"


def _empty_widget() -> None:
    """Let go of the files that the uploader itself still holds; a new key is the only way."""
    st.session_state[WIDGET] = st.session_state.get(WIDGET, 0) + 1


def _take(files: Sequence[UploadedFile]) -> None:
    """Take what has come since the last time into the session; each refused file has its sentence."""
    seen = st.session_state.get(SEEN, frozenset())
    coming = [file for file in files if file.file_id not in seen]
    st.session_state[SEEN] = frozenset(file.file_id for file in files)
    if not coming:
        return
    news: list[News] = []
    left_out: list[str] = []
    for file in coming:
        if len(kept()) < MOST or _there(file.getvalue()) is not None:
            news += _taken(file.name, file.getvalue())
        else:
            left_out.append(file.name)
    if left_out:
        news.append(News("warning", f"{reading.too_many(left_out)} Remove others first."))
    st.session_state[NEWS] = tuple(news)
    if len(files) > MOST:
        _empty_widget()


def _taken(name: str, content: bytes) -> list[News]:
    """Keep one file, and return the news about it."""
    there = _there(content)
    if there is not None:
        _keep(replace(upload, chosen=upload.chosen or upload == there) for upload in kept())
        same = "" if there.name == name else f", as {there.name}"
        return [News("info", f"{name} is here already{same}.")]
    try:
        notes = reading.read(content, name).notes
    except ImageError as error:
        return [News("error", str(error))]
    _keep((*kept(), Upload(content_key(content), name, content)))
    return [News("info", f"{name}: {note}") for note in notes]


def _there(content: bytes) -> Upload | None:
    return next((upload for upload in kept() if upload.key == content_key(content)), None)


def _list() -> None:
    """Draw the uploads: a click sets one aside or takes it back, the button beside it removes it."""
    uploads = kept()
    if not uploads:
        return
    rules = [thumbnails.background(f"own-{upload.key}", thumbnail(upload)) for upload in uploads]
    st.html(f"<style>{''.join(rules)}</style>")
    with st.container(key="uploads", gap="xsmall"):
        for upload in uploads:
            name = text.plain(upload.name)
            with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
                st.button(
                    text.plain(text.shortened(upload.name, LONGEST)),
                    key=f"own-{upload.key}",
                    type="secondary" if upload.chosen else "tertiary",
                    width="stretch",
                    help=f"{name}: click to {'leave it out' if upload.chosen else 'use it'}.",
                    on_click=toggle,
                    args=(upload.key,),
                )
                st.button(
                    f"Remove {name}",
                    key=f"remove-own-{upload.key}",
                    icon=":material/close:",
                    type="tertiary",
                    help=f"Remove {name} from every page.",
                    on_click=remove,
                    args=(upload.key,),
                )


@st.cache_data(show_spinner=False, max_entries=256)
def _thumbnail(key: str, _upload: Upload) -> str:
    del key  # it names the entry in the cache
    return thumbnails.uri(reading.read(_upload.content, _upload.name).image, thumbnails.SIDE)
