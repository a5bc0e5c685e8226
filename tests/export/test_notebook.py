"""A comparison made from Python, and what a notebook shows of it."""

from __future__ import annotations

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

import decam
from decam.errors import SettingError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.kinds.backdoors import Suspicion
from decam.explanation import Explanation
from decam.export.notebook import Comparison, ShownExplanation, Suspicions
from decam.figures.look import Look


@pytest.fixture(scope="module")
def comparison(rectangle) -> Comparison:
    return decam.compare(rectangle.classifier, [rectangle.view], ["centre", "random"], metrics=["sparsity"])


def test_a_comparison_is_whole_and_names_what_has_no_file(comparison: Comparison) -> None:
    assert comparison.complete and len(comparison.cells) == 2
    assert [one.name for one in comparison.plan.pictures] == ["image 1"]
    assert all(cell.measurements for cell in comparison.cells.values())


@pytest.mark.slow
def test_a_notebook_shows_the_figure_and_what_failed(comparison: Comparison) -> None:
    cells = {**comparison.cells, CellKey(0, 1): Cell().failed("It is <broken>.")}
    shown = dataclasses.replace(comparison, cells=cells)._repr_html_()
    found = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert found and Image.open(io.BytesIO(base64.b64decode(found[1]))).info["dpi"] == pytest.approx(
        (150, 150), abs=0.1
    )
    assert "It is &lt;broken&gt;." in shown and 'alt="Saliency maps: ' in shown


def test_its_figure_takes_a_look_and_metrics(comparison: Comparison) -> None:
    (choice,) = comparison.plan.metrics
    figure = comparison.figure(Look(ranks=True), metrics=[choice.key])
    texts = [text.get_text() for text in figure.texts]
    assert "rank" in texts and f"{comparison.cells[CellKey(0, 0)].measurements[choice.key].value:.3f}" in texts


@pytest.mark.parametrize("given", [{"targets": [0, 1]}, {"truths": [None, None]}])
def test_targets_and_truths_are_as_many_as_pictures(rectangle, given) -> None:
    (name,) = given
    with pytest.raises(SettingError, match=f"There are 2 {name} for 1 images; give one for each, or none"):
        decam.compare(rectangle.classifier, [rectangle.view], **given)


@pytest.fixture(scope="module")
def explanation(rectangle) -> ShownExplanation:
    return decam.explain(rectangle.classifier, rectangle.view, "rise", seed=3, budget=40)


def image_in(shown: str) -> Image.Image:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert found is not None
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


@pytest.mark.slow
def test_an_explanation_is_shown_with_its_picture_what_was_asked_and_its_notes(explanation: ShownExplanation) -> None:
    noted = dataclasses.replace(explanation, notes=("Mind <this>.",))
    shown = noted._repr_html_()
    assert isinstance(noted, Explanation) and image_in(shown).width > 250
    assert f"RISE for {explanation.label} ({explanation.probability:.2f}), 40 evaluations." in shown
    assert "Mind &lt;this&gt;." in shown


@pytest.mark.slow
def test_a_small_probability_is_shown_with_its_digits(explanation: ShownExplanation) -> None:
    assert "(0.0003)" in dataclasses.replace(explanation, probability=0.0003)._repr_html_()


def test_an_explanations_figure_has_its_picture_and_follows_the_map_it_has(explanation: ShownExplanation) -> None:
    figure = explanation.figure(Look(opacity=0.0))
    pictures = [image.get_array() for axes in figure.axes for image in axes.images]
    np.testing.assert_array_equal(pictures[0], explanation.begun.views[0])
    other = dataclasses.replace(explanation, saliency=-explanation.saliency)
    drawn = [one.figure().axes[1].images[0].get_array() for one in (explanation, other)]
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.slow
def test_an_explanation_becomes_one_line_and_a_whole_page(explanation: ShownExplanation) -> None:
    (line,) = explanation.to_dataframe().to_dict("records")
    assert (line["picture"], line["method"], line["seed"]) == ("image 1", "rise", 3)
    assert (line["label"], line["evaluations"]) == (explanation.label, 40)
    assert line["probability"] == pytest.approx(explanation.probability, abs=0)
    page = explanation.to_html()
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>") and "RISE" in page


@pytest.mark.slow
def test_a_comparison_has_a_line_for_each_picture_method_and_metric(comparison: Comparison) -> None:
    failed = dataclasses.replace(comparison, cells={**comparison.cells, CellKey(0, 1): Cell().failed("It broke.")})
    table = failed.to_dataframe()
    assert list(zip(table["picture"], table["method"], table["metric"], strict=True)) == [
        ("image 1", "centre", "sparsity"),
        ("image 1", "random", "sparsity"),
    ]
    (measured,) = comparison.cells[CellKey(0, 0)].measurements.values()
    assert table["value"][0] == measured.value and np.isnan(table["value"][1])
    assert table["notes"][1] == "It broke." and np.isnan(table["target"][1])
    assert comparison.to_html().startswith("<!doctype html>")


@pytest.mark.slow
def test_lines_are_pictures_times_methods_times_metrics(grid) -> None:
    table = Comparison.of(grid).to_dataframe()
    assert len(table) == 4 * 3 * 5
    assert len(table[["number", "method", "metric"]].drop_duplicates()) == len(table)
    by_metric = table.groupby("metric")["metric evaluations"].agg(["min", "max"])
    assert {tuple(row) for row in by_metric.to_numpy()} == {(7, 7), (0, 0)}, "a curve's points, and none for sparsity"
    pivot = table.pivot(index="number", columns=["method", "metric"], values="value")
    assert pivot.shape == (4, 15)


def test_a_comparison_writes_stimuli(comparison: Comparison, tmp_path) -> None:
    assert comparison.stimuli(tmp_path / "set", view="area", area=5, size=128) == 2
    assert len(list((tmp_path / "set" / "stimuli").iterdir())) == 2
    with pytest.raises(SettingError, match="There is no setting 'colour'"):
        comparison.stimuli(tmp_path / "other", colour="magma")


@pytest.mark.slow
def test_what_a_class_looks_like_is_shown_as_its_pattern(rectangle) -> None:
    made = decam.explain_class(
        rectangle.classifier, rectangle.target, "input-agnostic-black-box", budget=2000, fresh=16
    )
    assert image_in(made._repr_html_()).width > 250
    (line,) = made.to_dataframe().to_dict("records")
    assert (line["target"], line["baseline"], line["norm"]) == (rectangle.target, made.baseline, made.norm)
    assert line["picture"] is None and made.to_html().startswith("<!doctype html>")


@pytest.mark.slow
def test_suspicions_are_shown_with_their_verdict_in_their_order() -> None:
    found = Suspicions(
        Suspicion(place, f"class <{place}>", score, score - 1, score + 1, "L1", "…")
        for place, score in ((4, 3.0), (1, 0.2))
    )
    shown = found._repr_html_()
    assert "class &lt;4&gt;" in shown and "above the threshold of 2.5" in shown and image_in(shown).width > 250
    assert list(found.to_dataframe()["target"]) == [4, 1] == [one.target for one in found]
    labels = [label.get_text() for label in found.figure().axes[0].get_yticklabels()]
    assert labels == ["class <4>", "class <1>"]
    assert shown in found.to_html()
    assert "says nothing" in Suspicions(())._repr_html_()
