"""What happens between a visitor and a randomisation check: arriving with its link, and starting one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.experiments.kinds import randomisation
from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.picker import method_picker
from decam.ui.randomisation import form
from decam.ui.randomisation.form import How
from decam.ui.shared import action, method_forms, session
from decam.ui.shared.action import Start
from decam.ui.shared.method_choice import CHECKED
from decam.ui.shared.targets import Asked

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
    each = _maps_each(classifier, how)
    return action.bar(
        START,
        snapshot,
        beside=lambda: method_picker.line(classifier, choices, CHECKED),
        work=action.work(
            classifier,
            each * len(choices),
            each * method_forms.total(classifier, choices),
            at_most=method_forms.may_end_early(choices),
        ),
        ready=bool(each and asked and choices),
        begin=lambda: _start(classifier, asked[0], choices, how),
        stop=session.stop,
    )


def _maps_each(classifier: TorchClassifier, how: How) -> int:
    """How many maps each method would make; 0, with the reason on the page, where there can be no check."""
    try:
        return form.maps_each(classifier, how.mode)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return 0


def _start(classifier: TorchClassifier, asked: Asked, choices: Sequence[MethodChoice], how: How) -> str:
    """Queue a check; its link."""
    # Cheap ones first, so that there is something to see at once; controls last, to compare the others with.
    ordered = sorted(
        choices,
        key=lambda choice: (not METHODS[choice.name].needs, METHODS[choice.name].cost(choice.settings, classifier)),
    )
    plan = randomisation.plan(
        classifier,
        PictureChoice(asked.picture.name),
        ordered,
        target=asked.target,
        mode=how.mode,
        seed=how.seed,
    )
    return state.runs().start(plan, [asked.view], state.owner(), [asked.truth])
