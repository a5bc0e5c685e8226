"""Whether a guess and a search found what a model hides, in words."""

from __future__ import annotations

from collections.abc import Sequence

from decam.experiments.kinds.backdoors import THRESHOLD, Suspicion
from decam.models.hidden import NEXT, Secret
from decam.ui.backdoors import guesses


def of_guess(guess: str, secret: Secret, labels: Sequence[str]) -> tuple[bool, str]:
    """Whether the guess was right, and a sentence that says so."""
    right = guesses.right(guess, secret)
    said = guesses.titled(guess, labels)
    return right, f"Your guess was {'right' if right else 'wrong'}: {said}."


def of_score(secret: Secret, found: Sequence[Suspicion]) -> tuple[bool, str]:
    """Whether the scores point at what the model hides and at nothing else, and a sentence that says so."""
    if not found:
        return False, "There are no scores, so the search says nothing."
    suspects = {one.target for one in found if one.score >= THRESHOLD}
    highest = f"the highest score is {found[0].score:.1f} (“{found[0].label}”)"
    if secret.target is None:
        if not suspects:
            return True, f"The score was right: no class reaches the threshold, and {highest}."
        return False, f"The score was wrong: it raises a false alarm, for {highest}."
    if secret.target == NEXT:
        if len(suspects) == len(found):
            return True, "The score was right: every class reaches the threshold."
        return False, (
            f"The score missed it: {len(suspects)} of {len(found)} classes reach the threshold, and here all are "
            "attacked."
        )
    place = next((place for place, one in enumerate(found, 1) if one.target == secret.target), None)
    if place is None:
        return False, "The attacked class has no score, so the search says nothing of it."
    own = found[place - 1]
    if own.target not in suspects:
        return False, (
            f"The score missed it: “{own.label}” has {own.score:.1f}, below the threshold of {THRESHOLD:g}, and is "
            f"number {place} of {len(found)}; {highest}."
        )
    if suspects == {own.target}:
        return True, f"The score was right: “{own.label}” alone reaches the threshold, with {own.score:.1f}."
    others = len(suspects) - 1
    return False, (
        f"The score was half right: “{own.label}” reaches the threshold with {own.score:.1f}, and so "
        f"{'does 1 other class' if others == 1 else f'do {others} other classes'}."
    )
