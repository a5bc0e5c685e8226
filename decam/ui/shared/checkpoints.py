"""Files of weights that visitors bring: kept in the data directory by their digest, so that runs can be resumed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import streamlit as st

from decam import paths
from decam.errors import ModelError
from decam.files import write_atomically
from decam.ui import state, text

TYPES = ("safetensors", "pt", "pth")
MEGABYTES = 200
LONGEST = 60  # characters of a name on the disk
TAKEN = "checkpoint-taken"
"""Where the session keeps which upload came last, and the path or the sentence that came of it."""


def folder() -> Path:
    """Where the files are: one folder for each content, named by its digest, in it the file under its own name."""
    return paths.directory() / "checkpoints"


def kept(name: str) -> bool:
    """Whether a model's name is the path of a file that a visitor brought here."""
    return Path(name).is_relative_to(folder())


def uploader(key: str) -> str | None:
    """Draw the uploader for one file of weights; the path of the file that has just come and is a model.

    For one that is not, the page says why.
    """
    file = st.file_uploader(
        "File of weights",
        type=TYPES,
        key=key,
        max_upload_size=MEGABYTES,
        help=(
            f"{', '.join('.' + kind for kind in TYPES)}, up to {MEGABYTES} MB: the tensors of a network that the list "
            "of models has, or of the bundled ones. It stays on this server, so that searches of it can be continued. "
            "Code in a file is not run."
        ),
    )
    before: tuple[str, str | None, str] = st.session_state.get(TAKEN, ("", None, ""))
    if file is None:
        st.session_state.pop(TAKEN, None)
        return None
    if before[0] == file.file_id:
        if before[2]:
            st.error(text.plain(before[2]))
        return None
    path, problem = None, ""
    try:
        with st.spinner("Reading the weights …"):
            path = str(keep(file.getvalue(), file.name))
    except ModelError as error:
        problem = str(error)
        st.error(text.plain(problem))
    st.session_state[TAKEN] = (file.file_id, path, problem)
    return path


def keep(content: bytes, name: str) -> Path:
    """Keep a file of weights and return its path; raises ModelError for one that is no model, which is not kept."""
    if len(content) > MEGABYTES * 2**20:
        raise ModelError(f"{name} is larger than {MEGABYTES} MB, the limit for a file of weights: use a smaller model.")
    suffix = Path(name).suffix.lower()
    if suffix.removeprefix(".") not in TYPES:
        raise ModelError(f"{name} is no file of weights: give one that ends in {', '.join('.' + t for t in TYPES)}.")
    place = folder() / hashlib.sha256(content).hexdigest()[:32]
    path = place / f"{_safe(Path(name).stem)}{suffix}"
    there = path.is_file()
    try:
        if not there:
            place.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
    except OSError as error:
        raise ModelError(f"{name} cannot be kept in {place.parent}: {error.strerror or error}.") from error
    try:
        state.models().get(str(path), state.device())
    except BaseException as error:  # whatever ends the loading: what was not found to be a model is not kept
        if not there:
            path.unlink(missing_ok=True)
            _drop(place)
        if isinstance(error, ModelError):
            raise ModelError(str(error).replace(str(path), name)) from error
        raise
    return path


def _safe(stem: str) -> str:
    """The part of a name that any file system takes."""
    return re.sub(r"[^\w-]+", "-", stem, flags=re.ASCII).strip("-")[:LONGEST] or "model"


def _drop(place: Path) -> None:
    """Remove a folder if nothing is left in it."""
    if not any(place.iterdir()):
        place.rmdir()
