"""The grid as a figure: what is written in its SVG, whose pixels its maps are, and what it refuses."""

from __future__ import annotations

import base64
import dataclasses
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from decam.errors import SettingError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, usual_metrics
from decam.explanation import last
from decam.figures import printed
from decam.figures.curve_sheet import curve_sheet
from decam.figures.grid_figure import MISSING, grid_figure
from decam.figures.legend import SILENT, scale_of
from decam.figures.look import Look, drawn, scales
from decam.metrics import Curve, Measurement

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = "{http://www.w3.org/1999/xlink}href"
LONG = "A very long name of an image that no row of any figure could ever hold.png"


@pytest.fixture(scope="module")
def grid(rectangle) -> Grid:
    """Two pictures by two methods, the second signed."""
    views = [rectangle.view, np.roll(rectangle.view, 9, axis=1)]
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice("katze.png"), PictureChoice(LONG)],
        (MethodChoice.default("rise", budget=30), MethodChoice.default("sobol-signed")),
        targets=[rectangle.target] * 2,
        metrics=(*usual_metrics((("mean", "blur"),), steps=4), MetricChoice.default("sparsity")),
        execution=rectangle.classifier.execution,
    )
    return last(execute(Grid.empty(plan, views, labels=rectangle.classifier.labels), lambda _: rectangle.classifier))


def svg(figure) -> ElementTree.Element:
    return ElementTree.fromstring(printed.file_bytes(figure, "svg"))


def texts(figure) -> list[str]:
    return ["".join(one.itertext()) for one in svg(figure).iter(f"{SVG}text")]


def images(figure) -> list[np.ndarray]:
    """The pictures inside the SVG, in its order."""
    found = [one.get(IMAGE, "") for one in svg(figure).iter(f"{SVG}image")]
    files = [base64.b64decode(one.partition("base64,")[2]) for one in found]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


@pytest.mark.slow
def test_the_figure_names_its_rows_columns_classes_and_the_ends_of_colours(grid: Grid) -> None:
    found = texts(grid_figure(grid))
    made = grid.cells[CellKey(0, 0)].explanation
    assert made is not None
    assert {"Image", "RISE", "katze.png", f"{made.label} {made.probability:.2f}"} <= set(found)
    assert any(text.startswith("A very long name") and text.endswith("…") for text in found)
    assert sum(text == "0" for text in found) >= 2, "each signed map has its own bar with zero in its middle"


@pytest.mark.slow
def test_each_map_has_the_pixels_of_the_export(grid: Grid) -> None:
    look = Look(colours="viridis", opacity=0.5, contours=True)
    shown = images(grid_figure(grid, look))
    for key, scale in scales(grid, look).items():
        made = grid.cells[key].explanation
        assert made is not None
        wanted = drawn(grid.view_of(key.question), made, scale, look)
        assert any(one.shape == wanted.shape and np.array_equal(one, wanted) for one in shown)


@pytest.mark.slow
def test_maps_of_one_scale_share_one_bar_and_others_have_their_own(grid: Grid) -> None:
    bars = {look: len(images(grid_figure(grid, look))) - 6 for look in (Look(), Look(shared=True), Look(ranks=True))}
    assert list(bars.values()) == [4, 2, 2]
    assert {"0 %", "rank", "100 %", "−100 %"} <= set(texts(grid_figure(grid, Look(ranks=True))))


@pytest.mark.slow
def test_metrics_stand_under_maps_when_asked_for_and_the_best_of_a_row_is_bold(grid: Grid) -> None:
    key = grid.plan.metrics[0].key
    values = [grid.cells[CellKey(0, method)].measurements[key].value for method in (0, 1)]
    figure = grid_figure(grid, metrics=[key])
    written = {text.get_text(): text.get_weight() for text in figure.texts}
    assert all(f"{value:.3f}" in written for value in values)
    if values[0] != values[1]:
        assert written[f"{min(values):.3f}"] == "bold", "lower is better for deletion"
    assert not any(f"{value:.3f}" in texts(grid_figure(grid)) for value in values)


@pytest.mark.slow
def test_what_failed_is_an_empty_frame_and_what_is_flat_says_so(grid: Grid) -> None:
    made = grid.cells[CellKey(1, 1)].explanation
    assert made is not None
    flat = Cell().explained(dataclasses.replace(made, silent=True))
    cells = {**grid.cells, CellKey(0, 0): Cell().failed("No."), CellKey(1, 1): flat}
    found = texts(grid_figure(dataclasses.replace(grid, cells=cells)))
    assert MISSING in found and SILENT in found


@pytest.mark.slow
def test_a_figure_is_as_wide_as_a_page_at_most_where_maps_allow_it(grid: Grid) -> None:
    assert grid_figure(grid).get_size_inches()[0] <= printed.TEXT_WIDTH + 1e-6


def test_a_grid_without_maps_and_a_metric_it_lacks_are_refused(grid: Grid) -> None:
    with pytest.raises(SettingError, match="No map is finished yet"):
        grid_figure(Grid.empty(grid.plan, grid.views))
    with pytest.raises(SettingError, match=r"has no metric 'road'; it has: deletion-"):
        grid_figure(grid, metrics=["road"])


@pytest.mark.slow
def test_curves_are_those_of_the_metrics_and_have_one_key(grid: Grid) -> None:
    figure = curve_sheet(grid)
    lines = [line for axes in figure.axes for line in axes.lines]
    for cell in grid.cells.values():
        for measured in cell.measurements.values():
            if measured.curve is not None:
                assert any(np.array_equal(line.get_ydata(), measured.curve.values) for line in lines)
    found = texts(figure)
    assert found.count("RISE") == 1 and {"Deletion", "Insertion"} <= {text.split(" ·")[0] for text in found}
    with pytest.raises(SettingError, match="keeps a curve"):
        curve_sheet(Grid.empty(grid.plan, grid.views))


def test_a_flat_map_has_no_lines_as_on_the_page(grid: Grid) -> None:
    made = grid.cells[CellKey(0, 0)].explanation
    assert made is not None
    view, flat = grid.view_of(0), dataclasses.replace(made, silent=True)
    scale = scale_of(flat.saliency, False, silent=True)
    with_lines, without = (drawn(view, flat, scale, Look(contours=contours)) for contours in (True, False))
    assert np.array_equal(with_lines, without)


def test_ticks_of_printed_curves_have_a_real_minus(grid: Grid) -> None:
    curve = Curve(np.array([0.1, 0.9], np.float32), np.array([-0.1, 0.2], np.float32))
    choice = MetricChoice.default("road")
    cell = dataclasses.replace(grid.cells[CellKey(0, 0)], measurements={choice.key: Measurement("road", 0.1, curve)})
    plan = dataclasses.replace(grid.plan, metrics=(choice,))
    found = texts(curve_sheet(dataclasses.replace(grid, plan=plan, cells={CellKey(0, 0): cell})))
    assert "−0.5" in found and "-0.5" not in found
