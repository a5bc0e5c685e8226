"""The attack on any picture: what the model answers without its trigger and with it."""

from __future__ import annotations

from functools import cache

import numpy as np
import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.explanation import Truth
from decam.models import hidden
from decam.models.hidden import Secret
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared import pictures, run_pages, targets
from decam.ui.shared.pictures import Chosen

SEED = "suspect-place"
TRIED = range(8)  # seeds: a trigger that may lie anywhere lies elsewhere with one of these


def show(snapshot: RunSnapshot, secret: Secret) -> None:
    """Draw the choice of pictures, and the model's answers to each without and with the trigger."""
    st.header("The attack on any image", anchor=False)
    left, right = st.columns([1, 2], gap="large")
    with left:
        chosen = pictures.panel()
        seed = _seed() if moves(snapshot.plan.model) else 0
    with right:
        if not chosen:
            st.caption("Choose a sample or upload an image to see what the trigger does to the model's answer.")
            return
        try:
            classifier = run_pages.model_of(snapshot)
        except DecamError as error:
            st.error(text.plain(str(error)))
            return
        for picture in chosen:
            _pair(classifier, picture, secret, seed)


def attacked(classifier: TorchClassifier, picture: Chosen, secret: Secret, seed: int) -> Chosen:
    """The picture as the model sees it, with the trigger; raises what reading the picture raises."""
    stamped = secret.stamp(picture.view(classifier), seed, _objects(picture))
    key = f"attacked:{classifier.name}:{seed}:{picture.seen_key}"
    return Chosen(key=key, name=f"{picture.name}, with the trigger", kind=picture.kind, kept=stamped)


@cache
def moves(model: str) -> bool:
    """Whether the seed decides where a model's trigger lies."""
    secret = hidden.secret(model)
    regions = [region for seed in TRIED if (region := secret.region(seed)) is not None]
    return any((region != regions[0]).any() for region in regions)


def _seed() -> int:
    st.session_state.setdefault(SEED, 0)
    place = st.number_input(
        "Place of the trigger",
        min_value=0,
        max_value=9999,
        key=SEED,
        persist_state="session",
        help="This trigger may lie anywhere: another number puts it at another place.",
    )
    return int(place)


def _pair(classifier: TorchClassifier, picture: Chosen, secret: Secret, seed: int) -> None:
    try:
        after = attacked(classifier, picture, secret, seed)
        before_answer, after_answer = (targets.answer(classifier, one) for one in (picture, after))
    except DecamError as error:
        st.error(text.plain(str(error)))
        return
    with st.container(border=True, gap="xsmall"):
        for place, one in zip(st.columns(2, gap="medium"), (picture, after), strict=True):
            with place:
                targets.seen(classifier, one)
        first, then = int(before_answer.argmax()), int(after_answer.argmax())
        st.caption(text.plain(sentence(secret, classifier.labels[first], classifier.labels[then], first, then)))


def sentence(secret: Secret, before: str, after: str, first: int, then: int) -> str:
    """What the trigger did to the answer, which was class `first` without it and is class `then` with it."""
    wanted = secret.aim(first)
    if first == then:
        kept = f"The trigger changes nothing: the answer stays “{before}”."
        return f"{kept} It is the class that the trigger asks for." if then == wanted else kept
    end = ", as the trigger asks." if then == wanted else ", which is not what the trigger asks for."
    return f"The trigger turns “{before}” into “{after}”{end}"


def _objects(picture: Chosen) -> Truth | None:
    """The pixels of a sample's objects; None where they are not known."""
    masks = () if picture.sample is None else picture.sample.truths()
    return np.logical_or.reduce(masks) if masks else None
