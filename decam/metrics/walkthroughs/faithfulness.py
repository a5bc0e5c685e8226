"""Metrics that hide parts of the picture, one after the other: the pictures the model saw and its answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from decam.explanation import last
from decam.masking import step_picture, to_pixels
from decam.metrics import infidelity, mu_fidelity, road
from decam.metrics.base import Curve, Sequencing
from decam.metrics.curves import changes
from decam.metrics.scales import Values
from decam.metrics.walkthroughs.panels import Chart, Line, Panel, Picture, Show, Work, array
from decam.numerals import apart, fixed, minus, significant
from decam.shares import percent, whole
from decam.spacing import evenly

_STEPS = 7
_LEVELS = 3
_PARTS = 4
PROBABILITY = "Probability of the class"


def _curve(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The picture at several shares and the curve they lie on."""
    curve = _drawn(work)
    done = "hidden" if _hides(work) else "shown"
    places = _telling(array(curve.values), _STEPS)
    pictures = [_seen(work, curve, place, f"{whole(float(curve.shares[place]))} {done}") for place in places]
    x, y = array(curve.shares) * 100, array(curve.values)
    lines = (Line("each step", x, y, filled=True), Line("the images above", x[places], y[places], points=True))
    chart = Chart("The value is the shaded area", f"Share of the image {done} (%)", PROBABILITY, lines, (0, 100))
    pictures_text = f"{len(x)} images, most salient pixels first, {_from(work)}"
    return (*pictures, chart), f"{pictures_text}: the area under their probabilities is {curve.area:.3f}."


def _telling(values: Values, wanted: int) -> list[int]:
    """At most `wanted` places of a curve, both ends among them: half as time goes by, half where it moves."""
    moved = np.abs(np.diff(values))
    steps = 1 / len(moved) + moved / max(float(moved.sum()), 1e-12)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return sorted({int(np.abs(along - place).argmin()) for place in np.linspace(0, along[-1], wanted)})


def _correlated(work: Work) -> tuple[tuple[Panel, ...], str]:
    """Each step's change in score against the saliency of its pixels, and the step that changed it most."""
    curve = _drawn(work)
    saliency, change = changes(work.case, 0, curve, _kind(work))
    moved = np.diff(curve.values) * (-1 if _hides(work) else 1)
    most = int(moved.argmax())
    fall = "fall" if _hides(work) else "rise"
    pictures = [_seen(work, curve, place, caption) for place, caption in _around(most, len(moved), fall)]
    chart = Chart(
        f"The value is the correlation of these {len(saliency)} points",
        "Mean saliency of the pixels changed",
        f"How far the probability {fall}s",
        (Line("each step", saliency, change, points=True),),
        (0, 1),
    )
    value = work.measurement.value
    return (work.judged(), *pictures, chart), (
        f"{len(moved)} steps {_from(work)}: the {fall} in probability and the saliency of the pixels behind it "
        f"correlate by {fixed(value, 3)}."
    )


def _around(most: int, steps: int, fall: str) -> tuple[tuple[int, str], ...]:
    return (
        (most, f"Before step {most + 1} of {steps}, the steepest {fall}"),
        (most + 1, f"After step {most + 1}"),
    )


def _squares(work: Work) -> tuple[tuple[Panel, ...], str]:
    """A few hidden squares with the predicted and the measured drop, and all squares as points."""
    case, settings = work.case, work.settings
    hidden, falls = last(infidelity.hidden_squares(case, settings))
    measured: Values = falls.numpy()
    predicted = infidelity.predicted_drops(work.saliency, hidden, falls)
    pictures = [
        _without_part(work, hidden[place], f"predicted {predicted[place]:+z.2f}, measured {measured[place]:+z.2f}")
        for place in _from_most_to_least(measured)
    ]
    ends = array([min(0.0, measured.min(), predicted.min()), max(measured.max(), predicted.max())])
    chart = Chart(
        "The value is the mean squared distance from the line",
        "Drop in probability that the map predicts",
        "Measured drop",
        (Line("each square", predicted, measured, points=True), Line("predicted rightly", ends, ends, quiet=True)),
    )
    return (work.judged(), *pictures, chart), (
        f"{len(measured)} random squares hidden, one at a time: the drop that the map predicts misses the measured "
        f"one by {significant(work.measurement.value)} in the mean square."
    )


def _sets(work: Work) -> tuple[tuple[Panel, ...], str]:
    """A few hidden sets of cells with the map's sum in them and the measured drop, and all sets as points."""
    sets, falls = last(mu_fidelity.hidden_sets(work.case, work.settings))
    measured: Values = falls.numpy()
    sums = mu_fidelity.sums(work.saliency, sets)
    shown = sums / np.abs(sums).max()
    pictures = [
        _without_part(work, sets[place], f"sum {shown[place]:+z.2f}, drop {measured[place]:+z.2f}")
        for place in _from_most_to_least(measured)
    ]
    chart = Chart(
        f"The value is the correlation of these {len(measured)} points",
        "The map's sum in the hidden cells, beside the largest",
        "Measured drop in probability",
        (Line("each set", shown, measured, points=True),),
    )
    return (work.judged(), *pictures, chart), (
        f"{len(measured)} random sets of cells hidden, one set at a time: the map's sum in the hidden cells and the "
        f"drop in probability correlate by {fixed(work.measurement.value, 3)}."
    )


def _from_most_to_least(falls: Values) -> list[int]:
    """Where a few falls stand, from the largest to the smallest."""
    order = np.argsort(-falls, kind="stable")
    return [int(order[rank]) for rank in evenly(len(order), _PARTS)]


def _without_part(work: Work, hidden: Tensor, caption: str) -> Picture:
    """The very picture that the model saw with a part (H×W, True inside) hidden."""
    image = work.case.question.image
    filled = torch.where(hidden.to(image.device), work.case.filling(work.settings.fill), image)
    return Picture(minus(caption), to_pixels(filled))


def _without(work: Work) -> tuple[tuple[Panel, ...], str]:
    """Imputed pictures without the most and without the least salient pixels, and both curves."""
    case, settings = work.case, work.settings
    levels = array([level / (settings.levels + 1) for level in range(1, settings.levels + 1)])
    chosen = evenly(settings.levels, _LEVELS)
    panels: list[Panel] = []
    answers = {}
    for least, name in ((False, "most"), (True, "least")):
        answers[least] = last(road.answers(case, settings, 0, least=least))
        for place, picture in enumerate(road.pictures(case, settings, 0, least=least)):
            if place in chosen:
                caption = f"{percent(levels[place], 0)} {name} salient imputed"
                panels.append(Picture(caption, to_pixels(picture), probability=float(answers[least][place])))
    lines = (
        Line("least salient removed (LeRF)", levels * 100, answers[True]),
        Line("most salient removed (MoRF)", levels * 100, answers[False]),
    )
    chart = Chart(
        "The value is half the mean gap between the lines",
        "Share of the image imputed (%)",
        PROBABILITY,
        lines,
        (0, 100),
        (0, 1),
    )
    least_mean, most_mean = float(answers[True].mean()), float(answers[False].mean())
    places = apart(least_mean, most_mean)
    return (*panels, chart), (
        f"Mean probability {fixed(least_mean, places)} without the least salient pixels, "
        f"{fixed(most_mean, places)} without the most: half the difference is {fixed(work.measurement.value, places)}."
    )


def _drawn(work: Work) -> Curve:
    curve = work.measurement.curve
    if curve is None:
        raise LookupError("Deletion and insertion always come with their curve.")
    return curve


def _hides(work: Work) -> bool:
    """True where the metric hides pixels, False where it shows them."""
    return work.measurement.metric.startswith("deletion")


def _kind(work: Work) -> Sequencing:
    return "deletion" if _hides(work) else "insertion"


def _from(work: Work) -> str:
    return f"hidden by {work.settings.fill}" if _hides(work) else f"shown over {work.settings.fill}"


def _seen(work: Work, curve: Curve, place: int, caption: str) -> Picture:
    """The very picture that the model saw at a place of the curve."""
    question = work.case.question
    filling = work.case.filling(work.settings.fill)
    share = place / (len(curve.shares) - 1)
    pixels = step_picture(
        question.image, work.case.maps[0], filling, share, "deletion" if _hides(work) else "insertion"
    )
    return Picture(caption, pixels, probability=float(curve.values[place]))


CURVE: Show = _curve
CORRELATED: Show = _correlated
SQUARES: Show = _squares
SETS: Show = _sets
WITHOUT: Show = _without
