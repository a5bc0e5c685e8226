"""The result grid's data: what the browser is sent, and that it survives any name a user can give a file."""

from __future__ import annotations

import base64
import io
import json
import math
import urllib.parse
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from decam.export.wire import GridCell, GridMetric, best_places, map_file
from decam.ui.components.grid.grid import GridColumn, GridRow, payload

HOSTILE = '<img src=x onerror="alert(1)">\u202e\n../../etc/passwd\x00 \'"; 🦊.png'
METRICS = (GridMetric("Deletion", -1), GridMetric("Insertion", 1))


def decoded(png: bytes) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image)


def from_uri(uri: str) -> NDArray[np.uint8]:
    head, text = uri.split(",", 1)
    assert head == "data:image/png;base64"
    return decoded(base64.b64decode(text))


def view(side: int = 8, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_map_round_trips_to_half_a_level() -> None:
    saliency = np.random.default_rng(1).normal(3, 10, (23, 31)).astype(np.float32)
    file = map_file(saliency)
    entries = decoded(file.png)
    assert entries.shape == (23, 31)
    assert entries.dtype == np.uint8
    assert (file.low, file.high) == (float(saliency.min()), float(saliency.max()))
    level = (file.high - file.low) / 255
    np.testing.assert_allclose(file.low + entries * level, saliency, atol=0.501 * level)


def test_a_map_is_the_bytes_worked_out_by_hand() -> None:
    file = map_file(np.array([[-1.0, 0.0], [0.5, 4.0]], dtype=np.float32))
    assert decoded(file.png).tolist() == [[0, 51], [76, 255]]


@pytest.mark.parametrize(
    ("values", "entries", "limits"),
    [
        ([0.25, 0.25, 0.25], [0, 0, 0], (0.25, 0.25)),
        ([math.nan, 0.0, 1.0], [0, 0, 255], (0.0, 1.0)),
        ([math.inf, -math.inf, 2.0, 4.0], [255, 0, 0, 255], (2.0, 4.0)),
        ([math.nan, -2.0, 2.0], [128, 0, 255], (-2.0, 2.0)),
        ([math.nan, math.nan], [0, 0], (0.0, 0.0)),
    ],
)
def test_constant_and_not_finite_maps_are_sent_as_finite_bytes(
    values: list[float], entries: list[int], limits: tuple[float, float]
) -> None:
    file = map_file(np.array([values], dtype=np.float32))
    assert decoded(file.png).tolist() == [entries]
    assert (file.low, file.high) == limits


def test_the_best_value_in_each_row_is_marked_with_ties_and_by_direction() -> None:
    cells = [
        GridCell("p", "a", "done", values=(0.1, 0.7)),
        GridCell("p", "b", "done", values=(0.2, 0.7)),
        GridCell("p", "c", "running", values=(None, None)),
        GridCell("p", "d"),
        GridCell("q", "a", "done", values=(0.3, 0.3)),
    ]
    assert best_places(cells, METRICS) == {("p", "a", 0), ("p", "a", 1), ("p", "b", 1)}


def test_the_payload_is_json_that_holds_pictures_maps_and_hostile_names_unchanged() -> None:
    pixels = view()
    truth = np.zeros((8, 8), dtype=bool)
    truth[2:4, 3:6] = True
    row = GridRow("r", HOSTILE, pixels, label=HOSTILE, probability=0.5, truth=truth)
    eye = np.eye(4, dtype=np.float32)
    cells = [GridCell("r", HOSTILE, "failed", error=HOSTILE), GridCell("r", "m", "done", saliency=eye)]
    columns = [GridColumn(HOSTILE, HOSTILE), GridColumn("m", "M", signed=True)]
    sent = json.loads(json.dumps(payload([row], columns, cells, key="k", metrics=METRICS), allow_nan=False))
    assert sent["rows"][0]["title"] == sent["rows"][0]["label"] == HOSTILE
    assert sent["cells"][0]["error"] == sent["cells"][0]["column"] == sent["columns"][0]["title"] == HOSTILE
    np.testing.assert_array_equal(from_uri(sent["rows"][0]["view"]), pixels)
    np.testing.assert_array_equal(from_uri(sent["rows"][0]["truth"]) > 127, truth)
    assert (sent["rows"][0]["height"], sent["rows"][0]["width"]) == (8, 8)
    np.testing.assert_array_equal(from_uri(sent["cells"][1]["map"]), 255 * eye)
    assert sent["cells"][0]["map"] is None


def test_a_new_array_is_a_new_map_even_at_the_place_of_one_that_is_gone() -> None:
    columns, rows = [GridColumn("m", "M")], [GridRow("r", "r.png", view())]
    for value in range(1, 20):
        saliency = np.array([[0, value, 2 * value]], dtype=np.float32)
        sent = payload(rows, columns, [GridCell("r", "m", "running", saliency=saliency)], key="k")
        again = payload(rows, columns, [GridCell("r", "m", "running", saliency=saliency)], key="k")
        assert sent == again
        assert (sent["cells"][0]["low"], sent["cells"][0]["high"]) == (0, 2 * value)
        del saliency


def test_colour_tables_reach_the_browser_whole() -> None:
    from decam.figures import DIVERGING, lut

    sent = payload([], [], [], key="k")
    assert sent["diverging"] == DIVERGING
    for name, text in sent["tables"].items():
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(text), np.uint8).reshape(256, 3), lut(name))


def page(script: Callable[[], None]) -> dict[str, object]:
    app = AppTest.from_function(script, default_timeout=30).run()
    assert not app.exception
    (element,) = app.get("bidi_component")
    sent = json.loads(element.proto.json)
    assert isinstance(sent, dict)
    return sent


def small_page() -> None:
    import numpy as np

    from decam.ui.components.grid.grid import GridCell, GridColumn, GridRow, result_grid

    name = '<script>alert("x")</script>.png'
    rows = [GridRow(name, name, np.zeros((4, 4, 3), dtype=np.uint8))]
    columns = [GridColumn("a", "A"), GridColumn("b", "B")]
    chosen = result_grid(rows, columns, [GridCell(name, "a")], key="grid", selected=(name, "b"))
    assert chosen == (name, "b")


def large_page() -> None:
    import numpy as np

    from decam.ui.components.grid.grid import GridCell, GridColumn, GridRow, result_grid

    noise = np.random.default_rng(0).random((224, 224)).astype(np.float32)
    rows = [GridRow("p", "p.png", np.repeat((noise * 255).astype(np.uint8)[..., None], 3, axis=2))]
    cells = [GridCell("p", "a", "done", saliency=noise), GridCell("p", "b", "running", saliency=noise[:56, :56])]
    assert result_grid(rows, [GridColumn("a", "A"), GridColumn("b", "B")], cells, key="grid") is None


@pytest.mark.slow
def test_the_grid_is_in_the_page_and_returns_the_choice_it_was_given() -> None:
    sent = page(small_page)
    assert [column["key"] for column in sent["columns"]] == ["a", "b"]  # type: ignore[attr-defined]  # plain JSON
    assert sent["selected"] == ['<script>alert("x")</script>.png', "b"]


@pytest.mark.slow
def test_finished_maps_are_addresses_on_this_server_so_that_an_update_stays_small() -> None:
    sent = page(large_page)
    addresses = [sent["rows"][0]["view"], *(cell["map"] for cell in sent["cells"])]  # type: ignore[index]  # plain JSON
    assert all(urllib.parse.urlsplit(address).netloc == "" for address in addresses)
    assert all("/media/" in address for address in addresses[:2])
    assert len(json.dumps(sent)) < 12_000
