"""What a teacher needs: notes for speaking, a page to print, and a QR code that leads a class to a lesson or a run."""

from __future__ import annotations

import io
from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
import streamlit as st

from decam import paths
from decam.experiments.kinds.comparison import COMPARISON
from decam.figures.overlays import data_uri
from decam.lessons import LESSONS, Lesson
from decam.lessons.printing import handout
from decam.ui import nav, state, text
from decam.ui.shared import description

LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
NOTES = "lesson-notes"
RECENT = 12


def panel(lesson: Lesson | None) -> None:
    """Draw what is for teachers: for the lesson shown, or for all."""
    st.markdown("**For teachers**")
    # A widget forgets on a page where it is not drawn; what it said is kept beside it.
    st.toggle(
        "Speaker notes",
        key="lesson-notes-shown",
        value=notes_are_shown(),
        help="A note under each step: what to ask, and what to expect.",
        on_change=lambda: st.session_state.update({NOTES: st.session_state["lesson-notes-shown"]}),
    )
    with st.container(horizontal=True, gap="small"):
        chosen = tuple(LESSONS.values()) if lesson is None else (lesson,)
        name = "lessons" if lesson is None else lesson.name
        st.download_button(
            "Print",
            data=lambda: handout(chosen).encode(),
            file_name=f"decam-{name}.html",
            mime="text/html",
            key="lesson-print",
            icon=":material/print:",
            on_click="ignore",
            help="Saves a page to print: questions first, then answers and notes on pages of their own.",
        )
        if st.button(
            "QR code", key="lesson-qr", icon=":material/qr_code_2:", help="Lead a class to this page or to a run."
        ):
            _dialog(lesson)


def notes_are_shown() -> bool:
    """Whether speaker notes stand under the steps."""
    return bool(st.session_state.get(NOTES, False))


@st.dialog("QR code", width="medium")
def _dialog(lesson: Lesson | None) -> None:
    targets = _targets(lesson)
    chosen = st.selectbox("Where it leads", list(targets), key="lesson-qr-target")
    base = st.text_input(
        "Address of this server",
        _base(st.context.url or ""),
        key="lesson-qr-base",
        help="How the class's devices reach this computer, such as http://192.168.0.10:8501",
    )
    link = address(base, *targets[chosen])
    if not link:
        st.error("This is no address. Give one that begins with http:// or https://.")
        return
    host = urlsplit(link).hostname or ""
    if host in LOCAL:
        st.warning(
            f"“{host}” means each device itself. Put in this computer's name or number in your network, and start the "
            "dashboard with `--address 0.0.0.0`. A hotspot of your phone will do; no internet is needed."
        )
    if not paths.shared():
        st.caption(f"{description.UNSHARED} Then a run's link is for looking, and only you can change it.")
    st.html(f'<img class="dc-qr" src="{data_uri(code(link))}" alt="QR code of {escape(link, quote=True)}">')
    st.code(link, language=None)


def _targets(lesson: Lesson | None) -> dict[str, tuple[str, dict[str, str]]]:
    """Where a code may lead, by title: a page's address and what the address says beside it."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    if lesson is not None:
        found[lesson.title] = ("learn", {nav.parameter("learn"): lesson.name})
    found["All lessons"] = ("learn", {})
    for summary in state.runs().recent(state.listed_owner(), RECENT, COMPARISON):
        title = f"Run: {summary.title}, {text.when(summary.created)}"
        number = 2
        while title in found:
            title = f"Run: {summary.title}, {text.when(summary.created)} ({number})"
            number += 1
        found[title] = ("", {nav.parameter("compare"): summary.id})
    return found


def address(base: str, page: str, query: dict[str, str]) -> str:
    """The address of a page below `base`; the empty text where `base` is no address of a server."""
    try:
        parts = urlsplit(base.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        return ""
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{page}", urlencode(query), ""))


def _base(url: str) -> str:
    """The server's address from that of the page which is shown."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/learn")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def code(link: str) -> bytes:
    """A QR code as a PNG, dark on white with a quiet margin, whatever the theme."""
    buffer = io.BytesIO()
    segno.make(link, error="m", micro=False).save(buffer, kind="png", scale=8, border=4)
    return buffer.getvalue()
