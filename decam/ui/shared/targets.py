"""What the model sees in each picture, and which class is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.classifier.certainty import unsure
from decam.errors import DecamError
from decam.explanation import Truth
from decam.figures.steps import outlined
from decam.models.catalogue import Entry
from decam.ui import text
from decam.ui.components.card import card
from decam.ui.components.card.card import Bar
from decam.ui.shared import folding, ground_truth, model_choice, pictures, thumbnails
from decam.ui.shared.pictures import Chosen

PREDICTED = -1
OTHERS = -1
TOP = 5
SIDE = 112
LEAST_SHARE = 1e-5
"""Smaller probabilities are not told apart on a card."""


class Asked(NamedTuple):
    """A picture as the model sees it, the class asked about (None: what is predicted), and where its object is.

    `class_index` is the class in either case. `against` is the class that it is told from, None for all others.
    """

    picture: Chosen
    view: Pixels
    target: int | None
    class_index: int
    truth: Truth | None = None
    against: int | None = None


class Place(NamedTuple):
    """A card: its box, and where what comes first in it goes, in place of the picture that waits for an answer."""

    box: DeltaGenerator
    first: DeltaGenerator


class Places(NamedTuple):
    """Where a row of cards of a model's answers stands: a place for notes above it, and one for each card."""

    entry: Entry
    notes: DeltaGenerator
    cards: tuple[Place, ...]


def places(entry: Entry, chosen: Sequence[Chosen]) -> Places:
    """Draw where the cards will be, before the model is loaded.

    A picture about which the model has not been asked yet is shown without bars.
    """
    notes = st.container()
    if not chosen:
        return Places(entry, notes, ())
    with folding.cards(), st.container(key="targets"):
        cards = tuple(_place(entry, picture, number) for number, picture in enumerate(chosen))
    for picture, place in zip(chosen, cards, strict=True):
        if place.first is not place.box:
            _alone(picture, place.first, busy=True)
    return Places(entry, notes, cards)


def _place(entry: Entry, picture: Chosen, number: int) -> Place:
    """The box of a card. One that was answered is not emptied, or whoever is in it with the keyboard falls out."""
    box = st.container(border=True, gap="xsmall", key=f"card-{number}")
    return Place(box, box if _answered_key(entry.name, picture.key) in st.session_state else box.empty())


def row(classifier: Classifier | None, chosen: Sequence[Chosen], where: Places, *, judged: bool = True) -> list[Asked]:
    """Draw a card a picture, and return those that can be explained: none without a model.

    Without one a card shows its picture alone. Above the cards stands what a reader must know where the model was not
    made for such pictures. Without `judged` no ground truth is asked for.
    """
    asked = []
    for picture, place in zip(chosen, where.cards, strict=True):
        if classifier is None:
            _alone(picture, place.first, busy=False)
            with place.box:
                _remove(picture)
            continue
        try:
            view = picture.view(classifier)
            answer = _answer(classifier.name, str(classifier.device), view, classifier)
        except DecamError as error:
            place.first.error(text.plain(str(error)))
            with place.box:
                _remove(picture)
            continue
        st.session_state[_answered_key(classifier.name, picture.key)] = True
        asked.append(_card(classifier, picture, view, answer, place, judged))
    if classifier is not None:
        with where.notes:
            model_choice.limits(where.entry, chosen)
    return asked


def _alone(picture: Chosen, where: DeltaGenerator, *, busy: bool) -> None:
    """Draw a picture without what the model sees in it: about as large as it will be where that is awaited."""
    name = text.escaped(text.visible(picture.name))
    try:
        image = f'<img src="{thumbnails.whole_uri(picture.key, SIDE, picture.whole)}" alt="{name}">'
    except DecamError:
        image = "<i></i>"  # Said in its place when the model is asked.
    awaited = ' dc-awaited" aria-busy="true' if busy else ""
    where.html(
        f'<div class="dc-card{awaited}">{image}'
        f'<div class="dc-bars"><div class="dc-name">{name}</div>{"<div class=dc-bar></div>" * TOP * busy}</div></div>'
    )


def _thumbnail(classifier: Classifier, picture: Chosen, shown: Pixels) -> str:
    """What the model sees of a picture, within the whole of it, as a data address."""
    return thumbnails.framed_uri(picture.seen_key, shown, picture.part(classifier), SIDE, picture.whole)


def seen(classifier: Classifier, picture: Chosen) -> None:
    """Draw a picture beside its likeliest classes, with nothing to choose."""
    try:
        view, likely = picture.view(classifier), answer(classifier, picture)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return
    order = [int(index) for index in np.argsort(-likely, kind="stable")]
    lines = "".join(_line(bar) for bar in _bars(classifier, likely, order, order[0]))
    uri = _thumbnail(classifier, picture, view)
    name, note = text.escaped(picture.name), text.escaped(_doubt(classifier, likely, order))
    st.html(
        f'<div class="dc-card"><img src="{uri}" alt="{name}, with the part that the model sees">'
        f'<div><div class="dc-name" title="{name}">{name}</div>{lines}'
        f'{note and f"""<div class="dc-unsure">{note}</div>"""}</div></div>'
    )


def answer(classifier: Classifier, picture: Chosen) -> NDArray[np.float32]:
    """The probability of every class for a picture; raises ImageError where it cannot be read."""
    return _answer(classifier.name, str(classifier.device), picture.view(classifier), classifier)


@st.cache_data(show_spinner=False, max_entries=256)
def _answer(model: str, device: str, view: Pixels, _classifier: Classifier) -> NDArray[np.float32]:
    """The probability of every class."""
    del model, device  # they name the entry in the cache
    answer = probabilities(_classifier, to_tensor(_classifier, view).unsqueeze(0))
    return answer[0].cpu().numpy()


def _card(
    classifier: Classifier, picture: Chosen, view: Pixels, answer: NDArray[np.float32], place: Place, judged: bool
) -> Asked:
    order = [int(index) for index in np.argsort(-answer, kind="stable")]
    key = target_key(classifier.name, picture.key)
    # Said anew every time, for the browser knows a class by its line, which another device's answer may change.
    st.session_state[key] = st.session_state.get(key, PREDICTED)
    target = st.session_state[key]
    index = order[0] if target == PREDICTED else int(target)
    mask = ground_truth.of(classifier, picture, classifier.labels[index])
    shown = view if mask is None else outlined(view, mask)
    with place.first:
        card.draw(
            text.visible(picture.name),
            _thumbnail(classifier, picture, shown),
            f"{text.visible(picture.name)}, with the part that the model sees",
            _bars(classifier, answer, order, index),
            _doubt(classifier, answer, order),
            picture.key,
            partial(_choose, key, order[0]),
        )
    with place.box:
        with st.container(
            horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center", key=f"asked-{picture.key}"
        ):

            def named(index: int) -> str:
                if index == PREDICTED:
                    return f"{classifier.labels[order[0]]} (predicted)"
                return f"{classifier.labels[index]} · {_percent(answer[index])}"

            picked = st.selectbox(
                f"Target class of {text.visible(picture.name)}",
                [PREDICTED, *order[1:]],
                format_func=named,
                key=key,
                label_visibility="collapsed",
                persist_state="session",
                placeholder="Type part of a class's name",
            )
            if judged:
                ground_truth.button(classifier, picture, view, classifier.labels[index], mask)
            _remove(picture)
        against = _against(classifier, picture, order, index)
    return Asked(picture, view, None if picked == PREDICTED else index, index, mask, against)


def _remove(picture: Chosen) -> None:
    st.button(
        f"Remove {text.plain(picture.name)}",
        key=f"remove-{picture.key}",
        icon=":material/close:",
        type="tertiary",
        help=f"Take {text.plain(picture.name)} out of the chosen images.",
        on_click=pictures.remove,
        args=(picture.key,),
    )


def _against(classifier: Classifier, picture: Chosen, order: Sequence[int], target: int) -> int | None:
    """Draw the choice of the class that the target is told from; None where it is all others."""
    key = against_key(classifier.name, picture.key)
    before = st.session_state.get(key, OTHERS)
    st.session_state[key] = OTHERS if before == target else before

    def named(index: int) -> str:
        return f"rather than {'any other class' if index == OTHERS else classifier.labels[index]}"

    # A strip of cards shows the choice only where one was made, by this key.
    with st.container(key=f"{'against' if st.session_state[key] == OTHERS else 'told'}-{picture.key}"):
        picked: int = st.selectbox(
            f"Class to tell the target of {text.visible(picture.name)} from",
            [OTHERS, *(index for index in order if index != target)],
            format_func=named,
            key=key,
            label_visibility="collapsed",
            persist_state="session",
            placeholder="Type part of a class's name",
        )
    return None if picked == OTHERS else picked


def target_key(model: str, picture: str) -> str:
    """Where the session keeps the class asked about."""
    return f"target:{model}:{picture}"


def _answered_key(model: str, picture: str) -> str:
    """Where the session keeps that the model has been asked about a picture."""
    return f"answered:{model}:{picture}"


def against_key(model: str, picture: str) -> str:
    """Where the session keeps the class that the target is told from."""
    return f"against:{model}:{picture}"


def restore(model: str, picture: str, target: int | None, against: int | None = None) -> None:
    """Ask about this class of this picture, rather than about another one."""
    st.session_state[target_key(model, picture)] = PREDICTED if target is None else target
    st.session_state[against_key(model, picture)] = OTHERS if against is None else against


def _choose(key: str, predicted: int, index: int) -> None:
    """Ask about a class; the likeliest one as the predicted, so that another model is asked about its own."""
    st.session_state[key] = PREDICTED if index == predicted else index


def _bars(classifier: Classifier, answer: NDArray[np.float32], order: Sequence[int], target: int) -> list[Bar]:
    """The likeliest classes, and the one asked about where it is not among them."""
    ranks = {index: rank for rank, index in enumerate(order, start=1)}
    shown = [*order[:TOP], *([] if target in order[:TOP] else [target])]
    return [
        Bar(
            index,
            text.visible(classifier.labels[index]),
            float(answer[index]),
            _percent(answer[index]),
            ranks[index],
            index == target,
        )
        for index in shown
    ]


def _doubt(classifier: Classifier, answer: NDArray[np.float32], order: Sequence[int]) -> str:
    """That the model is unsure, with its two best answers; empty where it is not."""
    if not unsure(answer):
        return ""
    best = " or ".join(f"{classifier.labels[index]} {_percent(answer[index])}" for index in order[:2])
    return f"The model is unsure: {best}".replace(" %", "\N{NO-BREAK SPACE}%")


def _percent(probability: float) -> str:
    """A probability in per cent, never as nothing where it is little."""
    return text.percent(float(probability)) if probability >= LEAST_SHARE else f"<{text.percent(LEAST_SHARE)}"


def _line(bar: Bar) -> str:
    label = text.escaped(bar.label)
    return (
        f'<div class="dc-bar{" dc-asked" if bar.chosen else ""}" title="{label}">'
        f'<i style="width:{bar.probability:.1%}"></i><span>{label}</span><b>{text.escaped(bar.words)}</b></div>'
    )
