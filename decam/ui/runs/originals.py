"""The pictures of a run as they were given, where they are still here: runs keep only what the model sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from PIL import Image

from decam.classifier import Classifier
from decam.errors import DecamError
from decam.figures import png_bytes
from decam.images.framing import FIT, padded
from decam.images.samples import SAMPLES
from decam.images.seen_part import Part
from decam.runs.snapshots import RunSnapshot
from decam.ui.components.grid.grid import GridOriginal
from decam.ui.shared import pictures, run_pages
from decam.ui.shared.pictures import Chosen

MOST, SMALL = 1200, 320
"""Pixels of the longer side that a browser is sent at most: of the part that the model sees, and of the whole."""


def original(snapshot: RunSnapshot, question: int) -> GridOriginal | None:
    """A run's picture as it was given; None where no sample and no upload of the visitor is it."""
    choice, view = snapshot.plan.picture_of(question), snapshot.grid.view_of(question)
    here = (*pictures.uploaded(), *map(pictures.of_sample, SAMPLES))
    given = [replace(one, framing=choice.framing) for one in here if one.name == choice.name]
    if not given:
        return None
    try:
        classifier = run_pages.model_of(snapshot)
        same = [one for one in given if np.array_equal(one.view(classifier), view)]
    except DecamError:
        return None  # without the model nobody knows which part it saw; maps are shown over what it did see
    return _original(classifier.name, same[0].seen_key, classifier, same[0], view.shape[0]) if same else None


@st.cache_data(show_spinner=False, max_entries=64)
def _original(model: str, key: str, _classifier: Classifier, _given: Chosen, seen: int) -> GridOriginal:
    del model, key  # they name the entry in the cache
    image, part = _given.whole(), _given.part(_classifier)
    if _given.framing == FIT:  # all of it is seen, and the bars belong to what the map lies over
        sharp = Image.fromarray(padded(image, (MOST, round(MOST * view_ratio(_classifier))), _classifier.mean))
        return GridOriginal(_png(image, SMALL), _png(sharp, MOST) if max(image.size) > seen else None, Part())
    finer = part.of(image)
    return GridOriginal(_png(image, SMALL), _png(finer, MOST) if min(finer.size) > seen else None, part)


def view_ratio(classifier: Classifier) -> float:
    """Width of a model's input over its height."""
    height, width = classifier.input_size
    return width / height


def _png(image: Image.Image, most: int) -> bytes:
    """A picture whose longer side has so many pixels at most."""
    smaller = image.copy()
    smaller.thumbnail((most, most))
    return png_bytes(np.asarray(smaller.convert("RGB"), dtype=np.uint8))
