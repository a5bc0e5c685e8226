"""What happens between a visitor and a run: arriving with its link, starting one and stopping it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.classifier import TorchClassifier
from decam.durations import duration
from decam.errors import DecamError, StoreError
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.hardware.device import devices
from decam.methods import METHODS
from decam.models import catalogue
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text, theme
from decam.ui.compare import run_view
from decam.ui.components.picker import method_picker
from decam.ui.search import form
from decam.ui.shared import measuring, method_forms, model_choice, pictures, targets, throughput
from decam.ui.shared.measuring import Measuring
from decam.ui.shared.targets import Asked

MOMENT = 0.4  # seconds


def begin(page: str) -> None:
    """Begin a page: what is carried along, its rules, and what went wrong in a callback, said once."""
    state.arrive(page)
    theme.apply()
    sentence = st.session_state.pop("problem", None)
    if sentence:
        st.error(text.plain(sentence))


def opened(page: str) -> RunSnapshot | None:
    """Begin a page: its rules, its widgets as they were left or as the run of its link has them, and that run.

    Must be called before any of these widgets is drawn.
    """
    begin(page)
    snapshot = run_view.snapshot_of(state.run_id())
    _take_up(snapshot)
    throughput.learn(snapshot)
    return snapshot


def _take_up(snapshot: RunSnapshot | None) -> None:
    """Fill the page's widgets from the run of the address: whenever that is another one, and after a click on it."""
    if snapshot is None or not state.taken_up(state.RUN, snapshot.id):
        return
    plan = snapshot.plan
    if plan.model in catalogue.ENTRIES:
        model_choice.chosen_by_visitor(plan.model)
    if plan.device in devices():
        st.session_state["device"] = plan.device
    pictures.keep(snapshot.id)
    for question in plan.questions:
        targets.restore(plan.model, pictures.kept_key(snapshot.id, question.picture), question.target)
    method_forms.restore(tuple(choice for choice in plan.methods if choice.name in METHODS), plan.model)
    form.restore(plan)
    measuring.restore(plan)


def _start(
    classifier: TorchClassifier, asked: Sequence[Asked], choices: Sequence[MethodChoice], how: Measuring
) -> RunSnapshot | None:
    """Queue a comparison and show it from now on; where it cannot be made the page says why."""
    try:
        plan = comparison.plan(
            classifier.name,
            str(classifier.device),
            [PictureChoice(one.picture.name) for one in asked],
            choices,
            targets=[one.target for one in asked],
            metrics=how.metrics,
            seed=how.seed,
        )
        views, truths = [one.view for one in asked], [one.truth for one in asked]
        run = state.runs().start(plan, views, state.owner(), truths)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return None
    state.show_run(run, made_here=True)
    return _first_map(run)


def _first_map(run: str) -> RunSnapshot:
    """Give cheap methods a moment, so that the first drawing shows a map and not the second, a poll later."""
    deadline = time.monotonic() + MOMENT
    while True:
        snapshot = state.runs().snapshot(run)
        finished = any(cell.explanation is not None for cell in snapshot.cells.values())
        if finished or snapshot.ahead or not snapshot.active or time.monotonic() > deadline:
            return snapshot
        time.sleep(0.02)


def action(
    classifier: TorchClassifier,
    asked: Sequence[Asked],
    choices: Sequence[MethodChoice],
    how: Measuring,
    snapshot: RunSnapshot | None,
    beside: Callable[[TorchClassifier, Sequence[MethodChoice]], None] = method_picker.line,
) -> RunSnapshot | None:
    """Draw the methods beside the button that starts a run or stops the one shown; the run to show."""
    with st.container(key="action", horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        beside(classifier, choices)
        with st.container(key="go", width=168, gap="xsmall"):
            place = st.empty()
            cost = len(asked) * method_forms.total(classifier, choices)
            st.caption(_work(len(asked) * len(choices), cost, throughput.of(classifier)))
    if (snapshot is None or not snapshot.active) and _explain(place, bool(asked and choices)):
        # Shown in the same pass: a second one would cost the visitor a good part of a second.
        snapshot = _start(classifier, asked, choices, how) or snapshot
    if snapshot is not None and snapshot.active:
        place.button(
            "Stop",
            key="stop",
            icon=":material/stop:",
            width="stretch",
            help="End this run within a second; what is finished stays.",
            on_click=stop,
            args=(snapshot.id,),
        )
    return snapshot


def _work(maps: int, cost: int, rate: float | None) -> str:
    told = f"{text.several(maps, 'map')} · {cost:,} evaluations"
    return told if rate is None or not cost else f"{told} · about {duration(max(1.0, cost * rate))}"


def _explain(place: DeltaGenerator, ready: bool) -> bool:
    return place.button(
        "Explain",
        key="explain",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not ready,
        help="Run what is switched on for every picture, in the background.",
    )


def begin_again() -> None:
    """Leave the run and its pictures behind; settings stay."""
    pictures.clear()
    state.show_run(None)
    st.session_state["model_by_visitor"] = False


def stop(run: str) -> None:
    """End a run; where that cannot be, the page says why."""
    try:
        state.runs().stop(run)
    except StoreError as error:
        st.session_state["problem"] = str(error)
