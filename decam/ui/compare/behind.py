"""The masked pictures behind one value of a map: those that hid the place, and those that showed it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.experiments.behind import MOST, Masked, Masks, Side, replayed
from decam.experiments.cells import CellKey
from decam.explanation import Explanation
from decam.figures import limits_for, overlay, png_uri
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components import component_key
from decam.ui.components.learn import point
from decam.ui.components.learn.point import Place
from decam.ui.runs import map_choice, run_grid
from decam.ui.shared import awaited, wish
from decam.ui.shared.run_pages import model_of
from decam.ui.shared.shared_jobs import Standing

FEW = 4
"""Masked pictures shown of each kind."""
SIDE = 112
MIDDLE: Place = (0.5, 0.5)


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw a place of a map, and beside it the masked pictures behind its value."""
    masking = [
        place
        for place, cell in sorted(snapshot.cells.items())
        if cell.explanation is not None and METHODS[cell.explanation.method].hides
    ]
    if without := _without(snapshot):
        st.caption(text.plain(without))
    if not masking:
        return
    place = map_choice.choose(
        snapshot,
        masking,
        selected,
        "behind",
        "Map",
        "Choose the map whose masked images are shown. A click in the grid chooses map and place.",
    )
    if (made := snapshot.cells[place].explanation) is None:
        return
    clicked = run_grid.pointed(snapshot, place)
    where = _where(snapshot, place, clicked)
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        _map(snapshot, place, made, where)
    with right:
        _masks(snapshot, place, made, where)


def _without(snapshot: RunSnapshot) -> str:
    """Which of the run's methods have no masked pictures, and which would."""
    titles = snapshot.plan.titles()
    names = [choice.name for choice in snapshot.plan.methods]
    lacking = [title for title, name in zip(titles, names, strict=True) if not METHODS[name].hides]
    if not lacking:
        return ""
    sentence = f"No masked images for: {', '.join(lacking)}."
    if len(lacking) < len(titles):
        return f"{sentence} Only methods that hide parts of the image behind a fill have them."
    offered = ", ".join(row.title for row in METHODS.values() if row.hides)
    return f"{sentence} These methods hide parts of the image behind a fill: {offered}."


def _where(snapshot: RunSnapshot, place: CellKey, clicked: Place | None) -> Place:
    """The place shown: the one chosen here or, after a click on the map in the grid, the one clicked."""
    key, seen = f"behind-place-{snapshot.id}-{place.question}", f"behind-clicked-{snapshot.id}-{place.question}"
    if clicked is not None and st.session_state.get(seen) != clicked:
        st.session_state[seen] = st.session_state[key] = clicked
    found: Place = st.session_state.setdefault(key, MIDDLE)
    return found


def _map(snapshot: RunSnapshot, place: CellKey, made: Explanation, where: Place) -> None:
    """Draw the map over its picture, on which a place is chosen, and say its value."""
    signed = METHODS[made.method].signed
    view = snapshot.grid.view_of(place.question)
    drawn = overlay(view, made.saliency, signed=signed, limits=limits_for(made, made.saliency, signed))
    title = snapshot.plan.titles()[place.method]
    key = f"behind-place-{snapshot.id}-{place.question}"

    def take(clicked: Place) -> None:
        st.session_state[key] = clicked

    name = component_key(f"behind-{snapshot.id}-{place.question}")
    point.draw(name, drawn, f"{title} of {snapshot.plan.picture_of(place.question).name}", where, take, follows=True)
    height, width = made.saliency.shape
    row, column = min(int(where[1] * height), height - 1), min(int(where[0] * width), width - 1)
    st.caption(f"Value here: {made.saliency[row, column]:.3g}. Point at another place, or move the ring by arrow keys.")


def _masks(snapshot: RunSnapshot, place: CellKey, made: Explanation, where: Place) -> None:
    """Draw the masked pictures, or the button that makes them again."""
    key = (snapshot.id, place.question, place.method)
    asked = f"behind-asked-{'-'.join(map(str, key))}"
    again = min(MOST, made.evaluations)
    known = state.replays().known(key)
    if known is None and not st.session_state.get(asked):
        st.markdown(text.plain(_stands_on(made)))
        st.button(
            "Show the masked images",
            key="behind-make",
            icon=":material/replay:",
            help="Asks the model about them again, with the map's own settings and seed.",
            on_click=lambda: st.session_state.update({asked: True}),
        )
        st.caption(text.plain(wish.cost(model_of(snapshot), text.several(again, "masked image"), again)))
        return

    def ask() -> Standing[Masks]:
        classifier = model_of(snapshot)
        view = snapshot.grid.view_of(place.question)
        device = str(classifier.device)
        return state.replays().ask(key, state.owner(), device, lambda: replayed(classifier, view, made))

    stands = ask()
    if stands.result is not None:
        _behind(stands.result, made, where)
    elif stands.error:
        st.error(text.plain(stands.error))
        st.button("Try again", key="behind-again", on_click=state.replays().again, args=(key,))
    else:
        awaited.wait("Masked images", stands, ask)


def _stands_on(made: Explanation) -> str:
    many = made.evaluations > MOST
    some = f" The first {MOST:,} are made again from seed {made.seed}." if many else ""
    return f"This map comes from {text.several(made.evaluations, 'masked image')}.{some}"


def _behind(masks: Masks, made: Explanation, where: Place) -> None:
    """Both kinds of masked pictures at a place, with the model's answers to them."""
    st.markdown(text.plain(_stands_on(made)))
    hid, showed = masks.hid(*where, FEW), masks.showed(*where, FEW)
    for side, verb, which in ((hid, "hidden", "lowest"), (showed, "shown", "highest")):
        st.html(group(side, made.label, verb, which, where))
    if masks.same is False:
        st.warning(
            "Made again, this map came out differently, so these are not the very images that it came from. "
            "The model answers a little differently on this device."
        )
    st.caption(
        "Hidden: less than half of the place was left. A map weights all its masked images; these are the extremes "
        "among them. Images that hid nothing or everything are left out."
    )


def group(side: Side, label: str, verb: str, which: str, where: Place) -> str:
    """Masked pictures of one kind as HTML, under a line that says how many there are and their mean answer."""
    if side.mean is None:
        return f"<p><b>Place {verb}: in no masked image.</b></p>"
    head = (
        f"<b>Place {verb} in {text.several(side.count, 'image')}</b>: {text.escaped(label)} has "
        f"{text.percent(side.mean)} on average. The {which} answers:"
    )
    return f'<p>{head}</p><div class="dc-frames dc-behind">{_figures(side.few, label, where)}</div>'


def _figures(few: Sequence[Masked], label: str, where: Place) -> str:
    ring = f'<i class="dc-mark" style="left:{where[0]:.2%};top:{where[1]:.2%}"></i>'
    return "".join(
        f'<figure><div><img src="{png_uri(one.picture)}" width="{SIDE}" alt="Masked image {one.number}">{ring}</div>'
        f"<figcaption>{text.escaped(label)} {text.percent(one.probability)}<br>No. {one.number:,}</figcaption></figure>"
        for one in few
    )
