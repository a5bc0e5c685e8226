"""Pictures and maps of a study: how they are drawn, the conditions, and each picture with all its maps."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from PIL import Image

from decam.errors import DecamError
from decam.figures.stimulus import APPLIES, Display
from decam.studies import editing, making
from decam.studies.design import USES, Stimulus
from decam.studies.drawing import read_picture
from decam.studies.responses import StudyRecord
from decam.studies.stimuli import Wanted
from decam.ui import state, text
from decam.ui.shared import thumbnails
from decam.ui.shared.fields import field
from decam.ui.studies import forms, picking, session

SIDE = 160
A_PAGE = 24
USED = {"trials": "Trials", "training": "Training", "example": "Example"}
NOBODY = ""


def show(record: StudyRecord) -> None:
    """Draw the manner of drawing, conditions, pictures, and the way to more of them."""
    with st.container(key="study-maps"):
        with st.container(key="study-display", border=True):
            _display(record)
        with st.container(key="study-conditions", border=True):
            _conditions(record)
    _stimuli(record)
    if session.editable(record):
        with st.expander("Add images or methods from runs", icon=":material/add:"):
            _more(record)


def _display(record: StudyRecord) -> None:
    st.header("How maps are drawn")
    st.caption("All maps are drawn in the same way, so that only the maps themselves differ.")
    saved = record.study.display
    keys = {one.name: f"study-{record.id}-display-{one.name}" for one in Display.parameters()}
    place = forms.grid("display")
    for one in Display.parameters():
        # What is chosen but not drawn yet stays; the study's own values come with another study or another drawing.
        if st.session_state.get(f"study-{record.id}-drawn") != saved:
            st.session_state[keys[one.name]] = getattr(saved, one.name)
        if one.name in ("view", "size", *APPLIES[st.session_state[keys["view"]]]):
            with place:
                field(keys[one.name], one, disabled=not session.editable(record))
    st.session_state[f"study-{record.id}-drawn"] = saved
    wished = Display(**{name: st.session_state[key] for name, key in keys.items()})
    if session.editable(record):
        session.slow(
            "Draw all maps anew", lambda: making.draw_again(state.studies(), record, wished), "Maps are drawn …",
            key=f"study-{record.id}-draw", icon=":material/brush:", ready=wished != saved, done="Drawn anew.",
            help="From the frozen values: no run is needed.",
        )  # fmt: skip


def _conditions(record: StudyRecord) -> None:
    st.header("Conditions")
    st.caption("Participants never read these names. Blinded results and the data call each condition by its letter.")
    for condition in record.study.conditions:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            kind = " :gray[· should lose]" if condition.catch else ""
            st.markdown(f"**{condition.letter}** · {text.plain(condition.title)}{kind}", width="stretch")
            if session.editable(record):
                st.button(
                    f"Remove {text.plain(condition.title)}", icon=":material/close:", type="tertiary",
                    key=f"remove-condition-{record.id}-{condition.key}", help="Remove this condition and its maps.",
                    on_click=session.change, args=(record.id, _without(condition.key)),
                )  # fmt: skip
    if not record.study.conditions:
        st.info("There is no condition yet; add methods from runs below.")


def _without(key: str) -> editing.Change:
    return lambda study: editing.without_condition(study, key)


def _stimuli(record: StudyRecord) -> None:
    stimuli = record.study.stimuli
    uses = [f"{sum(one.use == use for one in stimuli)} for {USED[use].lower()}" for use in USES]
    st.header(f"Images ({len(stimuli)})")
    st.caption(", ".join(one for one in uses if not one.startswith("0")))
    first = _first(record, len(stimuli))
    with st.container(key="study-stimuli"):
        for stimulus in stimuli[first : first + A_PAGE]:
            with st.container(border=True, gap="small"):
                _stimulus(record, stimulus)


def _first(record: StudyRecord, count: int) -> int:
    """The first picture that is drawn; where they are many, one turns pages."""
    if count <= A_PAGE:
        return 0
    starts = list(range(0, count, A_PAGE))
    key = f"study-{record.id}-page"
    if st.session_state.get(key) not in starts:
        st.session_state[key] = 0
    return int(
        st.selectbox(
            "Images shown", starts, key=key, width=220,
            format_func=lambda one: f"{one + 1} to {min(one + A_PAGE, count)} of {count}",
        )
    )  # fmt: skip


def _stimulus(record: StudyRecord, stimulus: Stimulus) -> None:
    folder = str(state.studies().folder(record.id))
    titles = {one.key: one for one in record.study.conditions}
    shown = [(stimulus.image, "Image")]
    shown += [
        (one.image, f"{titles[one.condition].letter} · {titles[one.condition].title}")
        for one in stimulus.maps
        if one.label == stimulus.label and one.condition in titles
    ]
    try:
        figures = "".join(_figure(_thumbnail(folder, image), caption) for image, caption in shown)
    except DecamError as error:
        st.error(text.plain(str(error)))
        figures = ""
    answer = f"{stimulus.answer} ({text.percent(stimulus.guesses[0][1])})" if stimulus.guesses else stimulus.answer
    others = sorted({one.label for one in stimulus.maps} - {stimulus.label})
    also = f" · also maps for {', '.join(others)}" if others else ""
    st.markdown(
        f"**{text.plain(stimulus.name)}** :gray[· maps for {text.plain(stimulus.label)}; the model answers "
        f"{text.plain(answer)}{text.plain(also)}]"
    )
    st.html(f'<div class="dc-stimulus">{figures}</div>')
    locked = not session.editable(record)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        key = f"study-{record.id}-use-{stimulus.key}"
        st.selectbox(
            "Kept for", USES, format_func=USED.__getitem__, key=session.fill(key, stimulus.use), width=130,
            on_change=session.typed(record.id, key, _with(stimulus.key, "use")), disabled=locked,
        )  # fmt: skip
        key = f"study-{record.id}-correct-{stimulus.key}"
        labels = dict.fromkeys(
            [NOBODY, *(one for one, _ in stimulus.guesses), stimulus.label, *others, stimulus.correct]
        )
        st.selectbox(
            "Really shows", list(labels), format_func=lambda one: one or "Not said",
            key=session.fill(key, stimulus.correct), width=190, disabled=locked,
            help="The right class, which tasks need that ask for it. Type one that is not listed.",
            accept_new_options=True, on_change=session.typed(record.id, key, _with(stimulus.key, "correct")),
        )  # fmt: skip
        if not locked:
            st.button(
                f"Remove {text.plain(stimulus.name)}", icon=":material/delete:", type="tertiary",
                key=f"remove-stimulus-{record.id}-{stimulus.key}", help="Remove this image from the study.",
                on_click=session.change, args=(record.id, _out(stimulus.key)),
            )  # fmt: skip


def _with(key: str, name: str) -> editing.Putting:
    return lambda study, value: editing.with_stimulus(study, key, **{name: str(value or "").strip()})


def _out(key: str) -> editing.Change:
    return lambda study: editing.without_stimulus(study, key)


def _figure(uri: str, caption: str) -> str:
    said = text.escaped(caption)
    return f'<figure><img src="{uri}" alt="{said}"><figcaption>{said}</figcaption></figure>'


@st.cache_data(show_spinner=False, max_entries=2048)
def _thumbnail(folder: str, digest: str) -> str:
    """A kept picture, small; its digest names what it shows for good."""
    return thumbnails.uri(Image.fromarray(read_picture(Path(folder), digest)), SIDE)


def _more(record: StudyRecord) -> None:
    name = f"study-{record.id}-more"
    picked = picking.panel(name)
    if picked is None:
        return
    wanted = Wanted(picking.uses(picked, None, 0), picked.methods, picked.catches, seed=record.study.assignment.seed)

    def add() -> None:
        making.with_more(state.studies(), state.studies().get(record.id), picked.runs, wanted)

    session.slow(
        "Add them", add, "Maps are copied and drawn …", key=f"{name}-add", icon=":material/add:",
        ready=bool(picked.subjects and (picked.methods or picked.catches)), done="They are in the study.",
        help="What the study has already stays as it is. A condition needs a map of every image.",
    )  # fmt: skip
