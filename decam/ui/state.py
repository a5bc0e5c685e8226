"""What a visitor's session holds (ids, small values and the uploads) and what all sessions share."""

from __future__ import annotations

import gc
import secrets
from typing import cast

import streamlit as st

from decam import paths
from decam.hardware.device import best
from decam.metrics.walkthroughs import Shown
from decam.models.cache import Models
from decam.runs.service import Runs
from decam.runs.store import Store
from decam.ui.shared import uploads
from decam.ui.shared.downloads import Downloads
from decam.ui.shared.shared_jobs import SharedJobs

RUN, CHECK = "run", "sanity"
WALKTHROUGHS = 48  # kept when they are done
CARRIED = ("model", "device", "steps", "seed", "deletion_fill", "insertion_fill", "swapped", "searched", "variants")
CARRIED_KINDS = ("setting:", "target:", "walk-", "sanity-")


@st.cache_resource(show_spinner=False)
def models() -> Models:
    """The models kept loaded for everybody."""
    # What has been imported so far lives as long as the process: no collection need look at it again.
    gc.freeze()
    return Models()


def _close(runs: Runs) -> None:
    runs.close()
    walkthroughs.clear()  # they wait in the queue that has just been closed


@st.cache_resource(show_spinner=False, on_release=_close)
def runs() -> Runs:
    """The runs of this server, those of earlier processes included."""
    return Runs(Store(paths.directory(), paths.database_url()), models().get)


@st.cache_resource(show_spinner=False)
def walkthroughs() -> SharedJobs[Shown]:
    """The metrics at work that somebody has opened, which wait in one line with the runs."""
    return SharedJobs(runs().queue, WALKTHROUGHS)


def _give_up(coming: Downloads) -> None:
    coming.close()


@st.cache_resource(show_spinner=False, on_release=_give_up)
def downloads() -> Downloads:
    """The weights that are being fetched."""
    return Downloads()


def owner() -> str:
    """This session's own secret name: it decides the turn in the queue and, on a shared server, which runs it lists."""
    if "owner" not in st.session_state:
        st.session_state["owner"] = secrets.token_urlsafe(16)
    return cast(str, st.session_state["owner"])


def listed_owner() -> str | None:
    """Whose runs the sidebar lists: everybody's on a server for one person, this session's on a shared one."""
    return owner() if paths.shared() else None


def device() -> str:
    """The device chosen, or else the best one."""
    return cast(str, st.session_state.get("device") or str(best()))


def run_id() -> str | None:
    """The run that is shown, by the page's address; after a change of page, by the session."""
    return _shown(RUN)


def show_run(run: str | None, *, made_here: bool = False) -> None:
    """Show this run from now on; None shows none. `made_here`: the page's widgets are what it was made from."""
    _show(RUN, run, made_here)


def check_id() -> str | None:
    """The sanity check that is shown, told as a run is."""
    return _shown(CHECK)


def show_check(check: str | None, *, made_here: bool = False) -> None:
    """Show this sanity check from now on, as `show_run` does; None shows none."""
    _show(CHECK, check, made_here)


def taken_up(kind: str, link: str) -> bool:
    """Whether the page's widgets are to be filled from this run or check, which is shown; True once.

    The address decides which one is shown, and the browser's Back changes the address alone: the widgets follow
    whenever another one is shown than the last time.
    """
    other = st.session_state.get(f"taken_up_{kind}") != link
    st.session_state[f"taken_up_{kind}"] = link
    return other


def _shown(kind: str) -> str | None:
    if kind in st.query_params:
        st.session_state[f"shown_{kind}"] = st.query_params[kind]
    elif st.session_state.get(f"shown_{kind}"):
        st.query_params[kind] = st.session_state[f"shown_{kind}"]
    return cast("str | None", st.session_state.get(f"shown_{kind}"))


def _show(kind: str, link: str | None, made_here: bool) -> None:
    st.session_state[f"shown_{kind}"] = link
    st.session_state[f"taken_up_{kind}"] = link if made_here else None
    if link is None:
        st.query_params.pop(kind, None)
    else:
        st.query_params[kind] = link


def arrive(page: str) -> None:
    """Take what was chosen on another page along; to be called before any widget is drawn.

    The framework ties a widget's value to its page, and would begin anew with the lowest of numbers here.
    """
    if st.session_state.get("page") == page:
        return
    st.session_state["page"] = page
    uploads.quiet()
    for key in list(st.session_state):
        if isinstance(key, str) and (key in CARRIED or key.startswith(CARRIED_KINDS)):
            st.session_state[key] = st.session_state[key]


def dark() -> bool:
    """Whether the visitor's browser shows the dark theme."""
    return st.context.theme.type == "dark"
