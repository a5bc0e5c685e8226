"""Which pictures are compared: uploads, samples, and those of a run that was opened by its link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from PIL import Image

from decam.classifier import Classifier, Pixels, fit
from decam.errors import DecamError, ImageError
from decam.explanation import Truth
from decam.images import reading, samples
from decam.images.samples import SAMPLES, Sample
from decam.models import catalogue
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import thumbnails, uploads
from decam.ui.shared.uploads import Upload

Kind = Literal["photograph", "scene"]


@dataclass(frozen=True)
class Chosen:
    """A picture of the comparison to come; `key` tells it from all others."""

    key: str
    name: str
    kind: Kind
    sample: Sample | None = None
    upload: Upload | None = None
    kept: Pixels | None = None
    truth: Truth | None = None

    def view(self, classifier: Classifier) -> Pixels:
        """The picture as the model sees it, H×W×3 uint8; raises ImageError where it cannot be read."""
        return _view(classifier.name, self.key, classifier, self)

    def size(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width of the whole picture, of which the model may see a part; raises ImageError as `view`."""
        if self.upload is not None:
            image = reading.read(self.upload.content, self.name).image
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
    if _chosen.upload is None:
        raise ImageError(f"{_chosen.name} is no longer here; choose it again.")
    return _classifier.view(reading.read(_chosen.upload.content, _chosen.name).image)


def panel() -> list[Chosen]:
    """Draw uploader, uploads and samples, and return the pictures chosen, at most 16, in a stable order."""
    uploads.panel()
    chosen = [*_kept(), *(own for own in uploaded() if own.upload is not None and own.upload.chosen), *_samples()]
    thumbnails.strip("strip", SAMPLES, {sample.name for sample in _samples_chosen()}, toggle)
    if len(chosen) > reading.MAX_PICTURES:
        left_out = [picture.name for picture in chosen[reading.MAX_PICTURES :]]
        st.warning(text.plain(reading.too_many(left_out)))
    return chosen[: reading.MAX_PICTURES]


def uploaded() -> list[Chosen]:
    """All uploads of this session, those set aside too."""
    return [Chosen(key=upload.key, name=upload.name, kind="photograph", upload=upload) for upload in uploads.kept()]


def lines(chosen: Iterable[Chosen]) -> dict[str, str]:
    """Pictures by key, each with a name that no other has: a list tells its lines apart by their text alone."""
    found: dict[str, str] = {}
    for picture in chosen:
        name, number = text.visible(picture.name), 1
        while (line := name if number == 1 else f"{name} ({number})") in found.values():
            number += 1
        found[picture.key] = line
    return found


def of_sample(sample: Sample) -> Chosen:
    """A sample as a picture of a comparison."""
    return Chosen(key=f"sample:{sample.name}", name=sample.title, kind=sample.kind, sample=sample)


def toggle(name: str) -> None:
    """Add a sample to the comparison, or take it out."""
    names: list[str] = list(st.session_state.get("samples", ()))
    if name in names:
        names.remove(name)
    else:
        names.append(name)
    st.session_state["samples"] = names


def remove(key: str) -> None:
    """Take a picture out: a sample, one of the run that was opened, or an upload, which is forgotten."""
    kind, _, rest = key.partition(":")
    if kind == "sample":
        toggle(rest)
    elif kind == "upload":
        uploads.remove(key)
    elif kind == "kept":
        st.session_state["kept_removed"] = [*st.session_state.get("kept_removed", ()), key]


def clear() -> None:
    """Choose nothing, and forget the uploads."""
    set_aside()
    uploads.clear()


def set_aside() -> None:
    """Choose nothing: no samples, nothing of a run, and no uploads, which stay at hand."""
    st.session_state["samples"] = []
    st.session_state["kept_removed"] = []
    st.session_state["kept_run"] = None
    uploads.choose()


def only(picture: Chosen) -> None:
    """Choose this sample or upload, and nothing else."""
    set_aside()
    if picture.sample is not None:
        toggle(picture.sample.name)
    elif picture.upload is not None:
        uploads.choose([picture.upload.key])


def keep(run: str) -> None:
    """Choose the pictures of a run, and nothing else."""
    set_aside()
    st.session_state["kept_run"] = run


def kept_key(run: str, index: int) -> str:
    """The key of a picture of a run."""
    return f"kept:{run}:{index}"


def _samples_chosen() -> list[Sample]:
    return [samples.get(name) for name in st.session_state.get("samples", ())]


def _samples() -> list[Chosen]:
    return [of_sample(sample) for sample in _samples_chosen()]


def _kept() -> list[Chosen]:
    run = st.session_state.get("kept_run")
    if not run:
        return []
    try:
        snapshot = state.runs().snapshot(run)
    except DecamError:
        return []  # the page says what is wrong with the run itself
    removed = st.session_state.get("kept_removed", ())
    entry = catalogue.find(snapshot.plan.model)
    kind: Kind = "scene" if entry is not None and entry.domain == "scenes" else "photograph"
    run_pictures = [
        Chosen(key=kept_key(run, index), name=choice.name, kind=kind, kept=view, truth=_truth(snapshot, index))
        for index, (choice, view) in enumerate(zip(snapshot.plan.pictures, snapshot.views, strict=True))
    ]
    return [picture for picture in run_pictures if picture.key not in removed]


def _truth(snapshot: RunSnapshot, picture: int) -> Truth | None:
    return snapshot.truths[picture] if snapshot.truths else None
