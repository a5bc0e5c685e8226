"""Which model is asked: chosen from the catalogue, fetched where it is missing, loaded on a device."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import ENGINES, Classifier, TorchClassifier
from decam.errors import ModelError
from decam.hardware.device import describe, devices
from decam.models import catalogue, default_for
from decam.models.catalogue import ENTRIES, Entry
from decam.ui import state, text
from decam.ui.shared.pictures import Chosen

POLL = 0.5
_MARK = " · "


def panel(pictures: Sequence[Chosen]) -> Entry:
    """Draw the choice of a model, which follows the first picture until the visitor chooses, and return the entry."""
    _follow(pictures)
    name = st.selectbox(
        "Model",
        options=list(ENTRIES),
        format_func=_line,
        key="model",
        on_change=_by_visitor,
        persist_state="session",
        help="What is explained: models trained on scenes know ten drawn shapes, the others ImageNet's 1,000 classes.",
    )
    entry = catalogue.get(name)
    st.caption(_facts(entry))
    if entry.url and not entry.present():
        _missing(entry)
    return entry


def load(entry: Entry) -> TorchClassifier | None:
    """Return the loaded model; where it cannot be loaded, say why and return None."""
    if entry.url and not entry.present():
        st.info(
            f"{entry.title} is not on this machine yet: download it in the sidebar, or choose a model that is here."
        )
        return None
    try:
        with st.spinner(f"Loading {entry.title} …", show_time=True):
            return state.models().get(entry.name, state.device())
    except ModelError as error:
        st.error(text.plain(str(error)))
        return None


def device_panel(classifier: Classifier | None) -> None:
    """Draw the choice of a device, and how the model is asked on it."""
    here = devices()
    if st.session_state.get("device") not in here:
        st.session_state["device"] = state.device()
    st.selectbox(
        "Device",
        options=here,
        format_func=describe,
        key="device",
        persist_state="session",
        help="Where the model computes; the fastest one of this machine unless you choose another.",
    )
    if classifier is not None:
        execution = classifier.execution
        layout = "channels last" if execution.channels_last else "channels first"
        side = f", {execution.parallel_batches} side by side" if execution.parallel_batches > 1 else ""
        manner = ENGINES[execution.engine].manner
        side += f", {manner}" if manner else ""
        batches = f"batches of {execution.batch_size}{side}"
        st.caption(f"{execution.precision}, {layout}, {batches}. {text.plain(execution.note)}".strip())


def limits(entry: Entry, pictures: Sequence[Chosen]) -> None:
    """Say what a reader must know where the model was not made for the pictures."""
    if entry.domain == "scenes" and any(picture.kind == "photograph" for picture in pictures):
        st.info(
            f"The model {entry.title} knows ten drawn shapes (disc, square, triangle, star, ring, cross, crescent, "
            "heart, hexagon, arrow) and nothing else: what it says about a photograph means little. "
            "Choose an ImageNet model for photographs."
        )
    if entry.domain == "photographs" and any(picture.kind == "scene" for picture in pictures):
        st.info(f"{entry.title} knows photographs; the drawn scenes are unlike anything it was trained on.")


def restore(model: str, device: str) -> None:
    """Choose this model and this device, where both are on offer here."""
    if model in ENTRIES:
        chosen_by_visitor(model)
    if device in devices():
        st.session_state["device"] = device


def chosen_by_visitor(name: str) -> None:
    """Choose this model, whatever the pictures are."""
    st.session_state["model"] = name
    _by_visitor()


def _follow(pictures: Sequence[Chosen]) -> None:
    following = pictures and not st.session_state.get("model_by_visitor")
    # Said anew every time, for the browser knows a choice by its line, which changes when the weights have come.
    st.session_state["model"] = default_for(pictures[0].kind) if following else _name(st.session_state.get("model"))


def _name(chosen: str | None) -> str:
    """The model chosen, which a browser may still call by a line that has changed since."""
    lines = {entry.title: name for name, entry in ENTRIES.items()}
    return chosen if chosen in ENTRIES else lines.get((chosen or "").partition(_MARK)[0], default_for("scene"))


def _by_visitor() -> None:
    st.session_state["model_by_visitor"] = True


def _line(name: str) -> str:
    entry = catalogue.get(name)
    return f"{entry.title}{_MARK}{'here' if entry.present() else text.megabytes(entry.size)}"


def _facts(entry: Entry) -> str:
    facts = [f"{text.millions(entry.parameters)} parameters"]
    if entry.domain == "scenes":
        facts.append("trained on scenes")
    if entry.top1 is not None:
        facts.append(f"top-1 {entry.top1:.1f}\N{NO-BREAK SPACE}%")
    if not entry.present():
        facts.append(f"{text.megabytes(entry.size)} to download")
    if entry.reference:
        facts.append(f"[about]({entry.reference})")
    return " · ".join(facts)


def _missing(entry: Entry) -> None:
    coming = state.downloads().progress(entry.name) is not None
    st.fragment(_download, run_every=POLL if coming else None)(entry.name, coming)


def _download(name: str, coming: bool) -> None:
    """The button that fetches the weights, the bar while they come, the sentence when they did not."""
    entry, downloads = catalogue.get(name), state.downloads()
    progress = downloads.progress(name)
    if coming and progress is None:
        st.rerun()
    if progress is not None:
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        st.progress(share, f"{text.megabytes(progress.done)} of {text.megabytes(progress.total)}")
        st.button("Stop download", on_click=downloads.stop, args=(name,), width="stretch", key="stop-download")
        return
    if st.button(
        f"Download {text.megabytes(entry.size)}",
        icon=":material/download:",
        width="stretch",
        key="download",
        help=f"Fetch the weights once from {entry.url}.",
    ):
        downloads.start(entry)
        st.rerun()
    if problem := downloads.error(name):
        st.error(text.plain(problem))
