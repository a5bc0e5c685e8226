"""Every chart of the pages on paper: white, light, titled, its text as text, its values in their places."""

from __future__ import annotations

import io
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.collections import LineCollection
from PIL import Image

from decam.errors import SettingError
from decam.figures.intervals import Named
from decam.figures.paper import on_paper, paper_bytes
from decam.figures.studies import values_figure
from tests.figures.sample_charts import CHARTS, INTERVALS, NAMES, SHARES

SVG = "{http://www.w3.org/2000/svg}"
TITLE = "A title & its sign <"


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def axis_titles(chart: go.Figure) -> list[str]:
    layout = chart.to_plotly_json()["layout"]
    titles = [
        part["title"]["text"] for name, part in layout.items() if "axis" in name and part.get("title", {}).get("text")
    ]
    return [line for title in titles for line in title.split("<br>")]


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.slow
def test_in_svg_titles_axes_and_names_are_text(name: str) -> None:
    chart = CHARTS[name](False)
    own = chart.layout.title.text
    written = texts(paper_bytes(chart, "svg", TITLE))
    assert (own or TITLE) in written
    for title in axis_titles(chart):
        assert title in written, (title, written)
    legend = [re.sub("<[^>]+>", "", trace.name) for trace in chart.data if trace.name and trace.showlegend is not False]
    if chart.layout.showlegend is not False and len(chart.data) > 1:
        assert set(legend) <= set(written)


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.slow
def test_a_pdf_begins_as_one_and_embeds_its_fonts(name: str) -> None:
    content = paper_bytes(CHARTS[name](False), "pdf", TITLE)
    assert content.startswith(b"%PDF-1.") and content.rstrip().endswith(b"%%EOF")
    assert b"DejaVuSans" in content and b"/FontFile2" in content and b"/Subtype /Type3" not in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    pages = [one for one in map(_inflated, streams) if b" Tf" in one]
    assert pages and any(b"Tj" in one or b"TJ" in one for one in pages)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.slow
def test_the_paper_is_white_and_the_same_each_time(name: str) -> None:
    content = paper_bytes(CHARTS[name](False), "png", TITLE)
    image = Image.open(io.BytesIO(content))
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    pixels = np.asarray(image.convert("RGB"))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all() and (pixels == 255).all(axis=-1).mean() > 0.3
    assert paper_bytes(CHARTS[name](False), "svg", TITLE) == paper_bytes(CHARTS[name](False), "svg", TITLE)


def test_lines_have_the_values_of_the_chart() -> None:
    (panel,) = on_paper(CHARTS["curves"](False), "").axes
    lines = [line for line in panel.lines if len(line.get_xdata()) == len(SHARES)]
    for place, line in enumerate(lines):
        np.testing.assert_allclose(line.get_xdata(), SHARES * 100, rtol=1e-6)
        np.testing.assert_allclose(line.get_ydata(), SHARES ** (place + 1), rtol=1e-6)
    assert len(lines) == 3 and panel.get_xlim() == (0, 100)
    assert [label.get_text() for label in panel.get_yticklabels()][:2] == ["0 %", "20 %"]
    marks = [line for line in panel.lines if len(line.get_xdata()) == 2]
    assert [list(line.get_xdata()) for line in marks] == [[20, 20]]


@pytest.mark.slow
def test_a_search_has_a_panel_for_each_group_on_one_axis_of_evaluations() -> None:
    chart = CHARTS["convergence"](False)
    figure = on_paper(chart, "")
    wanted = sum(re.fullmatch(r"yaxis\d*", name) is not None for name in chart.to_plotly_json()["layout"])
    assert len(figure.axes) == wanted > 2
    assert {panel.get_xlim() for panel in figure.axes} == {figure.axes[0].get_xlim()}
    assert [bool(panel.get_xlabel()) for panel in figure.axes] == [*[False] * (wanted - 1), True]
    assert "could have stopped" in [text.get_text() for text in figure.axes[0].texts]


def test_intervals_keep_their_ends_and_their_order() -> None:
    (panel,) = on_paper(CHARTS["values"](False), "").axes
    (bars,) = panel.containers
    ends = [segment[:, 0].tolist() for segment in bars[2][0].get_segments()]
    assert ends == [pytest.approx([one.low, one.high]) for one in INTERVALS]
    names = [label.get_text() for label in panel.get_yticklabels()]
    low, high = panel.get_ylim()
    assert names == list(NAMES) and low > high  # the first is on top


def test_bars_lie_where_they_begin() -> None:
    (panel,) = on_paper(CHARTS["ratings"](False), "").axes
    first = sorted(
        (bar.get_x(), bar.get_x() + bar.get_width()) for bar in panel.patches if abs(bar.get_y() + 0.35) < 1e-9
    )
    assert [end for _, end in first[:-1]] == pytest.approx([begin for begin, _ in first[1:]])
    assert first[0][0] == pytest.approx(-100 * (1 + 2 + 1.5) / 20)


def test_a_matrix_says_its_counts_and_leaves_the_diagonal_empty() -> None:
    panel = on_paper(CHARTS["wins"](False), "").axes[0]
    found = {(text.get_position()[0] - 0.5, text.get_position()[1] - 0.5): text.get_text() for text in panel.texts}
    assert found == {(1, 0): "7/10", (2, 0): "9/10", (0, 1): "3/10", (2, 1): "5.5/10", (0, 2): "1/10", (1, 2): "4.5/10"}


@pytest.mark.parametrize(("value", "text"), [(0.00032, "0.032 %"), (1.0, "100 %"), (0.1234567, "12.3 %"), (0.0, "0 %")])
def test_small_shares_are_never_in_powers_of_ten(value: float, text: str) -> None:
    chart = go.Figure(go.Scatter(x=[0, 1], y=[value, value], mode="lines", line={"color": "#000000"}))
    chart.update_yaxes(tickvals=[value], ticktext=None, tickformat=".3~p")
    chart.layout.yaxis.tickvals = None
    (panel,) = on_paper(chart, "").axes
    assert panel.yaxis.get_major_formatter()(value) == text


def test_what_no_chart_here_has_is_refused() -> None:
    with pytest.raises(TypeError, match="no traces of the kind 'pie'"):
        on_paper(go.Figure(go.Pie(values=[1, 2])), "")
    with pytest.raises(SettingError, match="no kind of figure 'eps'; there are: png, svg, pdf"):
        paper_bytes(CHARTS["bars"](False), "eps", "")


def test_an_interval_beside_its_value_is_drawn_from_end_to_end() -> None:
    chart = values_figure("x", [Named(0.1, 0.1 + 2e-17, 0.2, "a"), Named(0.1, 0.12, 0.2, "b")])
    (panel,) = on_paper(chart, TITLE).axes
    bars = next(one for one in panel.collections if isinstance(one, LineCollection))
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[0.1, 0.2], [0.12, 0.2]])
