"""What happens between a visitor and a sanity check: arriving with its link, starting one, stopping and finding it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import TorchClassifier
from decam.durations import duration
from decam.errors import DecamError
from decam.experiments.plan import MethodChoice
from decam.experiments.randomisation_plan import SanityPlan, SanitySnapshot, SanitySummary
from decam.methods import METHODS
from decam.ui import state, text, theme
from decam.ui.components.picker import method_picker
from decam.ui.randomisation import form
from decam.ui.randomisation.form import MODES, How
from decam.ui.shared import deleting, method_forms, throughput
from decam.ui.shared.deleting import Deletable
from decam.ui.shared.method_choice import CHECKED
from decam.ui.shared.targets import Asked

LIMIT = 8


def opened() -> SanitySnapshot | None:
    """Begin the page: its rules, its widgets as they were left or as the check of its link has them, and that check."""
    state.arrive("sanity")
    theme.apply()
    snapshot = snapshot_of(state.check_id())
    if snapshot is not None and state.taken_up(state.CHECK, snapshot.id):
        form.take_up(snapshot)
    if sentence := st.session_state.pop("problem", None):  # what went wrong in a callback is said once
        st.error(text.plain(sentence))
    return snapshot


def snapshot_of(link: str | None) -> SanitySnapshot | None:
    """The check as it is now; None, with the reason and a way on, where it cannot be shown."""
    if link is None:
        return None
    try:
        return state.checks().snapshot(link)
    except DecamError as error:
        st.error(text.plain(str(error)))
        st.button("Start a new check", on_click=state.show_check, args=(None,), key="leave-check", type="primary")
        return None


def action(
    classifier: TorchClassifier,
    asked: Sequence[Asked],
    choices: Sequence[MethodChoice],
    how: How,
    snapshot: SanitySnapshot | None,
) -> SanitySnapshot | None:
    """Draw the methods beside the button that starts a check or stops the one shown; the check to show."""
    with st.container(key="action", horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        method_picker.line(classifier, choices, CHECKED)
        with st.container(key="go", width=168, gap="xsmall"):
            place = st.empty()
            each = form.maps_each(classifier, how.mode)
            st.caption(
                _work(each, len(choices), each * method_forms.total(classifier, choices), throughput.of(classifier))
            )
    active = snapshot is not None and snapshot.active
    if not active and place.button(
        "Randomise",
        key="randomise",
        type="primary",
        icon=":material/shuffle:",
        width="stretch",
        disabled=not (asked and choices),
        help="Make each method's map again and again while the model forgets, in the background.",
    ):
        snapshot = _start(classifier, asked[0], choices, how) or snapshot
    if snapshot is not None and snapshot.active:
        place.button(
            "Stop",
            key="stop-check",
            icon=":material/stop:",
            width="stretch",
            help="End this check within a second; what is finished stays.",
            on_click=state.checks().stop,
            args=(snapshot.id,),
        )
    return snapshot


def _work(each: int, methods: int, cost: int, rate: float | None) -> str:
    told = f"{text.several(each * methods, 'map')} · {cost:,} evaluations"
    return told if rate is None or not cost else f"{told} · about {duration(max(1.0, cost * rate))}"


def _start(
    classifier: TorchClassifier, asked: Asked, choices: Sequence[MethodChoice], how: How
) -> SanitySnapshot | None:
    """Queue a check and show it from now on; where it cannot be made the page says why."""
    # Cheap ones first, so that there is something to see at once; controls last, to compare the others with.
    ordered = sorted(
        choices,
        key=lambda choice: (not METHODS[choice.name].needs, METHODS[choice.name].cost(choice.settings, classifier)),
    )
    try:
        plan = SanityPlan(
            model=classifier.name,
            device=str(classifier.device),
            picture=asked.picture.name,
            methods=tuple(ordered),
            target=asked.target,
            mode=how.mode,
            seed=how.seed,
        )
        link = state.checks().start(plan, asked.view, state.owner())
    except DecamError as error:
        st.error(text.plain(str(error)))
        return None
    state.show_check(link, made_here=True)
    return state.checks().snapshot(link)


def recent(shown: str | None) -> None:
    """Draw the newest checks, newest first, with a way back to each and a way to forget it."""
    summaries = state.checks().recent(state.listed_owner(), LIMIT)
    if not summaries:
        return
    st.markdown("**Earlier checks**")
    with st.container(key="recent", gap="xsmall"):
        for summary in summaries:
            _line(summary, summary.id == shown)


def _line(summary: SanitySummary, shown: bool) -> None:
    facts = [text.when(summary.created), MODES[summary.plan.mode].lower(), text.plain(summary.plan.model)]
    if summary.status != "done":
        facts.insert(0, summary.status)
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        st.button(
            f"{text.plain(summary.plan.picture)}  \n:gray[:small[{' · '.join(facts)}]]",
            key=f"check-{summary.id}",
            type="secondary" if shown else "tertiary",
            width="stretch",
            help=", ".join(summary.plan.titles()),
            on_click=_open,
            args=(summary.id,),
        )
        when = text.when(summary.created)
        methods = text.several(len(summary.plan.methods), "method")
        deleting.button(Deletable("check", summary.id, summary.plan.picture, when, methods), _delete)


def _open(link: str) -> None:
    state.show_check(link)


def _delete(link: str) -> None:
    state.checks().delete(link)
    if state.check_id() == link:
        state.show_check(None)
