"""Which map is judged on the Metrics page: of which picture, by which model and which method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from decam.classifier import Classifier, Pixels, TorchClassifier, to_tensor
from decam.classifier.certainty import decimal
from decam.errors import DecamError
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.plan import MethodChoice, fingerprint
from decam.explanation import Explanation, Progress, Question, Truth
from decam.export.standing import awaiting
from decam.figures import FLAT, png_uri
from decam.figures.steps import drawn
from decam.images.samples import SAMPLES
from decam.lru import Lru
from decam.methods import METHODS
from decam.metrics import Case, Origin
from decam.metrics.scales import cleaned
from decam.metrics.walkthroughs import Picture
from decam.metrics.walkthroughs.panels import limits
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.live import status as live_status
from decam.ui.runs import run_view
from decam.ui.shared import awaited, ground_truth, model_choice, model_here, pictures, run_pages, shared_runs
from decam.ui.shared.pictures import Chosen

PREFIX = "metric"
DEAREST = 40  # evaluations a map: some metrics make it ten times again
FIRST, USUAL, CONTROL = "scene-star", "grad-cam", "random"
SEED, CONTROL_SEED = 0, 1
SIDE = 132
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """A map and all that is known about it, beside a random map that shows what a value is worth."""

    key: tuple[str, ...]
    classifier: TorchClassifier
    view: Pixels
    map: Explanation
    control: Explanation
    truth: Truth | None

    @property
    def cost(self) -> int:
        """Evaluations for making the map again."""
        return METHODS[self.map.method].cost(self.map.settings, self.classifier)

    def case(self) -> Case:
        """The map and the random one, ready to be judged."""
        question = Question(self.classifier, to_tensor(self.classifier, self.view), self.map.target)
        both = (self.map, self.control)
        origins = tuple(_origin(self.classifier, one) for one in both)
        return Case(question, tuple(one.saliency for one in both), self.truth, origins, SEED)


@st.cache_resource(show_spinner=False)
def _kept() -> Lru[tuple[str, ...], tuple[Explanation, Explanation]]:
    return Lru(_KEPT)


def panel() -> Subject | None:
    """Draw the choices of picture, model and method, and return the map they make. Without one, the page says why.

    The maps are those of shared runs: they are made once, in the queue, for all visitors.
    """
    with st.container(key="metric-choice", horizontal=True, gap="small"):
        name = _picture()
        pictures.framing_choice("metric-framing")
        chosen = _offered()[name]
        entry = model_here.panel(PREFIX, chosen)
        place = st.container()
    model_choice.limits(entry, [chosen], partial(model_here.choose, PREFIX))
    classifier = model_choice.load(entry)
    if classifier is None:
        return None
    with place:
        method = _method(classifier)
    try:
        return _made(classifier, chosen, method)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return None


def show(subject: Subject) -> None:
    """Draw the picture, what the model says of it, and the two maps."""
    made, control = subject.map, subject.control
    picture = f"{text.escaped(made.label)} <b>{decimal(made.probability)}</b>"
    parts = [
        (Picture("The image", subject.view, truth=subject.truth), picture),
        (_overlaid(subject, made), f"{text.escaped(METHODS[made.method].title)}<br>the map judged below"),
        (_overlaid(subject, control), f"{text.escaped(METHODS[CONTROL].title)}<br>what chance would give"),
    ]
    figures = "".join(
        f'<figure><img src="{png_uri(drawn(one))}" width="{SIDE}" height="{SIDE}" alt="{one.caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for one, caption in parts
    )
    st.html(f'<div class="dc-frames dc-subject">{figures}</div>')
    for note in made.notes:
        st.info(text.plain(note))


def _overlaid(subject: Subject, explanation: Explanation) -> Picture:
    values = cleaned(explanation.saliency)
    ends = FLAT if explanation.silent else limits(values)
    return Picture(f"{explanation.method} map", subject.view, values, ends)


def _offered() -> dict[str, Chosen]:
    offered = {own.key: own for own in pictures.uploaded()}
    return offered | {sample.name: pictures.of_sample(sample) for sample in SAMPLES}


def _picture() -> str:
    """Draw the choice of a picture and return its name."""
    offered = _offered()
    titles = pictures.lines(offered.values())
    if st.session_state.get("metric-sample") not in offered:  # a first visit, or an upload that was removed
        st.session_state["metric-sample"] = FIRST
    return st.selectbox(
        "Image",
        list(offered),
        format_func=lambda name: titles[offered[name].key] if name in offered else name,
        key="metric-sample",
        persist_state="session",
        help="Choose a sample or an upload. Scenes come with their ground truth.",
    )


def _method(classifier: Classifier) -> str:
    offered = [
        name
        for name, method in METHODS.items()
        if not method.obstacle(classifier) and method.cost(method.settings(), classifier) <= DEAREST
    ]
    if st.session_state.get("metric-method") not in offered:
        st.session_state["metric-method"] = USUAL if USUAL in offered else offered[0]
    return st.selectbox(
        "Map of",
        offered,
        format_func=lambda name: METHODS[name].title,
        key="metric-method",
        persist_state="session",
        help=(
            "Choose the method whose map is judged. Only cheap ones are offered, because some metrics recompute the "
            "map many times."
        ),
    )


def _made(classifier: TorchClassifier, chosen: Chosen, method: str) -> Subject | None:
    """The map and the random one; None while they are awaited, or where the page says what failed.

    Raises DecamError where they cannot even be asked for.
    """
    key = (chosen.seen_key, classifier.name, str(classifier.device), method)
    view = chosen.view(classifier)
    # Only the maps are kept: a classifier kept with them would stay in memory when others need the room.
    if (maps := _kept().get(key)) is None:
        pairs = ((method, SEED), (CONTROL, CONTROL_SEED))
        asked = [(MethodChoice.default(name), seed) for name, seed in pairs]
        plans = [shared_runs.make_plan(classifier.name, key[2], chosen, [choice], seed) for choice, seed in asked]
        runs = [shared_runs.begun(plan, view, state.owner()) for plan in plans]
        made, control = (_map(run) for run in runs)
        if made is None or control is None:
            _awaited(runs)
            return None
        maps = (made, control)
        _kept().put(key, maps)
    truth = ground_truth.of(classifier, chosen, maps[0].label)
    # What is judged is judged once for everybody, and everybody may have marked another object.
    return Subject((*key, "" if truth is None else fingerprint(truth)), classifier, view, *maps, truth)


def _map(run: RunSnapshot) -> Explanation | None:
    """The one map of a run, None before it is there."""
    (cell,) = run.cells.values()
    return cell.explanation


def _awaited(runs: Sequence[RunSnapshot]) -> None:
    """Say how the first missing map stands until both are there, or what failed and how to try again."""
    missing = next(run for run in runs if _map(run) is None)
    if missing.active:
        live = state.live(missing)
        if live is None:
            st.fragment(_waiting, run_every=run_view.POLL)(missing.id)
        else:
            live_status.show(missing, live, _title(missing))
        return
    (cell,) = missing.cells.values()
    st.error(text.plain(cell.error or missing.note or "This map was stopped before it was finished."))
    st.button(
        "Try again",
        key="map-again",
        icon=":material/refresh:",
        help="Make the map anew.",
        on_click=_again,
        args=(missing.id,),
    )


def _waiting(link: str) -> None:
    run = run_pages.snapshot_of(link, COMPARISON)
    if run is None:
        return
    if not run.active or _map(run) is not None:
        st.rerun()
    (cell,) = run.cells.values()
    awaited.line(_title(run), awaiting(run.ahead, Progress(cell.step, cell.total, cell.evaluations)))


def _title(run: RunSnapshot) -> str:
    return f"Map of {run.plan.titles()[0]}"


def _again(link: str) -> None:
    try:
        state.runs().resume(link, state.owner())
    except DecamError as error:
        st.session_state["problem"] = str(error)


def _origin(classifier: Classifier, explanation: Explanation) -> Origin:
    row, settings = METHODS[explanation.method], explanation.settings
    return Origin(
        lambda question, seed: row.run(question, settings, seed), explanation.seed, row.cost(settings, classifier)
    )
