"""Which pictures are compared: uploads, samples, and those of a run that was opened by its link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from decam.classifier import Classifier, Pixels, fit
from decam.errors import DecamError, ImageError
from decam.explanation import Truth
from decam.images import reading, samples
from decam.images.samples import SAMPLES, Sample
from decam.models import catalogue
from decam.snapshots import RunSnapshot
from decam.ui import state, thumbnails, words

# HEIC is not read: it is taken so that the sentence on what to do with it is shown.
TYPES = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif", "avif", "heic", "heif")
Kind = Literal["photograph", "scene"]


@dataclass(frozen=True)
class Chosen:
    """A picture of the comparison to come; `key` tells it from all others."""

    key: str
    name: str
    kind: Kind
    sample: Sample | None = None
    file: UploadedFile | None = None
    kept: Pixels | None = None
    truth: Truth | None = None

    def view(self, classifier: Classifier) -> Pixels:
        """The picture as the model sees it, H×W×3 uint8; raises ImageError where it cannot be read."""
        return _view(classifier.name, self.key, classifier, self)

    def size(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width of the whole picture, of which the model may see a part; raises ImageError as `view`."""
        if self.file is not None:
            image = reading.read(self.file.getvalue(), self.name).image
        elif self.sample is not None:
            image = self.sample.load()
        else:
            image = Image.fromarray(self.view(classifier) if self.kept is None else self.kept)
        return image.height, image.width


@st.cache_data(show_spinner=False, max_entries=256)
def _view(model: str, key: str, _classifier: Classifier, _chosen: Chosen) -> Pixels:
    del model, key  # they name the entry in the cache
    if _chosen.kept is not None:
        # It has been cropped for a model before: a second crop would lose its border.
        fitted = fit(Image.fromarray(_chosen.kept), _classifier.input_size)
        return thumbnails.pixels(fitted)
    if _chosen.sample is not None:
        return _classifier.view(_chosen.sample.load())
    if _chosen.file is None:
        raise ImageError(f"{_chosen.name} is no longer here; choose it again.")
    return _classifier.view(reading.read(_chosen.file.getvalue(), _chosen.name).image)


@st.cache_data(show_spinner=False, max_entries=256)
def _checked(key: str, _file: UploadedFile) -> tuple[str, tuple[str, ...]]:
    """What is wrong with an upload (empty: nothing), and what is special about it."""
    del key  # it names the entry in the cache
    try:
        return "", reading.read(_file.getvalue(), _file.name).notes
    except ImageError as error:
        return str(error), ()


def panel() -> list[Chosen]:
    """Draw the uploader and the strip of samples; the pictures chosen, at most 16, in a stable order."""
    files = st.file_uploader(
        "Pictures",
        type=TYPES,
        accept_multiple_files=True,
        key=_uploader_key(),
        max_upload_size=reading.MAX_BYTES // 2**20,
        help=(
            f"Up to {reading.MAX_PICTURES} pictures at once, PNG, JPEG, WebP, BMP or TIFF, "
            f"{reading.MAX_BYTES // 2**20} MB each; they stay on this server."
        ),
    )
    chosen = [*_kept(), *_uploads(files), *_samples()]
    thumbnails.strip("strip", SAMPLES, {sample.name for sample in _samples_chosen()}, toggle)
    if len(chosen) > reading.MAX_PICTURES:
        left_out = [picture.name for picture in chosen[reading.MAX_PICTURES :]]
        st.warning(words.plain(reading.too_many(left_out)))
    return chosen[: reading.MAX_PICTURES]


def toggle(name: str) -> None:
    """Add a sample to the comparison, or take it out."""
    names: list[str] = list(st.session_state.get("samples", ()))
    if name in names:
        names.remove(name)
    else:
        names.append(name)
    st.session_state["samples"] = names


def remove(key: str) -> None:
    """Take a picture out of the comparison: a sample, or one of the run that was opened."""
    kind, _, rest = key.partition(":")
    if kind == "sample":
        toggle(rest)
    elif kind == "kept":
        st.session_state["kept_removed"] = [*st.session_state.get("kept_removed", ()), key]


def removable(picture: Chosen) -> bool:
    """Whether `remove` does anything: the uploader has its own button for uploads."""
    return picture.file is None


def clear() -> None:
    """Choose nothing: no samples, no uploads, nothing of a run."""
    st.session_state["samples"] = []
    st.session_state["kept_removed"] = []
    st.session_state["kept_run"] = None
    st.session_state["uploader"] = st.session_state.get("uploader", 0) + 1


def keep(run: str) -> None:
    """Choose the pictures of a run, and nothing else."""
    clear()
    st.session_state["kept_run"] = run


def kept_key(run: str, index: int) -> str:
    """The key of a picture of a run."""
    return f"kept:{run}:{index}"


def _uploader_key() -> str:
    """A new key empties the uploader, which nothing else can do."""
    return f"uploads-{st.session_state.get('uploader', 0)}"


def _uploads(files: Sequence[UploadedFile]) -> list[Chosen]:
    found = []
    for file in files:
        problem, notes = _checked(file.file_id, file)
        if problem:
            st.error(words.plain(problem))
            continue
        for note in notes:
            st.info(words.plain(f"{file.name}: {note}"))
        found.append(Chosen(key=f"upload:{file.file_id}", name=file.name, kind="photograph", file=file))
    return found


def _samples_chosen() -> list[Sample]:
    return [samples.get(name) for name in st.session_state.get("samples", ())]


def _samples() -> list[Chosen]:
    return [
        Chosen(key=f"sample:{sample.name}", name=sample.title, kind=sample.kind, sample=sample)
        for sample in _samples_chosen()
    ]


def _kept() -> list[Chosen]:
    run = st.session_state.get("kept_run")
    if not run:
        return []
    try:
        snapshot = state.runs().snapshot(run)
    except DecamError:
        return []  # the page says what is wrong with the run itself
    removed = st.session_state.get("kept_removed", ())
    entry = catalogue.ENTRIES.get(snapshot.plan.model)
    kind: Kind = "scene" if entry is not None and entry.domain == "scenes" else "photograph"
    kept = [
        Chosen(key=kept_key(run, index), name=choice.name, kind=kind, kept=view, truth=_truth(snapshot, index))
        for index, (choice, view) in enumerate(zip(snapshot.plan.pictures, snapshot.views, strict=True))
    ]
    return [picture for picture in kept if picture.key not in removed]


def _truth(snapshot: RunSnapshot, picture: int) -> Truth | None:
    return snapshot.truths[picture] if snapshot.truths else None
