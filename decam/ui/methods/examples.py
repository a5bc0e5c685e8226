"""What the Methods page shows its methods on: one picture, one model, and the shared runs of all methods on it."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from decam.classifier import Classifier, Pixels
from decam.errors import DecamError, NoSuchRunError
from decam.experiments.cells import Cell
from decam.experiments.execute import CHEAP
from decam.experiments.plan import MethodChoice, Plan
from decam.images.samples import SAMPLES
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.taxonomy import grouped
from decam.models.catalogue import ENTRIES, Entry
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import model_here, pictures, shared_runs, thumbnails, uploads
from decam.ui.shared.pictures import Chosen
from decam.ui.shared.thumbnails import Tile

PREFIX, SAMPLE, ALL = "field", "field-sample", "field-all"


def controls() -> tuple[Chosen, Entry]:
    """Draw the choices of a picture and of a model that is on this machine, and return both."""
    picture = _picture()
    name = picture.key if picture.sample is None else picture.sample.name
    thumbnails.strip("field", SAMPLES, {name}, _choose)
    if kept := uploads.kept():
        tiles = [Tile(upload.key, upload.name, "upload", uploads.thumbnail(upload)) for upload in kept]
        thumbnails.tiles("field-own", tiles, {name}, _choose)
    pictures.framing_choice("field-framing")
    return picture, model_here.panel(PREFIX, picture)


def able(classifier: Classifier) -> list[tuple[Method, int]]:
    """The methods that can explain the classifier with the cost of their examples, in the order of their cards."""
    ordered = (row for _, rows in grouped(METHODS.values()) for row in rows)
    return [(row, row.cost(example(row).settings, classifier)) for row in ordered if not row.obstacle(classifier)]


def example(row: Method) -> MethodChoice:
    """The method as this page shows it: with the settings of its example, the others as they are by default."""
    return MethodChoice.default(row.name, **row.example)


def plan_of(classifier: Classifier, picture: Chosen) -> Plan:
    """A plan of all methods that can explain the classifier, as `shared_runs.make_plan` makes it."""
    return shared_runs.make_plan(
        classifier.name, str(classifier.device), picture, [example(row) for row, _ in able(classifier)]
    )


def quick_plan(classifier: Classifier, picture: Chosen) -> Plan | None:
    """The plan of the maps that are made unasked: of scenes all, of photographs those that cost next to nothing.

    None where there are none.
    """
    entry = ENTRIES.get(classifier.name)
    if entry is None or entry.domain == "scenes":
        return plan_of(classifier, picture)
    choices = [example(row) for row, cost in able(classifier) if cost <= CHEAP]
    return shared_runs.make_plan(classifier.name, str(classifier.device), picture, choices) if choices else None


def rest(classifier: Classifier, run: RunSnapshot) -> list[tuple[Method, int]]:
    """The methods whose maps were not asked for yet, with their costs."""
    there = {choice.name for choice in run.plan.methods}
    return [(row, cost) for row, cost in able(classifier) if row.name not in there]


def ask_for_all(classifier: Classifier, picture: Chosen) -> None:
    """Let all maps be made, those that cost much too; the run is begun when the page is drawn again."""
    asked: set[str] = st.session_state.setdefault(ALL, set())
    asked.add(shared_runs.link_of(plan_of(classifier, picture), picture.view(classifier)))


def _own_plan(classifier: Classifier, picture: Chosen, view: Pixels) -> Plan:
    """The plan of all maps where somebody has asked for them, and else of those that are made unasked."""
    whole = plan_of(classifier, picture)
    link = shared_runs.link_of(whole, view)
    if link in st.session_state.get(ALL, ()):
        return whole
    quick = quick_plan(classifier, picture)
    if quick is None:
        return whole
    try:
        state.runs().snapshot(link)
    except NoSuchRunError:
        return quick
    return whole


def stand_ins(classifier: Classifier) -> dict[str, list[Method]]:
    """For methods that cannot explain a model of scenes: the models of scenes that were made for them."""
    entry = ENTRIES.get(classifier.name)
    found: dict[str, list[Method]] = {}
    if entry is None or entry.domain != "scenes":
        return found
    others = [other for other in ENTRIES.values() if other.domain == entry.domain and other.present()]
    for row in METHODS.values():
        if row.obstacle(classifier):
            fitting = (other.name for other in others if not row.obstacle(other.origin.untrained(other.name)))
            if name := next(fitting, None):
                found.setdefault(name, []).append(row)
    return found


def of(classifier: Classifier, picture: Chosen) -> list[RunSnapshot]:
    """The shared runs, begun if absent: first that of the model, then those of the models that stand in for it.

    Empty, with the reason on the page, where they cannot be.
    """
    try:
        view = picture.view(classifier)
        plans = [_own_plan(classifier, picture, view)]
        others = {name: [example(row) for row in rows] for name, rows in stand_ins(classifier).items()}
        plans += [shared_runs.make_plan(name, plans[0].device, picture, choices) for name, choices in others.items()]
        # The newest goes first among runs that give way: begun last, the model's own run waits for none of the others.
        return [shared_runs.begun(each, view) for each in plans[::-1]][::-1]
    except DecamError as error:
        st.error(text.plain(str(error)))
        return []


def cells(snapshot: RunSnapshot) -> Iterator[tuple[str, Cell]]:
    """The name of every method that is run, with its map as it is now."""
    for place, cell in snapshot.cells.items():
        yield snapshot.plan.methods[place.method].name, cell


def _picture() -> Chosen:
    """The sample or upload chosen here, else the first sample that is compared, else the first of all."""
    compared = st.session_state.get("samples") or [SAMPLES[0].name]
    name = st.session_state.setdefault(SAMPLE, compared[0])
    offered = {sample.name: pictures.of_sample(sample) for sample in SAMPLES}
    offered |= {picture.key: picture for picture in pictures.uploaded()}
    if name not in offered:  # an upload that was removed
        name = st.session_state[SAMPLE] = compared[0]
    return offered[name]


def _choose(name: str) -> None:
    st.session_state[SAMPLE] = name
