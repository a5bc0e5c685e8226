"""What the model sees in each picture, and which class is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.errors import DecamError
from decam.explanation import Truth
from decam.ui import text
from decam.ui.shared import ground_truth, pictures, thumbnails
from decam.ui.shared.pictures import Chosen

PREDICTED = -1
TOP = 5
SIDE = 112


class Asked(NamedTuple):
    """A picture as the model sees it, the class asked about (None: what is predicted), and where its object is."""

    picture: Chosen
    view: Pixels
    target: int | None
    truth: Truth | None = None


def row(classifier: Classifier, chosen: Sequence[Chosen], *, judged: bool = True) -> list[Asked]:
    """Draw a card a picture, and return those that can be explained. Without `judged` no ground truth is asked for."""
    asked = []
    with st.container(key="targets"):
        for number, picture in enumerate(chosen):
            try:
                view = picture.view(classifier)
                answer = _answer(classifier.name, str(classifier.device), view, classifier)
            except DecamError as error:
                st.error(text.plain(str(error)))
                continue
            asked.append(_card(classifier, picture, view, answer, number, judged))
    return asked


def seen(classifier: Classifier, picture: Chosen) -> None:
    """Draw a picture beside its likeliest classes, with nothing to choose."""
    try:
        view, likely = picture.view(classifier), answer(classifier, picture)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return
    order = [int(index) for index in np.argsort(-likely, kind="stable")[:TOP]]
    st.html(_bars(classifier, picture, view, likely, order, order[0]))


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
    classifier: Classifier, picture: Chosen, view: Pixels, answer: NDArray[np.float32], number: int, judged: bool
) -> Asked:
    order = [int(index) for index in np.argsort(-answer, kind="stable")]
    key = target_key(classifier.name, picture.key)
    # Said anew every time, for the browser knows a class by its line, which another device's answer may change.
    st.session_state[key] = st.session_state.get(key, PREDICTED)
    with st.container(border=True, gap="xsmall", key=f"card-{number}"):
        target = st.session_state[key]
        st.html(_bars(classifier, picture, view, answer, order[:TOP], order[0] if target == PREDICTED else target))
        with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):

            def named(index: int) -> str:
                if index == PREDICTED:
                    return f"{classifier.labels[order[0]]} (predicted)"
                return f"{classifier.labels[index]} · {answer[index]:.3f}"

            picked = st.selectbox(
                f"Target class of {text.visible(picture.name)}",
                [PREDICTED, *order[1:]],
                format_func=named,
                key=key,
                label_visibility="collapsed",
                persist_state="session",
                placeholder="Type part of a class's name",
            )
            label = classifier.labels[order[0] if picked == PREDICTED else picked]
            mask = ground_truth.of(classifier, picture, label)
            if judged:
                ground_truth.button(classifier, picture, view, label, mask)
            st.button(
                f"Remove {text.plain(picture.name)}",
                key=f"remove-{picture.key}",
                icon=":material/close:",
                type="tertiary",
                help=f"Take {text.plain(picture.name)} out of the comparison.",
                on_click=pictures.remove,
                args=(picture.key,),
            )
    return Asked(picture, view, None if picked == PREDICTED else picked, mask)


def target_key(model: str, picture: str) -> str:
    """Where the session keeps the class asked about."""
    return f"target:{model}:{picture}"


def restore(model: str, picture: str, target: int | None) -> None:
    """Ask about this class of this picture."""
    st.session_state[target_key(model, picture)] = PREDICTED if target is None else target


def _bars(
    classifier: Classifier,
    picture: Chosen,
    view: Pixels,
    answer: NDArray[np.float32],
    top: Sequence[int],
    target: int,
) -> str:
    """The picture beside its likeliest classes, each on a bar of its probability."""
    lines = "".join(_bar(text.escaped(classifier.labels[index]), answer[index], index == target) for index in top)
    name = text.escaped(picture.name)
    return (
        f'<div class="dc-card"><img src="{thumbnails.view_uri(view, SIDE)}" alt="{name}">'
        f'<div><div class="dc-name" title="{name}">{name}</div>{lines}</div></div>'
    )


def _bar(label: str, probability: float, asked: bool) -> str:
    return (
        f'<div class="dc-bar{" dc-asked" if asked else ""}" title="{label}"><i style="width:{probability:.1%}"></i>'
        f"<span>{label}</span><b>{probability:.2f}</b></div>"
    )
