"""Beat the evolution by hand: a cover painted here, judged by the search's own fitness beside the search itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np
import streamlit as st

from decam.experiments import by_hand
from decam.experiments.by_hand import Reached
from decam.experiments.cells import CellKey
from decam.experiments.evaluate import question_of
from decam.experiments.history import Frame, in_hindsight
from decam.explanation import Explanation, Map, Truth, last
from decam.methods.de_cam.settings import DeCamSettings
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components import component_key
from decam.ui.runs import cover
from decam.ui.shared.run_pages import model_of

RANKED = (
    "Fitness is the search's own: the mean probability of {label} with the top 2 to 65 % kept alone, minus its mean "
    "with them removed, at ten shares each. The search estimates it. Here the model is asked about all {cost} "
    "images, of your cover and of DE-CAM's maps alike. Your cover ranks the pixels: deepest inside first, farthest "
    "outside last."
)
PLAIN = (
    "Fitness is the search's own: the probability of {label} with the covered part kept alone, minus the probability "
    "with it removed, minus its share of the image."
)
LEVEL = 0.005
"""A difference in fitness too small to be shown."""


@dataclass(frozen=True)
class Match:
    """The finished search that a visitor plays against."""

    snapshot: RunSnapshot
    place: CellKey
    settings: DeCamSettings
    made: Explanation

    @property
    def name(self) -> tuple[str, int, int]:
        """What tells it from all other searches."""
        return self.snapshot.id, self.place.question, self.place.method

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All moments of the search, its generations with the fitness that all answers give them."""
        frames = self.snapshot.cells[self.place].frames
        later = iter(in_hindsight([frame for frame in frames if frame.curves], self.made.fitness))
        return tuple(next(later) if frame.curves else frame for frame in frames)


@dataclass(frozen=True)
class Attempt:
    """A cover that was judged: the evaluations made by then, its share of the picture, and its fitness.

    `there` is the search after at most as many calls, None before its first map, and `theirs` its measured fitness.
    """

    calls: int
    share: float
    fitness: float
    there: Reached | None
    theirs: float


@dataclass
class Hand:
    """What a visitor has asked by hand about one picture: the covers seen and those judged, each asked once."""

    covers: set[bytes] = field(default_factory=set)
    judged: set[bytes] = field(default_factory=set)
    judging: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """Pictures that the model was asked about."""
        return len(self.covers) + self.judging

    def note(self, painted: Truth) -> None:
        """The model has answered to this cover; the picture as it is was asked before."""
        if painted.any():
            self.covers.add(np.packbits(painted).tobytes())

    def judge(self, painted: Truth, cost: int) -> None:
        """A cover is judged, which costs so many evaluations the first time."""
        name = np.packbits(painted).tobytes()
        self.judging += 0 if name in self.judged else cost
        self.judged.add(name)


def show(snapshot: RunSnapshot, place: CellKey) -> None:
    """Draw the brush and what judging it found; raises DecamError where the run's model is not here."""
    settings, made = snapshot.plan.methods[place.method].settings, snapshot.cells[place].explanation
    if not isinstance(settings, DeCamSettings) or made is None:
        return
    room = st.expander(
        "Beat the evolution by hand",
        key=component_key(f"by-hand-{snapshot.id}-{place.question}-{place.method}"),
        icon=":material/brush:",
        on_change="rerun",
    )
    if not room.open:
        return
    with room:
        st.caption(
            "Cover what the model needs, then have your cover judged as the search judges its own. Each new cover "
            "costs one evaluation."
        )
        seen = cover.draw(snapshot, place, made)
        match = Match(snapshot, place, settings, made)
        hand = _hand(match)
        hand.note(seen.cover)
        _judge(match, hand, seen.cover)
        _standing(match, hand)


def _hand(match: Match) -> Hand:
    """What this visitor has done in this match."""
    found: Hand = st.session_state.setdefault("-".join(("hand", *map(str, match.name))), Hand())
    return found


def _judge(match: Match, hand: Hand, painted: Truth) -> None:
    """Draw the buttons, and judge the cover where that was asked for."""
    cost = by_hand.cost_of(match.settings)
    with st.container(horizontal=True, gap="small"):
        wanted = st.button(
            "Judge my cover",
            key="judge-by-hand",
            type="primary",
            disabled=bool(painted.all() or not painted.any()),
            help=f"Measures its fitness with {text.several(cost, 'evaluation')}.",
        )
        if st.button("Start over", key="start-over-by-hand", help="Sets your evaluations to zero."):
            hand.covers.clear()
            hand.judged.clear()
            hand.attempts.clear()
            hand.judging = 0
            hand.note(painted)
    if not wanted:
        return
    fitness = _fitness(match, by_hand.candidate_of(painted, match.settings))
    hand.judge(painted, cost)
    there = by_hand.reached(match.frames, hand.calls, (painted.shape[0], painted.shape[1]))
    theirs = nan if there is None else _fitness(match, there.candidate)
    hand.attempts.append(Attempt(hand.calls, float(painted.mean()), fitness, there, theirs))


def _standing(match: Match, hand: Hand) -> None:
    """Say how many evaluations were made, and how the latest cover compares with the search."""
    painting, judging = f"{len(hand.covers):,} while painting", f"{hand.judging:,} for judging"
    st.markdown(f"**Your evaluations: {hand.calls:,}** :gray[({painting}, {judging})]")
    if hand.attempts:
        _compared(match, hand.attempts)
    meaning = RANKED if match.settings.estimates else PLAIN
    st.caption(text.plain(meaning.format(label=match.made.label, cost=by_hand.cost_of(match.settings))))


def _compared(match: Match, attempts: Sequence[Attempt]) -> None:
    """The latest cover beside the search after as many calls and at its end, and all covers judged so far."""
    latest, frames = attempts[-1], match.frames
    end = by_hand.ended(frames, match.made, match.settings)
    mine, then, at_last = st.columns(3)
    mine.metric("Your cover", text.fixed(latest.fitness))
    if latest.there is not None:
        then.metric(f"DE-CAM after {latest.there.evaluations:,} evaluations", text.fixed(latest.theirs))
    if end is not None:
        at_last.metric(f"DE-CAM at its end, after {end.evaluations:,}", text.fixed(_fitness(match, end.candidate)))
    st.markdown(text.plain(verdict(latest, frames)))
    moments = [each for each in (latest.there, end) if each is not None]
    if known := own_values(moments, estimated=match.settings.estimates):
        st.caption(known)
    if len(attempts) > 1:
        st.html(table(attempts))


def table(attempts: Sequence[Attempt]) -> str:
    """All covers judged so far, as HTML."""
    head = "".join(f"<th>{title}</th>" for title in ("Model calls", "Covered", "Your fitness", "DE-CAM by then"))
    rows = []
    for one in attempts:
        theirs = "" if one.there is None else text.fixed(one.theirs, 3)
        values = (f"{one.calls:,}", text.percent(one.share), text.fixed(one.fitness, 3), theirs)
        rows.append(f"<tr>{''.join(f'<td>{value}</td>' for value in values)}</tr>")
    return f'<table class="dc-values"><tr>{head}</tr>{"".join(rows)}</table>'


def verdict(latest: Attempt, frames: Sequence[Frame]) -> str:
    """Who leads after as many evaluations, in a sentence."""
    calls = text.several(latest.calls, "evaluation")
    if latest.there is None:
        first = next((frame.evaluations for frame in frames if frame.saliency is not None), None)
        when = "kept no maps on its way" if first is None else f"had its first map after {first:,}"
        return f"After {calls} there is nothing to compare yet: DE-CAM {when}."
    gap = latest.fitness - latest.theirs
    if abs(gap) < LEVEL:
        return f"After {calls} you and DE-CAM are level."
    leader = "you lead" if gap > 0 else "DE-CAM leads"
    return f"After {calls} {leader} by {text.fixed(abs(gap))}."


def own_values(moments: Sequence[Reached], *, estimated: bool) -> str:
    """The search's own fitness of its fittest at some moments, as a sentence; empty where there is none."""
    known = {moment.evaluations: moment.fitness for moment in moments if moment.fitness is not None}
    if not known:
        return ""
    parts = [f"{text.fixed(fitness)} after {evaluations:,}" for evaluations, fitness in known.items()]
    what = "estimate for" if estimated else "value of"
    return f"The search's own {what} its fittest: {', '.join(parts)} evaluations."


def _fitness(match: Match, candidate: Map) -> float:
    return _measured(match.name, candidate.tobytes(), match, candidate)


@st.cache_data(show_spinner=False, max_entries=256)
def _measured(name: tuple[str, int, int], content: bytes, _match: Match, _candidate: Map) -> float:
    del name, content  # they name the entry in the cache
    view = _match.snapshot.grid.view_of(_match.place.question)
    question = question_of(model_of(_match.snapshot), view, _match.made.target, _match.made.against)
    return last(by_hand.measured(question, _match.settings, _match.made.seed, _candidate))
