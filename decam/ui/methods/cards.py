"""Cards of the methods, by family: what each is, what it costs, where it misleads, and its map, as that comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitInvalidLayoutContextError

from decam.classifier import Classifier, Pixels
from decam.durations import duration
from decam.errors import StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.status import CellState
from decam.explanation import Map, Truth
from decam.export.standing import ABSENT
from decam.export.wire import picture_file
from decam.figures import legend, limits_for, overlay, png_bytes
from decam.figures.steps import outlined
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.taxonomy import Family, grouped
from decam.models import catalogue
from decam.runs.snapshots import RunSnapshot
from decam.ui import nav, state, text
from decam.ui.components.grid.grid import address
from decam.ui.components.live import maps
from decam.ui.components.live import status as live_status
from decam.ui.methods import examples, tree
from decam.ui.runs import prototype_matches, run_view
from decam.ui.shared import awaited, ground_truth, method_choice, model_choice, pictures, run_pages, session
from decam.ui.shared.pictures import Chosen

POLL = 1.0
NOT_ASKED = "Not made yet: press “Make all maps” above."
_BADGES = {
    "output": "needs answers",
    "gradients": "needs gradients",
    "activations": "needs activations",
    "attention": "needs attention",
}
_NOTATION = (
    "In the formulas $x$ is the image, $c$ the class, $y^c$ its score (logit), $p^c$ its probability, $A_k$ the "
    "$k$-th activation map of a layer, $\\odot$ the product place by place, and $M_c$ the map."
)
_COLOURS = f"{legend.explained()} Where the object is known, it is outlined."


def show(classifier: Classifier, picture: Chosen, runs: Sequence[RunSnapshot]) -> Mapping[str, DeltaGenerator]:
    """Draw all cards, and return the places of their heads, which change with the runs, by the method's name.

    Heads are drawn with their cards: drawn later, they would move the cards below, and links would miss them. The first
    run is the classifier's own. The others are of models that stand in where the classifier cannot be explained.
    """
    st.caption(f"{_NOTATION} {_COLOURS}")
    models = {choice.name: run.plan.model for run in runs[1:] for choice in run.plan.methods}
    places: dict[str, DeltaGenerator] = {}
    heads = _heads(classifier, picture, runs)
    for family, rows in grouped(METHODS.values()):
        places |= _family(family, rows, classifier, picture, models, heads)
    return places


def follow(
    classifier: Classifier,
    picture: Chosen,
    runs: Sequence[RunSnapshot],
    status: DeltaGenerator,
    places: Mapping[str, DeltaGenerator],
) -> None:
    """Draw in `status` how the runs stand, and the heads when they change; the browser draws maps as they come."""
    followed = _followed(runs)
    look = followed is not None and state.live(followed) is None
    with status:
        live = st.fragment(_live, run_every=POLL if look else None)
        live(tuple(run.id for run in runs), look, classifier, picture, places)
        if followed is not None and not look and _awaits_evidence(followed):
            st.fragment(_evidence)(followed.id, classifier, picture, places)


def _followed(runs: Sequence[RunSnapshot]) -> RunSnapshot | None:
    """The run that the browser follows: one at a time, since a browser opens few connections to a server."""
    return next((run for run in runs if run.active), None)


def _family(
    family: Family,
    rows: Iterable[Method],
    classifier: Classifier,
    picture: Chosen,
    models: Mapping[str, str],
    heads: Mapping[str, str],
) -> Mapping[str, DeltaGenerator]:
    """Draw a family's cards and return, by the method's name, the places where the maps will be drawn."""
    places = {}
    st.html(
        f'<div class="dc-family" id="{tree.family_anchor(family)}"><h2>{text.escaped(family.title)}</h2>'
        f"<p>{text.escaped(family.summary)}</p></div>"
    )
    with st.container(key=f"cards-{family.name}"):
        for row in rows:
            with st.container(border=True, gap="small", key=f"card-{row.name}"):
                places[row.name] = st.html(heads[row.name])
                st.markdown(f"$$\n{row.formula}\n$$")
                st.html(_judgement(row))
                with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
                    st.html(_reference(row), width="stretch")
                    model = models.get(row.name, classifier.name)
                    on = "" if model == classifier.name else f", with the model {catalogue.get(model).title}"
                    if st.button(
                        "Compare",
                        key=f"compare-{row.name}",
                        type="tertiary",
                        icon=":material/compare:",
                        disabled=row.name not in models and bool(row.obstacle(classifier)),
                        help=f"Compare {row.title} with the methods chosen so far on this image{on}.",
                    ):
                        _compare(row, model, picture)
    return places


def _compare(row: Method, model: str, picture: Chosen) -> None:
    """Go to the Compare page with this method, picture and model."""
    method_choice.choose({*method_choice.names(), row.name})
    pictures.only(picture)
    state.show_run(None)
    model_choice.chosen_by_visitor(model)
    st.switch_page(nav.page("compare"))


def _live(
    links: Sequence[str], look: bool, classifier: Classifier, picture: Chosen, places: Mapping[str, DeltaGenerator]
) -> None:
    # The whole page's own call writes the heads again: the framework lets later calls write only where that one did.
    runs = [run for run in (run_pages.snapshot_of(link, COMPARISON) for link in links) if run is not None]
    if len(runs) < len(links):
        for place in places.values():
            place.empty()
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="top", key="field-status"):
        with st.container(width="stretch"):
            _status(runs)
        if runs[0].active:
            st.button(
                "Stop",
                key="stop-field",
                icon=":material/stop:",
                type="tertiary",
                help="End this run within a second; what is finished stays. Comparisons need not wait for it.",
                on_click=session.stop,
                args=(runs[0].id,),
            )
        elif _all_wanted(classifier, runs[0]):
            examples.ask_for_all(classifier, picture)
            st.rerun()
    _write(_heads(classifier, picture, runs), places)
    if look and _followed(runs) is None:
        st.rerun()


def _all_wanted(classifier: Classifier, run: RunSnapshot) -> bool:
    """Draw the button that makes the maps that are not made unasked, if there are such; True when it is pressed."""
    costs = [cost for _, cost in examples.rest(classifier, run)]
    return bool(costs) and st.button(
        "Make all maps",
        key="all-maps",
        icon=":material/play_arrow:",
        help=f"{text.several(len(costs), 'further map')} of {sum(costs):,} evaluations; the others are here already.",
    )


def _evidence(link: str, classifier: Classifier, picture: Chosen, places: Mapping[str, DeltaGenerator]) -> None:
    """Draw the heads of methods with evidence, and again when maps were finished, until the evidence is there.

    The others are left alone: the browser may still be asking for their earlier pictures, which would be gone.
    """
    run = run_pages.snapshot_of(link, COMPARISON)
    if run is None:
        return
    cells = dict(examples.cells(run))
    truth = _truth(classifier, picture, cells.values())
    _write({name: _head(METHODS[name], classifier, run, cells[name], truth) for name in _resting(cells)}, places)
    live = state.live(run)
    if live is not None and _awaits_evidence(run):
        live_status.again_when_measured(run, live, "evidence")


def _write(heads: Mapping[str, str], places: Mapping[str, DeltaGenerator]) -> None:
    try:
        for name, head in heads.items():
            places[name].html(head)
    except StreamlitInvalidLayoutContextError:
        return  # the whole page is being drawn anew beside this, which has taken the places: nobody sees this drawing


def _heads(classifier: Classifier, picture: Chosen, runs: Sequence[RunSnapshot]) -> dict[str, str]:
    """The heads of all cards as the runs have them now, by the method's name."""
    drawn: dict[str, str] = {}
    for run in runs:
        cells = dict(examples.cells(run))
        truth = _truth(classifier, picture, cells.values())
        drawn |= {name: _head(METHODS[name], classifier, run, cell, truth) for name, cell in cells.items()}
    return {name: drawn.get(name) or _head(row, classifier, runs[0], None, None) for name, row in METHODS.items()}


def _status(runs: Sequence[RunSnapshot]) -> None:
    """How the run stands that is followed, or else the classifier's own."""
    followed = _followed(runs)
    live = None if followed is None else state.live(followed)
    try:
        if followed is None or live is None:
            run_view.status(runs[0])
            return
        live_status.show(followed, live)
        run_view.note(followed)
        maps.draw(followed, live, "bar")
    except StoreError as error:
        st.error(text.plain(str(error)))


def _awaits_evidence(run: RunSnapshot) -> bool:
    """Whether a map is still to come whose evidence the page itself draws, as the browser draws maps alone."""
    cells = dict(examples.cells(run))
    return any(cells[name].explanation is None for name in _resting(cells))


def _resting(names: Iterable[str]) -> list[str]:
    """The methods whose maps rest on evidence."""
    return [name for name in names if METHODS[name].evidence]


def _truth(classifier: Classifier, picture: Chosen, cells: Iterable[Cell]) -> Truth | None:
    """Where the object asked about lies, which is known as soon as the class is."""
    label = next((cell.explanation.label for cell in cells if cell.explanation is not None), None)
    return None if label is None else ground_truth.of(classifier, picture, label)


def _head(row: Method, classifier: Classifier, snapshot: RunSnapshot, cell: Cell | None, truth: Truth | None) -> str:
    """The map beside the method's name and needs, and below it what else it rests on."""
    made = None if cell is None else cell.explanation
    notes = () if made is None else made.notes
    note_lines = "".join(f'<p class="note">{text.escaped(note)}</p>' for note in notes)
    obstacle = "" if cell is not None else row.obstacle(classifier)
    return (
        f'<article class="dc-method" id="{tree.method_anchor(row)}">'
        f"{_figure(row, snapshot, cell, obstacle, truth)}"
        f"<div><h3>{text.escaped(row.title)}</h3><p>{text.escaped(row.summary)}</p>"
        f'<ul class="badges">{_badges(row)}</ul><p class="cost">{_cost(row, classifier, cell, obstacle)}</p>'
        f"{_short_run(row, classifier, obstacle)}{_stand_in(row, classifier, snapshot)}{note_lines}</div></article>"
        f"{'' if made is None else prototype_matches.strip(snapshot, 0, made)}"
    )


def _short_run(row: Method, classifier: Classifier, obstacle: str) -> str:
    """What a map costs with the usual settings, where the one shown is made with fewer evaluations."""
    if obstacle or not row.example:
        return ""
    usual = row.cost(row.settings(), classifier)
    return f'<p class="cost">A short run: by default it takes {text.several(usual, "evaluation")}.</p>'


def _stand_in(row: Method, classifier: Classifier, snapshot: RunSnapshot) -> str:
    """Whose map this is, where it is not that of the model chosen, and why."""
    if snapshot.plan.model == classifier.name:
        return ""
    title = text.escaped(catalogue.get(snapshot.plan.model).title)
    return f'<p class="note">Shown on the model {title}: {text.escaped(row.obstacle(classifier))}</p>'


def _figure(row: Method, snapshot: RunSnapshot, cell: Cell | None, obstacle: str, truth: Truth | None) -> str:
    """The map over the picture, finished or not; where there is none, the faded picture and the reason."""
    view, place = snapshot.views[0], _place(row, snapshot, cell)
    # Where the browser draws a map on its way, the page does not: its file may be gone before the browser asks for it.
    if cell is None or cell.saliency is None or (place and state.live(snapshot) is not None):
        words = obstacle or (NOT_ASKED if cell is None else cell.error or ABSENT.get(cell.state, cell.state.value))
        source = address(picture_file(view), "field.picture")
        return (
            f'<figure class="none"{place}><img src="{source}" alt=""><figcaption>{text.escaped(words)}</figcaption>'
            f"{_bar(cell)}</figure>"
        )
    finished = cell.explanation is not None
    limits = limits_for(cell.explanation, cell.saliency, row.signed)
    drawn = (_kept if finished else _drawn)(view, cell.saliency, row.signed, limits, truth)
    source = address(drawn, f"field.{row.name}")
    bar = "" if finished else _bar(cell)
    return f'<figure{place}><img src="{source}" alt="Map of {text.escaped(row.title)}">{bar}</figure>'


def _place(row: Method, snapshot: RunSnapshot, cell: Cell | None) -> str:
    """The attributes of a figure whose map the browser is to draw; none where nothing will come."""
    if cell is None or not cell.state.pending or cell.explanation is not None:
        return ""
    method = [choice.name for choice in snapshot.plan.methods].index(row.name)
    return maps.place(snapshot.id, CellKey(0, method), f"Map of {row.title}")


def _bar(cell: Cell | None) -> str:
    if cell is None or cell.state is not CellState.RUNNING:
        return ""
    return awaited.bar(min(1.0, cell.step / cell.total) if cell.total else 0.0, True)


def _drawn(view: Pixels, saliency: Map, signed: bool, limits: tuple[float, float], truth: Truth | None) -> bytes:
    covered = overlay(view, saliency, signed=signed, limits=limits)
    return png_bytes(covered if truth is None else outlined(covered, truth))


_kept = st.cache_data(show_spinner=False, max_entries=256)(_drawn)


def _badges(row: Method) -> str:
    if not row.needs:
        badges = ["needs no model"]
    elif row.needs == {"output"}:
        badges = ["black box: model output only"]
    else:
        badges = [badge for need, badge in _BADGES.items() if need in row.needs]
    return "".join(f"<li>{badge}</li>" for badge in [*badges, *(["signed"] if row.signed else [])])


def _cost(row: Method, classifier: Classifier, cell: Cell | None, obstacle: str) -> str:
    """Evaluations of the map that is shown, and what they took where they have been made."""
    if obstacle:
        return "cannot run on this model"
    made = None if cell is None else cell.explanation
    if made is None and row.obstacle(classifier):
        return "not made yet"
    cost = row.cost(examples.example(row).settings, classifier) if made is None else made.evaluations
    cost_text = text.several(cost, "evaluation") if cost else "free"
    return cost_text if made is None else f"{cost_text} · {duration(made.seconds)}"


def _judgement(row: Method) -> str:
    return (
        f'<dl class="dc-judged"><dt>Strength</dt><dd>{text.escaped(row.strengths)}</dd>'
        f"<dt>Watch out</dt><dd>{text.escaped(row.misleads)}</dd></dl>"
    )


def _reference(row: Method) -> str:
    return (
        f'<p class="dc-reference"><a href="{text.escaped(row.url)}" target="_blank" rel="noopener">'
        f"{text.escaped(row.reference)}</a></p>"
    )
