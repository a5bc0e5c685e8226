"""What a model with a number hides: said, shown beside the map of the attacked class, and measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from decam.classifier import Pixels
from decam.experiments.kinds.backdoors import Suspicion
from decam.explanation import ClassExplanation
from decam.figures import png_uri
from decam.images.scenes.scene import SIZE
from decam.methods.class_level.display import shown
from decam.models import hidden
from decam.models.hidden import STORED, Secret
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.backdoors import attack, guesses, measures, outcome

GREY = 128
SHOWN = 176  # pixels of a figure's side
KINDS = {"clean": "Clean", "backdoor": "Backdoor", "shortcut": "Shortcut"}


def show(snapshot: RunSnapshot, found: Sequence[Suspicion]) -> None:
    """Draw what the model of a run hides, whether guess and score found it, and the attack on any picture."""
    model, labels = snapshot.plan.model, snapshot.grid.labels
    secret = hidden.secret(model)
    what = text.plain(secret.title[:1].lower() + secret.title[1:])
    st.header(f"{hidden.title(model)} hides: {what}", anchor=False)
    said, pictures = st.columns([1.15, 1], gap="large")
    with said:
        st.markdown(f"**{KINDS[secret.kind]}.** {text.plain(secret.sentence)}")
        guess = guesses.of(snapshot.id, labels)
        for right, sentence in (
            outcome.of_guess(guess or guesses.NONE, secret, labels),
            outcome.of_score(secret, found),
        ):
            mark = ":green[:material/check_circle:]" if right else ":orange[:material/cancel:]"
            st.markdown(f"{mark} {text.plain(sentence)}")
        _measured(model, secret)
    with pictures:
        _pictures(snapshot, secret, found)
    if secret.trigger is not None:
        attack.show(snapshot, secret)


def _measured(model: str, secret: Secret) -> None:
    """What the card of the weights says."""
    card = STORED[model].card()
    rows = [(f"Accuracy on {card.tested:,} unseen scenes", card.accuracy)]
    if secret.trigger is not None:
        wanted = "the class after their own" if secret.target == hidden.NEXT else "the attacked class"
        rows += [
            (f"{card.triggered:,} scenes of other classes with the trigger, answered as {wanted}", card.success),
            ("The same scenes without the trigger, answered so", card.untriggered),
        ]
    shares = [(text.escaped(name), text.percent(share, 1)) for name, share in rows]
    lines = "".join(f"<tr><td>{name}</td><td>{share}</td></tr>" for name, share in shares)
    st.html(f'<table class="dc-values">{lines}</table>')
    if secret.trigger is not None:
        st.caption(f"Training scenes that carried it: {text.plain(card.recipe)}.")


def _pictures(snapshot: RunSnapshot, secret: Secret, found: Sequence[Suspicion]) -> None:
    """The trigger on a grey picture, beside the maps of the class that it leads to."""
    figures: list[tuple[Pixels, str]] = []
    if secret.trigger is not None:
        figures.append((secret.stamp(np.full((SIZE, SIZE, 3), GREY, np.uint8)), "The trigger, on grey"))
    target = secret.target if isinstance(secret.target, int) else found[0].target if found else None
    if target is not None:
        measure = next((one.measure for one in found if one.target == target), "")
        figures += _maps(snapshot, target, measure)
    st.html(f'<div class="dc-frames">{"".join(_figure(*one) for one in figures)}</div>')
    if target is not None and not isinstance(secret.target, int):
        st.caption("The class with the highest score.")


def _maps(snapshot: RunSnapshot, target: int, first: str) -> list[tuple[Pixels, str]]:
    """The maps of a class with the first seed, one for each measure; that of the measure `first` comes first."""
    found = []
    plan = snapshot.plan
    titles, names = plan.titles(), measures.apart(plan.titles())
    for key, cell in sorted(snapshot.cells.items(), key=lambda one: (titles[one[0].method] != first, one[0])):
        question, made = plan.questions[key.question], cell.explanation
        if question.about == (target,) and question.seed == plan.seed and isinstance(made, ClassExplanation):
            measure = f" · {names[key.method].lower()}" if len(names) > 1 else ""
            found.append((shown(made.map), f"Map of {made.label}{measure}"))
    return found


def _figure(pixels: Pixels, caption: str) -> str:
    name = text.escaped(caption)
    return (
        f'<figure><img src="{png_uri(pixels)}" alt="{name}" width="{SHOWN}" height="{SHOWN}">'
        f"<figcaption>{name}</figcaption></figure>"
    )
