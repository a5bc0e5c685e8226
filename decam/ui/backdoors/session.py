"""What happens between a visitor and a search: arriving with its link, and starting one."""

from __future__ import annotations

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.experiments.kinds import backdoors
from decam.experiments.kinds.backdoors import BACKDOORS
from decam.experiments.plan import Plan
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.backdoors import guesses, suspects
from decam.ui.shared import action, seeds, session
from decam.ui.shared.action import Start
from decam.ui.shared.class_costs import evaluations, warn
from decam.ui.shared.wish import Wish

COUNT = "suspect-seeds"
START = Start(
    title="Search",
    key="search-model",
    icon=":material/search:",
    help="Look for the cheapest map of every class. You can leave the page meanwhile.",
)


def opened() -> RunSnapshot | None:
    """Begin the page: its widgets as they were left or as the run of its link has them, and that run."""
    snapshot = session.opened_as("backdoors", BACKDOORS, _take_up)
    suspects.arrive()
    snapshot = snapshot if state.run_id() is not None else None
    guesses.arrive(None if snapshot is None else snapshot.id)
    return snapshot


def begin_again() -> None:
    """Leave the run behind; the choice of a model stays."""
    state.show_run(None)


def chosen_seeds() -> tuple[int, ...]:
    """Draw the choice of seeds."""
    help = "How many searches, one after the other. The interval of a score reaches from its lowest to its highest."
    return seeds.panel(COUNT, len(backdoors.SEEDS), help)


def bar(
    classifier: TorchClassifier, title: str, chosen: tuple[int, ...], snapshot: RunSnapshot | None
) -> RunSnapshot | None:
    """Draw what is searched beside the button that starts a search or stops the one shown; the run to show."""
    try:
        plan = backdoors.plan(classifier, str(classifier.device), seeds=chosen)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return snapshot
    warn(len(classifier.labels), evaluations(classifier, plan.methods, len(classifier.labels), len(chosen)))
    return action.bar(
        START,
        snapshot,
        beside=lambda: _facts(classifier, title, plan),
        classifier=classifier,
        wanted=lambda: Wish(plan),
        stop=session.stop,
    )


def _facts(classifier: TorchClassifier, title: str, plan: Plan) -> None:
    height, width = classifier.input_size
    measures = text.several(len(plan.methods), "measure")
    st.markdown(
        f"**{text.plain(title)}** :gray[· {len(classifier.labels):,} classes · {height}×{width} pixels · "
        f"{measures} of cost · {text.several(len({one.seed for one in plan.questions}), 'seed')}]",
        width="stretch",
    )


def _take_up(snapshot: RunSnapshot) -> None:
    suspects.take_up(snapshot)
    seeds.restore(COUNT, snapshot.plan)
