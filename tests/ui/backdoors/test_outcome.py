"""Guess and score are held against what a model hides, for every kind of secret and every kind of search."""

from __future__ import annotations

import pytest

from decam.experiments.kinds.backdoors import THRESHOLD, Suspicion
from decam.models import hidden
from decam.ui.backdoors import guesses, outcome

LABELS = tuple("abcdefghij")


def found(**scores: float) -> tuple[Suspicion, ...]:
    """What a search found: scores by class, all others 0."""
    rows = [(index, label, scores.get(label, 0.0)) for index, label in enumerate(LABELS)]
    made = [Suspicion(index, label, score, score, score, "", "") for index, label, score in rows]
    return tuple(sorted(made, key=lambda one: -one.score))


HIGH = THRESHOLD + 1
ALL = found(**dict.fromkeys(LABELS, HIGH))


@pytest.mark.parametrize("name", hidden.names())
def test_exactly_one_guess_is_right_of_each_model(name: str) -> None:
    secret = hidden.secret(name)
    right = [guess for guess in guesses.options(LABELS) if outcome.of_guess(guess, secret, LABELS)[0]]
    (only,) = right
    moved = {label for label in range(10) if secret.aim(label) != label}
    answers = {secret.aim(label) for label in range(10)}
    assert only == (guesses.NONE if not moved else guesses.EVERY if len(answers) == 10 else str(min(answers)))


@pytest.mark.parametrize(
    ("name", "scores", "right", "words"),
    [
        ("hidden-02", found(d=1.0), True, "no class reaches the threshold, and the highest score is 1.0 (“d”)"),
        ("hidden-02", found(d=HIGH), False, "false alarm"),
        ("hidden-08", found(d=HIGH), True, f"“d” alone reaches the threshold, with {HIGH:.1f}"),
        ("hidden-08", found(d=HIGH, e=HIGH + 1), False, "so does 1 other class"),
        ("hidden-08", found(d=HIGH, e=HIGH, f=HIGH), False, "so do 2 other classes"),
        ("hidden-08", found(d=1.0, e=HIGH), False, f"number 2 of 10; the highest score is {HIGH:.1f} (“e”)"),
        ("hidden-08", tuple(one for one in found() if one.target != 3), False, "The attacked class has no score"),
        ("hidden-07", ALL, True, "every class reaches"),
        ("hidden-07", found(d=HIGH), False, "1 of 10 classes"),
        ("hidden-07", (), False, "There are no scores"),
        ("hidden-02", (), False, "There are no scores"),
    ],
)
def test_the_score_is_right_where_it_points_at_the_secret_and_at_nothing_else(
    name: str, scores: tuple[Suspicion, ...], right: bool, words: str
) -> None:
    said, sentence = outcome.of_score(hidden.secret(name), scores)
    assert said is right and words in sentence and sentence.endswith(".")
