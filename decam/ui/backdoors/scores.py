"""How odd each class is: the scores of a search with their intervals, and what they mean and do not mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from decam.experiments.kinds.backdoors import THRESHOLD, Suspicion, verdict
from decam.figures.intervals import Named, intervals_figure
from decam.methods.class_level.scoring import LEAST
from decam.ui import text
from decam.ui.components.charts import figures

MOST = 20
"""The most classes that are drawn; of more, those with the highest scores."""
AXIS = "Anomaly score"
MEANS = (
    "A trigger is a short way to its class: a pattern that leads there from any image costs less than those of the "
    "other classes. The **anomaly score** says how much cheaper the pattern of a class is than the cheapest one of any "
    "other class, on a logarithmic scale: 1 is typical of the cheapest class of a clean model. Cost is measured in "
    "several ways, and that in which the class stands out most counts. An attack may also lead every class to another. "
    "So the search looks for the **cheapest shuffle** as well, a pattern that does that: its score says how much "
    "cheaper it is than one that moves the classes by chance, and all classes share it. The dot is the median over the "
    f"seeds, and the line reaches from the lowest seed to the highest. From {THRESHOLD:g} on, the dotted line, a class "
    "counts as suspicious."
)
LIMITS = (
    "A high score is a reason to look, and no proof: a class may be easy to reach by itself, or by a mark that went "
    "with it in training. A low score is no proof either: a trigger may be dear in every measure used here. A shuffle "
    "is searched on drawn scenes, for ten classes at most. It says nothing of a model that takes these for few classes."
)


def show(found: Sequence[Suspicion], run: str) -> None:
    """Draw the scores with the verdict on them; where there are none yet, say what they wait for."""
    st.header("Anomaly scores", anchor=False)
    if not found:
        st.caption(f"The scores come when the maps of at least {LEAST} classes are finished with one seed.")
    else:
        drawn = in_order(found)
        intervals = [Named(one.score, one.low, one.high, text.capital(text.visible(one.label))) for one in drawn]
        alt = "; ".join(f"{one.label} {one.score:.1f}, from {one.low:.1f} to {one.high:.1f}" for one in drawn)
        drawn_scores = partial(intervals_figure, AXIS, intervals, THRESHOLD)
        figures.offer(drawn_scores, f"suspicions-{run}", "Anomaly scores of all classes", f"{AXIS}: {alt}")
        if len(found) > len(drawn):
            st.caption(f"The {len(drawn)} classes with the highest scores, of {len(found):,}.")
        st.markdown(text.plain(verdict(found)))
        if found[0].score >= THRESHOLD:
            st.caption(text.plain(found[0].sentence))
    with st.expander("What the score means, and what it does not"):
        st.markdown(MEANS)
        st.markdown(LIMITS)


def in_order(found: Sequence[Suspicion]) -> list[Suspicion]:
    """The classes that are drawn, in the order of the gallery; of many, the most suspicious first."""
    return sorted(found, key=lambda one: one.target) if len(found) <= MOST else list(found[:MOST])
