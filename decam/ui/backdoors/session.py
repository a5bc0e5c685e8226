"""What happens between a visitor and a search: arriving with its link, and starting one."""

from __future__ import annotations

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.experiments.kinds import backdoors
from decam.experiments.kinds.class_maps import CLASS_MAPS, targets_of
from decam.experiments.plan import Plan
from decam.experiments.questions import MAX_SEED
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.backdoors import guesses, suspects
from decam.ui.class_maps.form import SEEDS, warn
from decam.ui.shared import action, method_forms, run_pages, session, throughput
from decam.ui.shared.action import Start
from decam.ui.shared.measuring import LARGEST_IN_BROWSER

COUNT = "suspect-seeds"
START = Start(
    title="Search",
    key="search-model",
    icon=":material/search:",
    help="Look for the cheapest map of every class. You can leave the page meanwhile.",
)


def opened() -> RunSnapshot | None:
    """Begin the page: its widgets as they were left or as the run of its link has them, and that run."""
    session.begin("backdoors")
    snapshot = run_pages.snapshot_of(state.run_id(), CLASS_MAPS, "search")
    if snapshot is not None and not is_search(snapshot):
        run_pages.lead_on(snapshot)
        snapshot = None
    if snapshot is None or not state.taken_up(snapshot.id):
        suspects.arrive()
        snapshot = snapshot if state.run_id() is not None else None
    else:
        _take_up(snapshot)
    guesses.arrive(None if snapshot is None else snapshot.id)
    throughput.learn(snapshot)
    return snapshot


def is_search(snapshot: RunSnapshot) -> bool:
    """Whether a run of class maps asks one model about every class by itself, as a search does."""
    targets = targets_of(snapshot.plan)
    classes = len(snapshot.grid.labels) or len(targets)
    one = len({question.model for question in snapshot.plan.questions}) == 1
    return one and len(targets) >= backdoors.LEAST and targets == tuple((index,) for index in range(classes))


def begin_again() -> None:
    """Leave the run behind; the choice of a model stays."""
    state.show_run(None)


def seeds() -> tuple[int, ...]:
    """Draw the choice of seeds."""
    st.session_state.setdefault("seed", 0)
    st.session_state.setdefault(COUNT, len(backdoors.SEEDS))
    first = st.number_input(
        "Seed",
        min_value=0,
        max_value=min(MAX_SEED, LARGEST_IN_BROWSER) - len(SEEDS),
        key="seed",
        persist_state="session",
        help="Where all random numbers begin: the same seed gives the same maps.",
    )
    count = st.segmented_control(
        "Seeds",
        SEEDS,
        key=COUNT,
        required=True,
        persist_state="session",
        help="How many searches, one after the other. The interval of a score reaches from its lowest to its highest.",
    )
    return tuple(int(first) + more for more in range(count or 1))


def bar(
    classifier: TorchClassifier, title: str, seeds: tuple[int, ...], snapshot: RunSnapshot | None
) -> RunSnapshot | None:
    """Draw what is searched beside the button that starts a search or stops the one shown; the run to show."""
    try:
        plan = backdoors.plan(classifier, str(classifier.device), seeds=seeds)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return snapshot
    maps = len(plan.questions) * len(plan.methods)
    evaluations = len(plan.questions) * method_forms.total(classifier, plan.methods)
    warn(len(classifier.labels), evaluations)

    def begin() -> str:
        run = state.runs().start(plan, (), state.owner())
        st.session_state.setdefault(suspects.STARTED, set()).add(run)
        return run

    return action.bar(
        START,
        snapshot,
        beside=lambda: _facts(classifier, title, plan),
        work=action.work(classifier, maps, evaluations),
        ready=True,
        begin=begin,
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
    plan = snapshot.plan
    suspects.take_up(snapshot)
    st.session_state["seed"] = min(plan.seed, LARGEST_IN_BROWSER - len(SEEDS))
    st.session_state[COUNT] = min(len({question.seed for question in plan.questions}), SEEDS[-1])
