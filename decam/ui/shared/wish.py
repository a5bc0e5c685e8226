"""What a page's button would ask now: which of its maps are here already, and which of those shown it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from decam.classifier import Pixels, TorchClassifier
from decam.durations import duration
from decam.errors import DecamError, SettingError, StoreError
from decam.experiments import reuse
from decam.experiments.cells import CellKey
from decam.experiments.plan import Plan
from decam.explanation import Truth
from decam.runs.plans import grown, joined, settled
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import differences, method_forms, throughput

_OUTDATED = "outdated"


@dataclass(frozen=True)
class Wish:
    """The run that a page would start: its plan, and what the plan needs before it begins.

    `targets` has the class that each question will have in the end, None for questions about classes themselves.
    `offered` names the methods among which the page lets one choose, where these are not all. Such a page asks about
    one picture at a time: further methods and pictures of a run are none that somebody left out.
    """

    plan: Plan
    views: tuple[Pixels, ...] = ()
    truths: tuple[Truth | None, ...] = ()
    targets: tuple[int | None, ...] = ()
    offered: frozenset[str] | None = None

    def start(self) -> str:
        """Queue the run; its link. Raises what `Runs.start` raises."""
        return state.runs().start(self.plan, self.views, state.owner(), self.truths)

    def complete(self, classifier: TorchClassifier) -> Plan:
        """The plan with all that its maps are made from, as the classifier would be asked now."""
        return replace(settled(self.plan, self.views, self.truths), execution=classifier.execution)

    def beside(self, shown: Plan, classifier: TorchClassifier) -> Plan:
        """The completed plan with the methods of the run shown that the page does not offer: nobody left them out."""
        others = [] if self.offered is None else [one for one in shown.methods if one.name not in self.offered]
        return grown(self.complete(classifier), methods=others)

    def target(self, question: int) -> int | None:
        """The class that a question will have."""
        return self.targets[question] if self.targets else None

    def asked(self, plan: Plan) -> dict[CellKey, str]:
        """What each cell of the completed plan answers, by its digest."""
        return {key: reuse.asked(plan, key, self.target(key.question)) for key in plan.cells()}


@dataclass(frozen=True)
class _Left:
    """How a run differs from a wish: its maps that are no answer to it, sentences, and the wish, where it joins."""

    run: str
    behind: frozenset[CellKey]
    sentences: tuple[str, ...]
    addition: Wish | None


def work(classifier: TorchClassifier, wish: Wish) -> str:
    """What the run would make and cost, with the time it would take where that is known; what is here costs nothing."""
    plan = wish.complete(classifier)
    digests = {key: reuse.made_from(plan, key, wish.target(key.question)) for key in plan.cells()}
    here = _here(list(digests.values()))
    missing = [plan.methods[key.method] for key, digest in digests.items() if digest not in here]
    evaluations = method_forms.total(classifier, missing)
    at_most = "at most " if any(choice.settings.ends_early for choice in missing) else ""
    count = len(digests)
    maps = text.several(count, "map")
    if len(missing) < count:
        there = count - len(missing)
        maps = f"{there:,} of {maps} {'is' if there == 1 else 'are'} here already"
    if not missing:
        return maps
    return cost(classifier, maps, evaluations, at_most)


def cost(classifier: TorchClassifier, maps: str, evaluations: int, at_most: str = "") -> str:
    """Maps in words, what they cost (or `at_most `), and the time that takes where it is known."""
    rate = throughput.of(classifier)
    parts = f"{maps} · {at_most}{evaluations:,} evaluations"
    return parts if rate is None or not evaluations else f"{parts} · about {duration(max(1.0, evaluations * rate))}"


def _here(digests: Sequence[str]) -> frozenset[str]:
    try:
        return state.runs().made(digests, state.owner())
    except StoreError:
        return frozenset()  # the button itself says what is wrong with the disk


def compare(wish: Wish | None, classifier: TorchClassifier, again: str, snapshot: RunSnapshot | None) -> None:
    """Remember, until the page is drawn again, how the run shown differs from the wish; `again` is the button's title.

    Without a wish nothing is left behind.
    """
    forget()
    if wish is None or snapshot is None:
        return
    plan = wish.beside(snapshot.plan, classifier)
    wanted = set(wish.asked(plan).values())
    left_alone = _others(wish, snapshot)
    behind = frozenset(
        key
        for key in snapshot.cells
        if _asked(snapshot, key) not in wanted and snapshot.plan.questions[key.question].picture not in left_alone
    )
    st.session_state[_OUTDATED] = _Left(
        snapshot.id,
        behind,
        differences.sentences(snapshot, plan, wish.targets, classifier.labels, again, left_alone),
        wish if not behind and len(wanted) > len(snapshot.cells) and _joins(snapshot, plan) else None,
    )


def _others(wish: Wish, snapshot: RunSnapshot) -> frozenset[int]:
    """The places of a run's pictures beside the one that the page asks about."""
    names = [picture.name for picture in snapshot.plan.pictures]
    chosen = [picture.name for picture in wish.plan.pictures]
    if wish.offered is None or not set(chosen) & set(names):
        return frozenset()
    return frozenset(place for place, name in enumerate(names) if name not in chosen)


def forget() -> None:
    """Nothing is left behind any more."""
    st.session_state[_OUTDATED] = None


def behind(snapshot: RunSnapshot) -> frozenset[CellKey]:
    """The maps of a run that are no answer to what is chosen on the page now."""
    left = _left(snapshot)
    return frozenset() if left is None else left.behind


def say(snapshot: RunSnapshot) -> None:
    """Draw how a run differs from what is chosen now, or nothing where it does not; what it lacks can be added."""
    left = _left(snapshot)
    if left is None or not left.sentences:
        return
    with st.container(key="outdated", horizontal=True, vertical_alignment="center", gap="small"):
        st.info(" ".join(left.sentences), icon=":material/history:", width="stretch")
        if (
            left.addition is not None
            and not snapshot.active
            and state.may_change(snapshot)
            and st.button(
                "Add to this run",
                key="add-to-run",
                icon=":material/add:",
                help="Compute only the missing maps, in the same grid and under the same link.",
            )
        ):
            _add(snapshot.id, left.addition)
            st.rerun()  # the whole page: the button that stops the run stands elsewhere


def _left(snapshot: RunSnapshot) -> _Left | None:
    left: _Left | None = st.session_state.get(_OUTDATED)
    return left if left is not None and left.run == snapshot.id else None


def _joins(snapshot: RunSnapshot, wanted: Plan) -> bool:
    """Whether one run can hold both what it has and what is wanted."""
    try:
        joined(snapshot.plan, wanted)
    except SettingError:
        return False
    return True


def _add(run: str, wish: Wish) -> None:
    try:
        state.runs().extend(run, wish.plan, wish.views, wish.truths, state.owner())
    except DecamError as error:
        st.session_state["problem"] = str(error)


def _asked(snapshot: RunSnapshot, key: CellKey) -> str:
    return reuse.asked(snapshot.plan, key, snapshot.grid.target_of(key.question))
