"""Which pictures are compared: uploads, samples, and those of a run that was opened by its link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from PIL import Image

from decam.classifier import Classifier, Pixels, fit
from decam.errors import DecamError, ImageError
from decam.explanation import Truth
from decam.images import framing, ground_truth, reading, samples
from decam.images.framing import CROP, FIT, FRAMINGS, Framing
from decam.images.samples import SAMPLES, Sample
from decam.images.seen_part import Part, seen_part
from decam.models import catalogue
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import thumbnails, uploads
from decam.ui.shared.uploads import Upload

Kind = Literal["photograph", "scene"]
FRAMING, FRAMING_KEY = "framing", "framing-choice"
FRAMING_TITLES: dict[Framing, str] = {CROP: "Crop", FIT: "Fit"}


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
    framing: Framing = CROP

    @property
    def seen_key(self) -> str:
        """What tells what a model sees of this picture from what it sees of others, or of this one framed otherwise."""
        return f"{self.key}:{self.framing}"

    def view(self, classifier: Classifier) -> Pixels:
        """The picture as the model sees it, H×W×3 uint8; raises ImageError where it cannot be read."""
        return _view(classifier.name, self.seen_key, classifier, self)

    def mask(self, whole: Truth, classifier: Classifier) -> Truth:
        """A mask of the whole picture as the classifier sees the picture; raises ImageError where nothing is left."""
        if self.kept is not None:
            return ground_truth.fitted(whole, lambda image: _refitted(image, classifier))
        return framing.mask_of(classifier, whole, self.framing)

    def part(self, classifier: Classifier) -> Part:
        """The part of the whole picture that the model sees; raises ImageError as `whole`."""
        return _part(classifier.name, self.seen_key, classifier, self)

    def size(self) -> tuple[int, int]:
        """Height and width of the whole picture, of which the model may see a part; raises ImageError as `whole`."""
        image = self.whole()
        return image.height, image.width

    def whole(self) -> Image.Image:
        """The picture as it was given, or as a run has kept it; raises ImageError where it cannot be read."""
        if self.kept is not None:
            return Image.fromarray(self.kept)
        if self.sample is not None:
            return self.sample.load()
        if self.upload is None:
            raise ImageError(f"{self.name} is no longer here; choose it again.")
        return reading.read(self.upload.content, self.name).image


@st.cache_data(show_spinner=False, max_entries=256)
def _view(model: str, key: str, _classifier: Classifier, _chosen: Chosen) -> Pixels:
    del model, key  # they name the entry in the cache
    if _chosen.kept is not None:
        return _refitted(_chosen.whole(), _classifier)
    return framing.framed(_classifier, _chosen.whole(), _chosen.framing)


@st.cache_data(show_spinner=False, max_entries=256)
def _part(model: str, key: str, _classifier: Classifier, _chosen: Chosen) -> Part:
    del model, key  # they name the entry in the cache
    if _chosen.kept is not None:
        return seen_part(lambda image: _refitted(image, _classifier), _chosen.size())
    return framing.part_of(_classifier, _chosen.size(), _chosen.framing)


def _refitted(image: Image.Image, classifier: Classifier) -> Pixels:
    """What a run kept has been framed for a model before: a second crop would lose its border."""
    return thumbnails.pixels(fit(image, classifier.input_size))


def panel() -> list[Chosen]:
    """Draw uploader, uploads and samples, and return the pictures chosen, at most 16, in a stable order."""
    uploads.panel()
    framing_choice(FRAMING_KEY)
    chosen = [*_kept(), *(own for own in uploaded() if own.upload is not None and own.upload.chosen), *_samples()]
    marked = {*(sample.name for sample in _samples_chosen()), *_kept_samples()}
    thumbnails.strip("strip", SAMPLES, marked, toggle)
    if len(chosen) > reading.MAX_PICTURES:
        left_out = [picture.name for picture in chosen[reading.MAX_PICTURES :]]
        st.warning(text.plain(reading.too_many(left_out)))
    return chosen[: reading.MAX_PICTURES]


def framing_choice(key: str) -> None:
    """Draw the choice of how pictures are framed, which holds for the session, on whatever page it is made."""
    st.session_state[key] = chosen_framing()
    st.segmented_control(
        "Framing",
        FRAMINGS,
        format_func=FRAMING_TITLES.__getitem__,
        key=key,
        required=True,
        on_change=_choose_framing,
        args=(key,),
        help="Crop cuts the edges off, as the model was trained. Fit shows it all of the image, beside bars of its "
        "mean colour. Images of a run that was opened stay as that run has them.",
    )


def _choose_framing(key: str) -> None:
    st.session_state[FRAMING] = st.session_state[key]


def chosen_framing() -> Framing:
    """How samples and uploads are framed in this session."""
    return framing.checked(st.session_state.get(FRAMING, CROP))


def restore_framing(given: Framing) -> None:
    """Frame samples and uploads in this way from now on."""
    st.session_state[FRAMING] = given


def uploaded() -> list[Chosen]:
    """All uploads of this session, those set aside too."""
    chosen = chosen_framing()
    return [
        Chosen(key=upload.key, name=upload.name, kind="photograph", upload=upload, framing=chosen)
        for upload in uploads.kept()
    ]


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
    return Chosen(
        key=f"sample:{sample.name}", name=sample.title, kind=sample.kind, sample=sample, framing=chosen_framing()
    )


def toggle(name: str) -> None:
    """Add a sample to the comparison, or take it out, as one of the run that was opened too."""
    if kept := _kept_samples().get(name):
        remove(kept)
        return
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


def _kept_samples() -> dict[str, str]:
    """The samples among the pictures of the run that was opened: their names, and the keys of the pictures."""
    named = {sample.title: sample.name for sample in SAMPLES}
    return {named[picture.name]: picture.key for picture in _kept() if picture.name in named}


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
        Chosen(
            key=kept_key(run, index),
            name=choice.name,
            kind=kind,
            kept=view,
            truth=_truth(snapshot, index),
            framing=choice.framing,
        )
        for index, (choice, view) in enumerate(zip(snapshot.plan.pictures, snapshot.views, strict=True))
    ]
    return [picture for picture in run_pictures if picture.key not in removed]


def _truth(snapshot: RunSnapshot, picture: int) -> Truth | None:
    return snapshot.truths[picture] if snapshot.truths else None


def one(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Draw the choice of one picture where there are several, and return a list of it, empty without pictures."""
    if len(chosen) < 2:
        return list(chosen)
    names = lines(chosen)
    if st.session_state.get("searched") not in names:
        st.session_state["searched"] = next(iter(names))
    wanted = st.selectbox(
        "Image asked about",
        list(names),
        format_func=lambda key: names.get(key, key),
        key="searched",
        persist_state="session",
        help="Choose one of the images. This page asks about one at a time.",
    )
    return [item for item in chosen if item.key == wanted]
