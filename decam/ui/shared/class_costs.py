"""What maps of classes cost before they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.experiments.plan import MethodChoice
from decam.methods import CLASS_METHODS

MANY = 100  # classes from which on the page says so


def evaluations(classifier: Classifier, choices: Sequence[MethodChoice], targets: int, seeds: int) -> int:
    """Evaluations that the maps of so many targets cost at most, with each of so many seeds."""
    return sum(CLASS_METHODS[one.name].total(one.settings, classifier, targets, seeds) for one in choices)


def warn(count: int, evaluations: int) -> None:
    """Say what so many classes cost before they are asked about."""
    if count > MANY:
        st.info(
            f"All these maps ask the model {evaluations:,} times, {evaluations // count:,} times a class. Maps appear "
            "one batch of classes after another, and what is finished stays if you stop. A few classes show first "
            "whether the settings fit."
        )
