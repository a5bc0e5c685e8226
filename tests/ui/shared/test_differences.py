"""What differs between two runs, in sentences that a reader can check against both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from decam.experiments.cells import CellKey
from decam.experiments.plan import MethodChoice, MetricChoice
from decam.runs.snapshots import RunSnapshot
from decam.ui.shared.differences import between
from tests.studies.made import run, view

BIRD, OWL = view(0, (224, 224)), view(1, (224, 224))


def changed(snapshot: RunSnapshot, **changes: object) -> RunSnapshot:
    """The run with another plan, its cells left as they are."""
    return replace(snapshot, grid=replace(snapshot.grid, plan=replace(snapshot.plan, **changes)))


def test_two_runs_that_asked_the_same_differ_in_nothing_whatever_they_are_called() -> None:
    one = run("one", {"bird.png": BIRD})
    other = run("other", {"bird.png": BIRD}, maps={CellKey(0, 0): np.zeros((224, 224), np.float32)})
    assert between(one, replace(other, name="Other", remark="note")) == ()


def test_class_seed_settings_methods_pictures_and_metrics_are_all_said() -> None:
    one = run("one", {"bird.png": BIRD, "owl.png": OWL}, ("grad-cam", "rise"), targets=[1, 0])
    plan = run("other", {"bird.png": BIRD}, ("centre", "rise"), targets=[2]).plan
    questions = tuple(replace(question, seed=7) for question in plan.questions)
    methods = (plan.methods[0], MethodChoice.default("rise", budget=64))
    other = changed(
        run("other", {"bird.png": BIRD}, ("centre", "rise"), targets=[2]),
        questions=questions,
        methods=methods,
        metrics=(MetricChoice.default("sparsity"),),
    )
    labels = one.labels
    said = between(one, other)
    assert said[0] == f"The maps of bird.png are for *{labels[1]}*; below it is *{labels[2]}*."
    assert "Only the run above has *owl.png*." in said
    assert "These maps were made with *seed 0*; below it is *seed 7*." in said
    assert any(text.startswith("The maps by RISE were made with *") and "64" in text.split("below")[1] for text in said)
    assert "Only the run above has *Grad-CAM*." in said
    assert "Only the run below has maps by *Centre Gaussian*." in said
    assert "Only the run below measures *Sparsity* so." in said
    assert "Only the run above measures *Deletion* so." in said
    back = between(other, one)
    assert len(back) == len(said)
    assert f"These maps are for *{labels[2]}*; below it is *{labels[1]}*." in back
    assert "Only the run below has maps of *owl.png*." in back


def test_another_model_is_said_first_and_a_picture_is_the_same_in_any_size_that_models_see() -> None:
    one = run("one", {"bird.png": BIRD}, targets=[1])
    other = run("other", {"bird.png": view(0, (64, 64))}, targets=[1], model="squeezenet1_0")
    said = between(one, other)
    assert said == ("These maps are of *Shapes demo*; below it is *SqueezeNet 1.0*.",)


def framed(snapshot: RunSnapshot, *framings: str) -> RunSnapshot:
    """The run with its images framed so, which gives views of their own."""
    pictures = [
        replace(picture, framing=framing, sha256=picture.sha256 if framing == "crop" else f"{place}" * 64)
        for place, (picture, framing) in enumerate(zip(snapshot.plan.pictures, framings, strict=True))
    ]
    return changed(snapshot, pictures=tuple(pictures))


@pytest.mark.parametrize("model", ["embedded", "squeezenet1_0"])
def test_another_framing_is_said_of_the_same_images_and_their_classes_are_compared(model: str) -> None:
    birds = {"bird.png": BIRD, "owl.png": OWL}
    one, other = run("one", birds, targets=[1, 0]), run("other", birds, targets=[2, 0], model=model)
    said = between(one, framed(other, "fit", "fit"))
    assert "The framing is *Crop*; below it is *Fit*." in said
    assert said[-2].startswith("The maps of bird.png are for") and len(said) == (2 if model == "embedded" else 3)
    assert between(one, framed(other, "crop", "fit"))[-1] == "*owl.png*: the framing is *Crop*; below it is *Fit*."
    assert between(framed(other, "fit", "fit"), framed(other, "fit", "fit")) == ()


def test_two_images_of_one_name_are_not_taken_for_one_that_is_framed_anew() -> None:
    pictures = {"bird.png": BIRD, "owl.png": OWL}
    one, other = run("one", pictures, targets=[1, 0]), run("other", pictures, targets=[1, 0])
    plan = framed(other, "fit", "fit").plan
    alike = changed(other, pictures=tuple(replace(picture, name="bird.png") for picture in plan.pictures))
    assert not any("framing" in sentence for sentence in between(one, alike))


def test_names_are_shown_as_they_are_and_many_differences_are_counted() -> None:
    one = run("one", {f"*{number}*{{x}}.png": view(number, (64, 64)) for number in range(12)}, targets=[1] * 12)
    other = run("other", {f"*{number}*{{x}}.png": view(number, (64, 64)) for number in range(12)}, targets=[2] * 12)
    said = between(one, other)
    assert len(said) == 11 and said[-1] == "And 2 more."
    assert said[0].startswith("The maps of \\*0\\*{x}.png are for")
