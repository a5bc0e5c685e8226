"""Runs that are the same for all who ask the same: a plan of methods on one picture, linked by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from decam.classifier import Pixels
from decam.errors import NoSuchRunError
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, fingerprint
from decam.experiments.plan_json import plan_to_json
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.shared.pictures import Chosen

RUN = "field-run"


def make_plan(model: str, device: str, picture: Chosen, choices: Sequence[MethodChoice], seed: int = 0) -> Plan:
    """A plan of these methods for the picture's predicted class, without metrics."""
    return comparison.plan(model, device, [PictureChoice(picture.name, framing=picture.framing)], choices, seed=seed)


def link_of(plan: Plan, view: Pixels) -> str:
    """The link of a shared run: a digest of all that its maps are made from, versions included."""
    return "methods-" + hashlib.sha256((plan_to_json(plan) + fingerprint(view)).encode()).hexdigest()[:32]


def begun(plan: Plan, view: Pixels, asker: str = "") -> RunSnapshot:
    """The shared run of a plan on this view, begun if absent. `asker` is as in `Runs.shared_run`.

    Raises DecamError where it cannot be.
    """
    link = link_of(plan, view)
    # Once a visit: a run that fails would be begun anew by every drawing of the page, and for ever.
    asked: set[str] = st.session_state.setdefault(RUN, set())
    if link not in asked:
        state.runs().shared_run(link, plan, [view], asker=asker)
        asked.add(link)
    try:
        return state.runs().snapshot(link)
    except NoSuchRunError:  # its files were taken away
        state.runs().shared_run(link, plan, [view], asker=asker)
        return state.runs().snapshot(link)
