"""Which model is asked: chosen from the catalogue, fetched where it is missing, loaded on a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from decam.classifier import ENGINES, TorchClassifier
from decam.errors import ModelError
from decam.hardware.device import describe, devices
from decam.models import catalogue, default_for, smallest_for_photographs
from decam.models.catalogue import ENTRIES, Entry
from decam.ui import state, text
from decam.ui.shared.pictures import Chosen

POLL = 0.5
_MARK = " ("
AWAITED = "model-awaited"
"""Where the session keeps which model is to be asked as soon as its weights are here."""


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
        help="The model to explain. Shape models know ten drawn shapes; ImageNet models know 1,000 everyday classes.",
    )
    entry = catalogue.get(name)
    st.caption(_facts(entry))
    if entry.url and not entry.present():
        _missing(entry)
    return entry


def load(entry: Entry, *, asked: bool = True) -> TorchClassifier | None:
    """Return the loaded model; where it cannot be loaded, say why and return None.

    Unless it is `asked` anything on this drawing of the page, nothing waits for the trial of the fastest way.
    """
    if entry.url and not entry.present():
        st.info(
            f"{entry.title} is not on this machine yet: download it in the sidebar, or choose a model that is here."
        )
        return None
    try:
        with st.spinner(f"Loading {entry.title} …", show_time=True):
            models, device = state.models(), state.device()
            return models.get(entry.name, device) if asked else models.described(entry.name, device)
    except ModelError as error:
        st.error(text.plain(str(error)))
        return None


def device_panel(classifier: TorchClassifier | None) -> None:
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
        help="Where the model computes. Automatic takes the fastest device of this machine.",
    )
    if classifier is not None and not state.models().ready(classifier):
        st.caption(
            "A trial finds the fastest way to compute.",
            help="The trial takes a few seconds, once for each model on this machine. What it found is shown here.",
        )
    elif classifier is not None:
        execution = classifier.execution
        manner = ENGINES[execution.engine].manner
        facts = [execution.precision, *([manner] if manner else [])]
        details = [f"Batches of {execution.batch_size}.", f"Channels {'last' if execution.channels_last else 'first'}."]
        if execution.parallel_batches > 1:
            details.append(f"{execution.parallel_batches} batches side by side.")
        st.caption(f"Computes in {' '.join(facts)}.", help=" ".join([*details, text.plain(execution.note)]).strip())


def limits(entry: Entry, pictures: Sequence[Chosen], choose: Callable[[str], None] | None = None) -> None:
    """Say what a reader must know where the model was not made for the pictures, and offer one that was.

    `choose` makes a model the one of this page; without it, of all pages whose sidebar has the choice.
    """
    if entry.domain == "scenes" and any(picture.kind == "photograph" for picture in pictures):
        st.info(
            f"The model {entry.title} knows ten drawn shapes (disc, square, triangle, star, ring, cross, crescent, "
            "heart, hexagon, arrow) and nothing else, so its answer for a photo means nothing."
        )
        _offer(choose or chosen_by_visitor)
    if entry.domain == "photographs" and any(picture.kind == "scene" for picture in pictures):
        st.info(f"{entry.title} knows photos. The drawn scenes are unlike anything it was trained on.")


def _offer(choose: Callable[[str], None]) -> None:
    """A button that asks a model for photographs in place of this one, and fetches its weights where none has any."""
    here = default_for("photograph")
    if catalogue.get(here).domain == "photographs":
        title = catalogue.get(here).title
        st.button(
            f"Use {title}",
            key="look-again",
            icon=":material/arrow_forward:",
            help=f"Ask {title} about the same images.",
            on_click=choose,
            args=(here,),
        )
        return
    smallest = smallest_for_photographs()
    label = f"Download {smallest.title} ({text.megabytes(smallest.size)}) and look again"
    with st.container(key="first-model", gap="xsmall", width=480):
        _coming(smallest, "first-", label)


def arrived() -> str | None:
    """The model that the visitor wanted to be asked once its weights had come, if they have; said once."""
    name: str | None = st.session_state.get(AWAITED)
    if name is None or not catalogue.get(name).present():
        return None
    del st.session_state[AWAITED]
    return name


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
    if (name := arrived()) is not None:
        chosen_by_visitor(name)
    following = pictures and not st.session_state.get("model_by_visitor")
    # Said anew every time, for the browser knows a choice by its line, which changes when the weights have come.
    st.session_state["model"] = default_for(pictures[0].kind) if following else _name(st.session_state.get("model"))


def _name(chosen: str | None) -> str:
    """The model chosen, which a browser may still call by a line that has changed since."""
    lines = {entry.title: name for name, entry in ENTRIES.items()}
    return chosen if chosen in ENTRIES else lines.get((chosen or "").partition(_MARK)[0], default_for("scene"))


def _by_visitor() -> None:
    st.session_state["model_by_visitor"] = True
    st.session_state.pop(AWAITED, None)


def _line(name: str) -> str:
    entry = catalogue.get(name)
    if not entry.url:
        return f"{entry.title}{_MARK}built in)"
    return entry.title if entry.present() else f"{entry.title}{_MARK}download {text.megabytes(entry.size)})"


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
    _coming(entry, "", f"Download {text.megabytes(entry.size)}")


def _coming(entry: Entry, prefix: str, label: str) -> None:
    coming = state.downloads().progress(entry.name) is not None
    st.fragment(_download, run_every=POLL if coming else None)(entry.name, prefix, label, coming)


def _download(name: str, prefix: str, label: str, coming: bool) -> None:
    """The button that fetches the weights, the bar while they come, the sentence when they did not.

    `prefix` tells the keys of several such buttons on one page apart.
    """
    entry, downloads = catalogue.get(name), state.downloads()
    progress = downloads.progress(name)
    if coming and progress is None:
        st.rerun()
    if progress is not None:
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        st.progress(share, f"{text.megabytes(progress.done)} of {text.megabytes(progress.total)}")
        st.button("Stop download", on_click=_give_up, args=(name,), width="stretch", key=f"{prefix}stop-download")
        return
    if st.button(
        label,
        icon=":material/download:",
        width="stretch",
        key=f"{prefix}download",
        help=f"Fetch the weights once from {entry.url}.",
    ):
        st.session_state[AWAITED] = name
        downloads.start(entry)
        st.rerun()
    if problem := downloads.error(name):
        st.error(text.plain(problem))


def _give_up(name: str) -> None:
    st.session_state.pop(AWAITED, None)
    state.downloads().stop(name)
