"""What a visitor's session holds (ids, small values and the uploads) and what all sessions share."""

from __future__ import annotations

import gc
import secrets
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import streamlit as st

from decam import paths
from decam.experiments.behind import Masks
from decam.export import live as live_runs
from decam.export.standing import Standing, awaiting
from decam.hardware.device import best
from decam.metrics.walkthroughs import Shown
from decam.models.cache import Models
from decam.runs.service import Runs
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.studies.responses import StudyStore
from decam.studies.sessions import Sessions
from decam.ui import nav
from decam.ui.components.live import LiveRun
from decam.ui.shared import uploads
from decam.ui.shared.downloads import Downloads
from decam.ui.shared.latest import Latest
from decam.ui.shared.shared_jobs import SharedJobs
from decam.web import browsers
from decam.web.studies import service

if TYPE_CHECKING:
    from decam.studies.results import Counted

BESIDE = "beside"
"""The parameter of the address that names the run below the one that is shown."""
WALKTHROUGHS = 48  # kept when they are done
ANALYSES = 48
REPLAYS = 4  # each of some 20 MB
CARRIED = (
    *("model", "device", "framing"),
    *("steps", "seed", "deletion_fill", "insertion_fill", "swapped", "searched", "variants"),
)
CARRIED_KINDS = ("setting:", "target:", "against:", "walk-", "sanity-", "maps-", "suspect-")


@st.cache_resource(show_spinner=False)
def models() -> Models:
    """The models kept loaded for everybody."""
    # What has been imported so far lives as long as the process: no collection need look at it again.
    gc.freeze()
    return Models()


def _close(runs: Runs) -> None:
    live_runs.offer(None)
    runs.close()
    walkthroughs.clear()  # they wait in the queue that has just been closed
    analyses.clear()
    replays.clear()


@st.cache_resource(show_spinner=False, on_release=_close)
def runs() -> Runs:
    """The runs of this server, those of earlier processes included."""
    made = Runs(Store(paths.directory(), paths.database_url()), models().get, private=paths.shared())
    live_runs.offer(made)
    return made


def sessions() -> Sessions:
    """Those who take part in studies; the same ones that the participants' page serves."""
    return service.sessions()


def studies() -> StudyStore:
    """The studies of this server."""
    return sessions().store


@st.cache_resource(show_spinner=False)
def walkthroughs() -> SharedJobs[Shown]:
    """The walkthroughs of metrics that somebody has opened; they wait in one line with the runs."""
    return SharedJobs(runs().queue, WALKTHROUGHS)


@st.cache_resource(show_spinner=False)
def analyses() -> Latest[Counted]:
    """The sections of studies' results that somebody has opened; they have a line of their own beside the runs."""
    return Latest(SharedJobs(runs().queue, ANALYSES), ANALYSES)


@st.cache_resource(show_spinner=False)
def replays() -> SharedJobs[Masks]:
    """The masked pictures behind maps that somebody has asked for; they wait in one line with the runs."""
    return SharedJobs(runs().queue, REPLAYS)


def live(snapshot: RunSnapshot) -> LiveRun | None:
    """Where the browser hears of a run that is about to be drawn; None for one that has ended.

    None too where this server has no routes for it: the page then has to look again itself.
    """
    feeds = live_runs.feeds()
    if not snapshot.active or feeds is None or not live_runs.streams():
        return None
    feeds.note(snapshot)
    return LiveRun(f"/live/{quote(snapshot.id, safe='')}", str(snapshot.version))


def live_work(name: str) -> LiveRun | None:
    """Where the browser hears of work in the queue that is awaited; None where the page has to look again itself."""
    feeds = live_runs.feeds()
    if feeds is None or not live_runs.streams():
        return None
    if "works" not in st.session_state:
        st.session_state["works"] = f"works-{secrets.token_urlsafe(16)}"
    one = cast(str, st.session_state["works"])
    feeds.work(one, _work).follow(name)
    return LiveRun(f"/live/{one}", "0")


def _work(name: str) -> Standing | None:
    stands = walkthroughs().look(name) or analyses().jobs.look(name) or replays().look(name)
    return None if stands is None else awaiting(stands.ahead, stands.progress)


def _give_up(coming: Downloads) -> None:
    coming.close()


@st.cache_resource(show_spinner=False, on_release=_give_up)
def downloads() -> Downloads:
    """The weights that are being fetched."""
    return Downloads()


def owner() -> str:
    """Who this visitor's browser is: it decides the turn in the queue and, on a shared server, which runs are its own.

    A browser that takes no cookies is somebody else in each tab, and whenever the tab is loaded again.
    """
    if "owner" not in st.session_state:
        st.session_state["owner"] = browsers.owner_of(cookies()) or secrets.token_urlsafe(16)
    return cast(str, st.session_state["owner"])


def cookies() -> dict[str, str]:
    """What the visitor's browser sent along."""
    return dict(st.context.cookies)


def may_change(snapshot: RunSnapshot) -> bool:
    """Whether this visitor may stop, continue, rename or delete a run, and add to it; `Runs` says no itself, too."""
    return runs().may_change(snapshot.owner, owner())


def listed_owner() -> str | None:
    """Whose runs the sidebar lists: everybody's on a server for one person, this browser's on a shared one."""
    return owner() if paths.shared() else None


def device() -> str:
    """The device chosen, or else the best one."""
    return cast(str, st.session_state.get("device") or str(best()))


def run_id() -> str | None:
    """The run that this page shows, by its address; after a change of page, by the session.

    The Sanity page has a run of its own, so that a check and a comparison can be looked at in turn.
    """
    name = _parameter()
    return linked(name, f"shown_{name}")


def show_run(run: str | None, *, made_here: bool = False) -> None:
    """Show this run on this page from now on; None shows none.

    `made_here`: the page's widgets are what the run was made from.
    """
    name = _parameter()
    if st.session_state.get(f"shown_{name}") != run:
        st.query_params.pop(BESIDE, None)
    link(name, f"shown_{name}", run)
    st.session_state[f"taken_up_{name}"] = run if made_here else None


def linked(parameter: str, key: str) -> str | None:
    """What a parameter of the address names, which the session keeps under `key` while other pages are visited."""
    if parameter in st.query_params:
        st.session_state[key] = st.query_params[parameter]
    elif st.session_state.get(key):
        st.query_params[parameter] = st.session_state[key]
    return cast("str | None", st.session_state.get(key))


def link(parameter: str, key: str, named: str | None) -> None:
    """Let a parameter of the address, and the session under `key`, name this; None takes the parameter away."""
    st.session_state[key] = named
    if named is None:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = named


def hand_over(run: str, page: str) -> None:
    """Show this run on the page of that address, and no longer on this one."""
    name = nav.parameter(page)
    show_run(None)
    st.session_state[f"shown_{name}"] = run
    st.session_state[f"taken_up_{name}"] = None


def _parameter() -> str:
    """The parameter of this page's address that names the run shown."""
    return nav.parameter(st.session_state["page"])


def taken_up(link: str) -> bool:
    """True once for each run that this page shows: its widgets are to be filled from that run.

    The address decides which one is shown, and the browser's Back changes the address alone: the widgets follow
    whenever another one is shown than the last time.
    """
    name = _parameter()
    other = st.session_state.get(f"taken_up_{name}") != link
    st.session_state[f"taken_up_{name}"] = link
    return other


def arrive(page: str) -> None:
    """Carry over what was chosen on another page. This must be called before any widget is drawn.

    Streamlit ties a widget's value to its page; without this, widgets would begin anew here.
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
