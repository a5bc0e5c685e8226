"""What happens between a visitor and a randomisation check: arriving with its link, and starting one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.experiments.kinds import randomisation
from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.questions import Variant
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components.picker import method_picker
from decam.ui.randomisation import form
from decam.ui.randomisation.form import How
from decam.ui.shared import action, session
from decam.ui.shared.action import Start
from decam.ui.shared.method_choice import CHECKED
from decam.ui.shared.targets import Asked
from decam.ui.shared.wish import Wish

START = Start(
    title="Randomise",
    key="randomise",
    icon=":material/shuffle:",
    help="Recompute every map as the weights are randomised. You can leave the page meanwhile.",
)


def opened() -> RunSnapshot | None:
    """Begin the page: its rules, its widgets as they were left or as the check of its link has them, and that check."""
    return session.opened_as("sanity", RANDOMISATION, form.take_up)


def bar(
    classifier: TorchClassifier,
    asked: Sequence[Asked],
    choices: Sequence[MethodChoice],
    how: How,
    snapshot: RunSnapshot | None,
) -> RunSnapshot | None:
    """Draw the methods beside the button that starts a check or stops the one shown; the check to show."""
    drawn = _variants(classifier, how)
    return action.bar(
        START,
        snapshot,
        beside=lambda: method_picker.line(classifier, choices, CHECKED),
        classifier=classifier,
        wanted=lambda: _wish(classifier, asked[0], choices, how, drawn) if drawn and asked and choices else None,
        stop=session.stop,
    )


def _variants(classifier: TorchClassifier, how: How) -> tuple[Variant, ...]:
    """The variants of the model; none, with the reason on the page, where there can be no check."""
    try:
        return form.variants_of(classifier, how)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return ()


def _wish(
    classifier: TorchClassifier, asked: Asked, choices: Sequence[MethodChoice], how: How, drawn: Sequence[Variant]
) -> Wish:
    """The check that is chosen."""
    # Cheap ones first, so that there is something to see at once; controls last, to compare the others with.
    ordered = sorted(
        choices,
        key=lambda choice: (not METHODS[choice.name].needs, METHODS[choice.name].cost(choice.settings, classifier)),
    )
    plan = randomisation.plan(
        classifier,
        PictureChoice(asked.picture.name, framing=asked.picture.framing),
        ordered,
        target=asked.target,
        against=asked.against,
        mode=how.mode,
        seed=how.seed,
        drawn=drawn,
    )
    return Wish(plan, (asked.view,), (asked.truth,), (asked.class_index,) * len(plan.questions))
