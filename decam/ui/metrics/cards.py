"""The Metrics page: a map of the field, and a card for each metric that opens to show it at work."""

from __future__ import annotations

from functools import partial

import streamlit as st

from decam.classifier.certainty import decimal
from decam.experiments.plan import MetricChoice
from decam.figures import png_uri
from decam.figures.legend import explained
from decam.figures.steps import chart_figure, drawn
from decam.metrics import METRICS, Measurement, Metric
from decam.metrics.taxonomy import Family, grouped
from decam.metrics.walkthroughs import Picture, Shown, walkthrough
from decam.numerals import fixed
from decam.ui import state, text
from decam.ui.components.charts import figures as charts
from decam.ui.metrics.subject import Subject
from decam.ui.shared import awaited, metric_forms
from decam.ui.shared.shared_jobs import Standing

COLOURS = f"{explained()} Metrics read all values."
SYMBOLS = (
    r"In the formulas $x$ is the image, $x_k$ what the model sees after $k$ of $K$ steps (less and less of the "
    r"image in deletion, more and more in insertion), $f_c$ the probability of the class asked about, $S$ the map "
    r"with a value $S_p$ for each of $N$ pixels, $\tilde S$ the map scaled from 0 to 1, $\bar S_k$ its mean over the "
    r"pixels that step $k$ changes, $T$ the object, $\rho$ a correlation, $I$ a random change of the image, $\beta$ "
    r"the scale that suits the map best, $S^{(i)}$ the map with the $i$-th seed, $t$ a flip or a shift. In ADCC, "
    r"$\mathrm{Coh}$ is the correlation of the map with that of the image behind it, $\mathrm{Com}$ the mean of "
    r"$\tilde S$."
)
OPEN_AT_FIRST = "deletion"
NEEDS = {"truth": "ground truth", "explain": "the method itself"}
FEW = 3  # pictures that share a line with a chart
SIDE = 140


def tree() -> None:
    """Draw all families with their metrics, each a link to its card."""
    parts = "".join(_branch(family, rows) for family, rows in grouped(METRICS.values()))
    st.html(f'<nav class="dc-metric-tree" aria-label="All metrics by family">{parts}</nav>')
    st.caption(f"{SYMBOLS} {COLOURS}")


def index() -> None:
    """Draw the same as a narrow list."""
    parts = "".join(
        f"<div><b>{text.escaped(family.title)}</b>{''.join(_link(metric) for metric in rows)}</div>"
        for family, rows in grouped(METRICS.values())
    )
    st.html(f'<nav class="dc-index" aria-label="Metrics of this page">{parts}</nav>')


def _branch(family: Family, rows: tuple[Metric, ...]) -> str:
    links = "".join(f"<li>{_link(metric)}</li>" for metric in rows)
    return (
        f"<section><h3>{text.escaped(family.title)}</h3><p><b>{text.escaped(family.question)}</b> "
        f"{text.escaped(family.summary)}</p><ul>{links}</ul></section>"
    )


def _link(metric: Metric) -> str:
    return (
        f'<a href="#{metric.name}" title="{text.escaped(metric.summary)}">{text.escaped(metric.title)} '
        f'<span title="{metric.better}">{metric.arrow}</span></a>'
    )


def cards(subject: Subject | None) -> None:
    """Draw a card for each metric, by family; what is computed comes last, so that every link leads somewhere.

    Without a subject the cards stay open and wait for one.
    """
    places = []
    for family, rows in grouped(METRICS.values()):
        st.header(family.title, anchor=f"family-{family.name}")
        st.caption(f"{family.question} {family.summary}")
        for metric in rows:
            with st.container(border=True, key=f"metric-{metric.name}"):
                _about(metric, subject)
                places.append((metric, st.container()))
    for metric, place in places:
        with place:
            st.fragment(_work)(metric, subject)


def _about(metric: Metric, subject: Subject | None) -> None:
    """What the table says of a metric."""
    st.html(
        f'<div class="dc-metric" id="{metric.name}"><h3>{text.escaped(metric.title)}</h3>'
        f"<ul>{''.join(f'<li>{text.escaped(fact)}</li>' for fact in facts(metric, subject))}</ul></div>"
    )
    with st.container(key=f"about-{metric.name}"):
        st.markdown(text.plain(metric.summary))
        st.markdown(f"$$\n{metric.formula}\n$$")
        st.markdown(
            f"**Where it misleads.** {text.plain(metric.weaknesses)}  \n"
            f":small[[{text.plain(metric.reference)}]({metric.url})]"
        )


def facts(metric: Metric, subject: Subject | None) -> list[str]:
    """Direction, range, cost of one map and needs, a few words each."""
    found = [f"{metric.arrow} {metric.better}", metric.range]
    cost = metric.cost(metric.settings(), map_cost=0 if subject is None else subject.cost)
    found.append("asks the model nothing" if not cost else text.several(cost, "evaluation"))
    return [*found, *(f"needs {NEEDS[need]}" for need in sorted(metric.needs))]


def _work(metric: Metric, subject: Subject | None) -> None:
    """The part of a card that opens: computed when it is, in the queue, and kept."""
    if subject is not None and (obstacle := metric.obstacle(subject.case())):
        st.caption(_unseen(metric, obstacle))
        return
    opened = st.expander(
        "At work on this map",
        key=f"work-{metric.name}",
        expanded=metric.name == OPEN_AT_FIRST,
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        with st.container(key=f"head-{metric.name}"):
            value_place = st.container()
            choices = metric_forms.forms([metric.name], "work")
        if subject is None:
            st.caption("Shown as soon as there is a map.")
            return
        for choice in choices:
            standing = _standing(metric, choice, subject)
            if standing.result is not None:
                with value_place:
                    _value(metric, standing.result)
                _steps(metric, standing.result)
            elif standing.error:
                _failed(metric, choice, subject, standing.error)
            else:
                awaited.wait(metric.title, standing, partial(_standing, metric, choice, subject))


def _standing(metric: Metric, choice: MetricChoice, subject: Subject) -> Standing[Shown]:
    """How the metric's work on this map stands, one job for all who open it."""
    return state.walkthroughs().ask(
        _key(choice, subject),
        state.owner(),
        str(subject.classifier.device),
        lambda: walkthrough(subject.case(), metric, choice.settings),
    )


def _key(choice: MetricChoice, subject: Subject) -> tuple[object, ...]:
    return (*subject.key, choice)


def _failed(metric: Metric, choice: MetricChoice, subject: Subject, error: str) -> None:
    st.error(text.plain(error))
    st.button(
        "Try again",
        key=f"again-{metric.name}",
        icon=":material/refresh:",
        help="Compute it anew.",
        on_click=state.walkthroughs().again,
        args=(_key(choice, subject),),
    )


def _unseen(metric: Metric, obstacle: str) -> str:
    if "truth" in metric.needs:
        return "This image has no ground truth. Choose a scene to see this metric at work."
    return text.plain(obstacle)


def _value(metric: Metric, shown: Shown) -> None:
    """The value, that of a random map, and in words how it comes about."""
    ours, control = shown.measurements
    st.html(
        f'<div class="dc-value"><div><b>{value(ours)}</b><span>{metric.arrow} this map</span></div>'
        f"<div><b>{value(control)}</b><span>a random map</span></div><p>{text.escaped(shown.words)}</p></div>"
    )
    if ours.note and ours.note != shown.words:
        st.info(text.plain(ours.note))


def _steps(metric: Metric, shown: Shown) -> None:
    """The pictures and the charts."""
    pictures = [panel for panel in shown.panels if isinstance(panel, Picture)]
    figures = [panel for panel in shown.panels if not isinstance(panel, Picture)]
    with st.container(key=f"{'steps' if len(pictures) > FEW else 'line'}-{metric.name}"):
        st.html(f'<div class="dc-frames">{"".join(map(_figure, pictures))}</div>')
        for number, panel in enumerate(figures):
            charts.show(
                chart_figure(panel, dark=state.dark()),
                f"chart-{metric.name}-{number}",
                f"{metric.title}: {panel.caption}",
            )


def value(measurement: Measurement) -> str:
    """A value as a reader meets it."""
    if measurement.value != measurement.value:
        return "–"
    return fixed(measurement.value, 3)


def _figure(picture: Picture) -> str:
    caption = text.escaped(picture.caption)
    probability_bar = "" if picture.probability is None else _bar(picture.probability)
    return (
        f'<figure><img src="{png_uri(drawn(picture))}" width="{SIDE}" height="{SIDE}" alt="{caption}">'
        f"<figcaption>{probability_bar}{caption}</figcaption></figure>"
    )


def _bar(probability: float) -> str:
    return (
        f'<div class="dc-bar dc-asked"><i style="width:{probability:.1%}"></i>'
        f"<span>probability</span><b>{decimal(probability)}</b></div>"
    )
