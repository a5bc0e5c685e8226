"""What happens between a visitor and a run: arriving with its link, starting one and stopping it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError, StoreError
from decam.experiments.kinds import comparison
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text, theme
from decam.ui.components.picker import method_picker
from decam.ui.shared import action as run_button
from decam.ui.shared import (
    ground_truth,
    measuring,
    method_forms,
    model_choice,
    pictures,
    run_pages,
    targets,
    throughput,
    variants,
    wish,
)
from decam.ui.shared.action import Start
from decam.ui.shared.measuring import Measuring
from decam.ui.shared.targets import Asked
from decam.ui.shared.wish import Wish


def begin(page: str) -> None:
    """Begin a page: what is carried along, its rules, and what went wrong in a callback, said once."""
    state.arrive(page)
    theme.apply()
    theme.title(begin=True)
    wish.forget()
    sentence = st.session_state.pop("problem", None)
    if sentence:
        st.error(text.plain(sentence))


def opened(page: str) -> RunSnapshot | None:
    """Begin a page and return the run of its link. The widgets are set as that run has them, or stay as they were.

    Must be called before any of these widgets is drawn.
    """
    return opened_as(page, COMPARISON, _take_up)


def opened_as(page: str, kind: str, take_up: Callable[[RunSnapshot], None]) -> RunSnapshot | None:
    """Begin a page for runs of a kind and return the run of its link.

    `take_up` sets the page's widgets as a run has them, whenever the address names another run.
    """
    begin(page)
    snapshot = run_pages.snapshot_of(state.run_id(), kind)
    if snapshot is not None and state.taken_up(snapshot.id):
        take_up(snapshot)
    throughput.learn(snapshot)
    return snapshot


def _take_up(snapshot: RunSnapshot) -> None:
    """Set the widgets of pages on comparisons as a run has them."""
    plan = snapshot.plan
    model_choice.restore(plan.model, plan.device)
    pictures.keep(snapshot.id)
    pictures.restore_framing(plan.pictures[0].framing)
    for place, question in enumerate(plan.questions):
        key = pictures.kept_key(snapshot.id, plan.place_of(place))
        targets.restore(plan.model, key, question.target, question.against)
    method_forms.restore(tuple(choice for choice in plan.methods if choice.name in METHODS), plan.model)
    variants.restore(plan)
    measuring.restore(plan)


START = Start(
    title="Explain",
    key="explain",
    icon=":material/play_arrow:",
    help="Make one map per image and chosen method. You can leave the page meanwhile.",
)


def action(
    classifier: TorchClassifier,
    asked: Sequence[Asked],
    choices: Sequence[MethodChoice],
    how: Measuring,
    snapshot: RunSnapshot | None,
    beside: Callable[[TorchClassifier, Sequence[MethodChoice]], None] = method_picker.line,
    offered: frozenset[str] | None = None,
) -> RunSnapshot | None:
    """Draw the methods beside the button that starts a run or stops the one shown; the run to show.

    `offered` names the methods among which the page lets one choose, where these are not all.
    """
    snapshot = _marked(asked, snapshot)
    return run_button.bar(
        START,
        snapshot,
        beside=lambda: beside(classifier, choices),
        classifier=classifier,
        wanted=lambda: _wish(classifier, asked, choices, how, offered) if asked and choices else None,
        stop=stop,
    )


def _marked(asked: Sequence[Asked], snapshot: RunSnapshot | None) -> RunSnapshot | None:
    """Where a ground truth has just been changed, measure the maps of the run shown by it, if they are for that class.

    A run of somebody else's stays as it is. Returns the run as it is then. The page says why where that cannot be.
    """
    key = ground_truth.changed()
    if key is None or snapshot is None or not state.may_change(snapshot):
        return snapshot
    for one in asked:
        place = run_pages.place_of(snapshot, one.view, one.class_index) if one.picture.key == key else None
        if place is not None:
            try:
                state.runs().mark(snapshot.id, place, one.truth, state.owner())
                return state.runs().snapshot(snapshot.id)
            except DecamError as error:
                st.error(text.plain(str(error)))
    return snapshot


def _wish(
    classifier: TorchClassifier,
    asked: Sequence[Asked],
    choices: Sequence[MethodChoice],
    how: Measuring,
    offered: frozenset[str] | None,
) -> Wish:
    """The comparison that is chosen."""
    plan = comparison.plan(
        classifier.name,
        str(classifier.device),
        [PictureChoice(one.picture.name, framing=one.picture.framing) for one in asked],
        choices,
        targets=[one.target for one in asked],
        against=[one.against for one in asked],
        metrics=how.metrics,
        seed=how.seed,
    )
    return Wish(
        plan,
        tuple(one.view for one in asked),
        tuple(one.truth for one in asked),
        tuple(one.class_index for one in asked),
        offered,
    )


def begin_again() -> None:
    """Leave the run and its pictures behind; settings stay."""
    pictures.clear()
    state.show_run(None)
    st.session_state["model_by_visitor"] = False


def stop(run: str) -> None:
    """End a run; where that cannot be, the page says why."""
    try:
        state.runs().stop(run, state.owner())
    except StoreError as error:
        st.session_state["problem"] = str(error)
