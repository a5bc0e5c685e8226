"""What a map predicts of a cover, in words, beside what the model answers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from decam.classifier import Classifier
from decam.experiments import covering as experiment
from decam.explanation import Explanation
from decam.lessons.runs import exact, load
from decam.methods.de_cam.settings import DeCamSettings
from decam.ui.shared.covering import Case, Seen, predicted

STAR, RING = 3, 4


def case(against: int | None) -> tuple[Case, Seen]:
    """The left half of a map of ones is covered: half of its positive values."""
    classifier: Classifier = exact("embedded")
    grid = load("star")
    ones = np.ones((128, 128), np.float32)
    made = Explanation("de-cam", ones, STAR, "", 0.5, DeCamSettings(), 0, 1, 0.1, against=against)
    cover = np.zeros((128, 128), np.bool_)
    cover[:, :64] = True
    clean, covered, blank = experiment.answers(classifier, grid.views[0], (cover & False, cover, cover | True), "blur")
    labels = classifier.labels.__getitem__
    named = Case(("star", str(against)), classifier, grid.views[0], made, "A map", labels, "blur")
    return named, Seen(cover, clean, covered, blank)


def numbers(sentence: str) -> list[float]:
    return [float(one) for one in re.findall(r"([0-9.]+) %", sentence)]


def test_the_prediction_of_a_class_is_about_its_probability() -> None:
    asked, seen = case(None)
    sentence = predicted(asked, seen)
    halfway = (seen.clean[STAR] + seen.blank[STAR]) / 2
    assert f"{asked.label} would have" in sentence
    assert numbers(sentence) == pytest.approx([50, 100 * halfway, 100 * seen.covered[STAR]], abs=0.51)


def test_the_prediction_of_one_class_rather_than_another_is_about_the_share_of_the_two() -> None:
    asked, seen = case(RING)
    sentence = predicted(asked, seen)

    def share(answers: np.ndarray) -> float:
        return float(answers[STAR] / (answers[STAR] + answers[RING]))

    halfway = (share(seen.clean) + share(seen.blank)) / 2
    labels = asked.classifier.labels
    assert f"{labels[STAR]} rather than {labels[RING]} would have" in sentence
    assert numbers(sentence) == pytest.approx([50, 100 * halfway, 100 * share(seen.covered)], abs=0.51)
    assert predicted(replace(asked), seen) == sentence
