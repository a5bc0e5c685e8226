from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from decam.classifier import probabilities, to_tensor
from decam.errors import SettingError
from decam.explanation import Question, last
from decam.masking import to_pixels
from decam.metrics import METRICS, Case, Measurement, Origin
from decam.metrics.scales import pearson
from decam.metrics.taxonomy import FAMILIES, grouped
from decam.metrics.walkthroughs import SHOWS, Bars, Chart, Line, Picture, Shown, walkthrough
from tests.tools import cases

TRUTH = np.zeros(cases.SIZE, bool)
TRUTH[3:8, 2:7] = True


def bright(question: Question, seed: int) -> object:
    """A method that has a map of its own for each picture and seed."""
    yield from ()
    noise = np.random.default_rng(seed).random(cases.SIZE)
    return (question.image.mean(0).numpy() ** 2 + 0.1 * noise).astype(np.float32)


def case(saliency: np.ndarray | None = None) -> Case:
    view = cases.view(4)
    if saliency is None:
        question = cases.case(cases.bent(), view, []).question
        saliency = last(bright(question, 3))
    other = cases.saliency(9)
    return cases.case(cases.bent(), view, [saliency, other], TRUTH, [Origin(bright, 3), Origin(bright, 3)])


@cache
def shown(name: str) -> Shown:
    return last(walkthrough(case(), METRICS[name]))


def pictures(of: Shown) -> list[Picture]:
    return [panel for panel in of.panels if isinstance(panel, Picture)]


def lines(of: Shown) -> tuple[Line, ...]:
    return next(panel for panel in of.panels if isinstance(panel, Chart)).lines


def bars(of: Shown) -> np.ndarray:
    return next(panel for panel in of.panels if isinstance(panel, Bars)).values


def answers(of: Shown) -> tuple[float, float]:
    """The model's own answers to the first and the last picture that has a probability."""
    asked = [one.probability for one in pictures(of) if one.probability is not None]
    return asked[0], asked[-1]


def area(of: Shown) -> float:
    return float(np.trapezoid(lines(of)[0].y, lines(of)[0].x))


def drop(of: Shown) -> float:
    own, masked = answers(of)
    return (own - masked) / own


def inside(of: Shown) -> float:
    within, beside = (float(one.saliency.sum()) for one in pictures(of)[1:])
    return within / (within + beside)


def overlap(of: Shown) -> float:
    cut = pictures(of)[1]
    return (cut.kept & cut.truth).sum() / (cut.kept | cut.truth).sum()


def hit(of: Shown) -> float:
    marked = pictures(of)[1]
    return float(marked.truth[marked.mark])


def entropy(of: Shown) -> float:
    shares = lines(of)[0].y / len(lines(of)[0].y)
    return float(-(shares * np.log(shares)).sum() / np.log(len(shares)))


# How a reader would work out the value from what is shown.
READ: dict[str, Callable[[Shown], float]] = {
    "deletion": lambda of: area(of) / 100,
    "insertion": lambda of: area(of) / 100,
    "deletion-correlation": lambda of: pearson(lines(of)[0].x, lines(of)[0].y),
    "insertion-correlation": lambda of: pearson(lines(of)[0].x, lines(of)[0].y),
    "average-drop": lambda of: max(0.0, drop(of)),
    "increase-in-confidence": lambda of: float(answers(of)[1] > answers(of)[0]),
    "average-drop-in-deletion": drop,
    "infidelity": lambda of: float(((lines(of)[0].x - lines(of)[0].y) ** 2).mean()),
    "mu-fidelity": lambda of: pearson(lines(of)[0].x, lines(of)[0].y),
    "road": lambda of: float((lines(of)[0].y - lines(of)[1].y).mean() / 2),
    "adcc": lambda of: 3 / float((1 / bars(of)).sum()),
    "pointing-game": hit,
    "energy-inside": inside,
    "iou": overlap,
    "iou-otsu": overlap,
    "relevance-mass": inside,
    "relevance-rank": lambda of: (pictures(of)[1].kept & TRUTH).sum() / TRUTH.sum(),
    "localisation-auc": lambda of: area(of) / 100**2,
    "max-sensitivity": lambda of: float(bars(of).max()),
    "seed-agreement": lambda of: float(bars(of).mean()),
    "consistency": lambda of: float(bars(of).mean()),
    "sparsity": lambda of: float(lines(of)[0].y.max() / lines(of)[0].y.mean()),
    "entropy": entropy,
    "effective-pixels": lambda of: float(lines(of)[1].x[1] / 100),
}


def test_every_metric_is_shown_at_work() -> None:
    assert list(SHOWS) == list(METRICS) == list(READ)


def test_every_metric_is_in_a_family() -> None:
    assert [metric.name for _, rows in grouped(METRICS.values()) for metric in rows] == list(METRICS)
    assert all(family.question.endswith("?") and family.summary.endswith(".") for family in FAMILIES.values())


@pytest.mark.parametrize("name", METRICS)
def test_what_is_shown_adds_up_to_the_value(name: str) -> None:
    found = shown(name)
    row = METRICS[name]
    (value, other) = (one.value for one in last(row.run(case(), row.settings())))
    assert [one.value for one in found.measurements] == pytest.approx([value, other], abs=1e-12)
    assert READ[name](found) == pytest.approx(value, abs=2e-6)


@pytest.mark.parametrize("name", METRICS)
def test_every_step_is_told_in_words(name: str) -> None:
    found = shown(name)
    assert found.words.endswith((".", ": 1", ": 0")) and "nan" not in found.words
    assert 2 <= len(found.panels) <= 10
    assert all(panel.caption for panel in found.panels)


@pytest.mark.parametrize("name", METRICS)
def test_showing_asks_no_more_than_measuring(name: str) -> None:
    row = METRICS[name]
    measured, seen = case(), case()
    last(row.run(measured, row.settings()))
    last(walkthrough(seen, row))
    assert seen.question.ledger.evaluations == measured.question.ledger.evaluations


@pytest.mark.parametrize(
    "name", ["deletion", "insertion", "deletion-correlation", "insertion-correlation", "average-drop", "road", "adcc"]
)
def test_a_probability_beside_a_picture_is_the_models_answer_to_it(name: str) -> None:
    classifier = cases.bent()
    for picture in pictures(shown(name)):
        if picture.probability is not None:
            answer = float(probabilities(classifier, to_tensor(classifier, picture.pixels).unsqueeze(0))[0, 0])
            assert answer == pytest.approx(picture.probability, abs=0.01)  # the picture is rounded to bytes


def test_steps_of_deletion_go_from_the_picture_to_the_fill() -> None:
    first, *_, end = pictures(shown("deletion"))
    assert np.array_equal(first.pixels, cases.view(4))
    assert len(np.unique(end.pixels.reshape(-1, 3), axis=0)) == 1


def test_a_square_shown_is_the_one_hidden() -> None:
    squares = pictures(shown("infidelity"))[1:]
    changed = [(one.pixels != cases.view(4)).any(axis=2) for one in squares]
    for mask in changed:
        rows, columns = np.nonzero(mask)
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
    foretold = [float(one.caption.split()[1].rstrip(",")) for one in squares]
    assert len(squares) == 4 and np.isfinite(foretold).all()


def test_the_worst_of_the_changed_pictures_is_shown() -> None:
    found = pictures(shown("max-sensitivity"))
    known, worst = found[1].saliency, found[3].saliency
    largest = np.linalg.norm(worst - known) / np.linalg.norm(known)
    assert largest == pytest.approx(shown("max-sensitivity").measurements[0].value, rel=1e-5)
    assert not np.array_equal(found[0].pixels, found[2].pixels)


def test_moved_pictures_are_shown_with_their_own_maps() -> None:
    _, mirrored, *shifted = pictures(shown("consistency"))
    assert np.array_equal(mirrored.pixels, cases.view(4)[:, ::-1])
    assert len(shifted) == 4


def test_a_method_without_chance_is_said_to_be_one() -> None:
    def plain(question: Question, seed: int) -> object:
        del seed
        return (yield from bright(question, 1))

    question = cases.case(cases.bent(), cases.view(4), []).question
    judged = cases.case(cases.bent(), cases.view(4), [last(bright(question, 1))], None, [Origin(plain, 3)])
    found = last(walkthrough(judged, METRICS["seed-agreement"]))
    assert "nothing at random" in found.words and found.measurements[0].value == 1


@pytest.mark.parametrize("name", METRICS)
def test_a_constant_map_is_shown_without_a_nan_in_the_words(name: str) -> None:
    found = last(walkthrough(case(np.full(cases.SIZE, 0.5, np.float32)), METRICS[name]))
    assert found.panels and "nan" not in found.words


@pytest.mark.parametrize("name", METRICS)
def test_a_signed_map_with_gaps_is_shown(name: str) -> None:
    saliency = cases.signed(2)
    saliency[0, 0] = np.nan
    found: Shown = last(walkthrough(case(saliency), METRICS[name]))
    judged: Measurement = found.measurements[0]
    assert np.isfinite(judged.value) and "not finite" in judged.note
    for picture in pictures(found):
        assert picture.saliency is None or np.isfinite(picture.saliency).all()


def test_what_a_metric_lacks_is_said() -> None:
    bare = cases.case(cases.bent(), cases.view(), [cases.saliency()])
    with pytest.raises(SettingError, match="needs the ground truth"):
        last(walkthrough(bare, METRICS["iou"]))
    with pytest.raises(SettingError, match="makes each map again"):
        last(walkthrough(bare, METRICS["adcc"]))


def test_a_picture_for_the_eye_is_the_picture_asked() -> None:
    view = cases.view(6)
    image = torch.from_numpy(view.copy()).permute(2, 0, 1).float() / 255
    assert np.array_equal(to_pixels(image), view)
