"""How pictures are framed, on its way through plan, JSON, digest, export, replay, Python and command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import decam
from decam.cli import main
from decam.errors import SettingError
from decam.experiments import reuse
from decam.experiments.cells import CellKey
from decam.experiments.plan import PictureChoice, Plan, fingerprint
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.export import write
from decam.export.recipes import command_text, python_text
from decam.export.replay import Remade, read, remake
from decam.images.framing import FIT, framed
from tests.experiments.test_reuse import settled
from tests.tools.networks import small_classifier

FIRST = CellKey(0, 0)
WIDE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 90, 3), dtype=np.uint8))


def fitted(plan: Plan) -> Plan:
    pictures = tuple(dataclasses.replace(one, framing=FIT) for one in plan.pictures)
    return dataclasses.replace(plan, pictures=pictures)


def test_a_framing_comes_back_from_json_and_a_crop_is_written_as_before() -> None:
    plan = settled("rise")
    assert plan_from_json(plan_to_json(fitted(plan))) == fitted(plan)
    assert "framing" not in plan_to_json(plan)
    damaged = json.loads(plan_to_json(plan))
    damaged["pictures"][0]["framing"] = "stretch"
    with pytest.raises(SettingError, match="There is no framing 'stretch'"):
        plan_from_json(json.dumps(damaged))
    with pytest.raises(SettingError, match="There is no framing"):
        PictureChoice("one", framing="stretch")  # type: ignore[arg-type]  # what a user may give


def test_a_framing_is_part_of_what_a_map_is_made_from() -> None:
    plan = settled("rise")
    assert reuse.made_from(plan, FIRST, 1) != reuse.made_from(fitted(plan), FIRST, 1)


@pytest.mark.slow
def test_python_explains_measures_and_compares_the_fitted_picture_and_its_export_is_replayed(tmp_path: Path) -> None:
    classifier = small_classifier()
    view = framed(classifier, WIDE, FIT)
    assert not np.array_equal(view, classifier.view(WIDE))
    made = decam.explain(classifier, WIDE, "grad-cam", target="c", framing="fit")
    known = decam.explain(classifier, view, "grad-cam", target="c")
    np.testing.assert_array_equal(made.saliency, known.saliency)
    values = decam.measure(classifier, WIDE, made, metrics=["deletion"], steps=4, framing="fit")
    assert values == decam.measure(classifier, view, known, metrics=["deletion"], steps=4)
    grid = decam.compare(classifier, [WIDE], ["grad-cam"], targets=["c"], metrics=[], framing="fit")
    assert grid.plan.pictures[0] == PictureChoice("image 1", fingerprint(view), framing="fit")
    assert "framing='fit'" in python_text(grid.plan)
    check = decam.sanity_check(classifier, WIDE, ["grad-cam"], target="c", framing="fit")
    np.testing.assert_array_equal(check.views[0], view)
    write(grid, tmp_path)
    recording = read(tmp_path / "settings.json")
    assert recording.plan.pictures[0].framing == "fit"
    assert [one.verdict for one in remake(recording, lambda _: classifier) if isinstance(one, Remade)] == ["identical"]
    with pytest.raises(SettingError, match="There is no framing"):
        decam.explain(classifier, WIDE, "grad-cam", framing="stretch")  # type: ignore[arg-type]  # what a user may give


def test_a_text_says_one_framing_and_where_there_are_two_why_not() -> None:
    plan = dataclasses.replace(settled("rise", count=2), execution=None)
    assert "framing" not in python_text(plan) + command_text(plan)
    assert "--framing fit" in command_text(fitted(plan))
    mixed = dataclasses.replace(plan, pictures=(plan.pictures[0], fitted(plan).pictures[1]))
    for text in (python_text, command_text):
        with pytest.raises(SettingError, match="some fitted"):
            text(mixed)


@pytest.mark.slow
def test_the_command_fits_pictures_and_their_masks(tmp_path: Path) -> None:
    WIDE.save(tmp_path / "wide.png")
    mask = np.zeros((40, 90), np.uint8)
    mask[10:30, :12] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    given = ["explain", str(tmp_path / "wide.png"), "--model", "embedded", "-m", "random", "--steps", "2"]
    marked = ["--truth", str(tmp_path / "mask.png")]
    assert main([*given, *marked, "--framing", "fit", "--out", str(tmp_path / "out")]) == 0
    written = json.loads((tmp_path / "out" / "settings.json").read_text(encoding="utf-8"))
    assert written["plan"]["pictures"][0]["framing"] == "fit"
    (truth,) = (tmp_path / "out" / "truths").iterdir()
    seen = np.asarray(Image.open(truth).convert("L")) > 127
    assert seen[:, : seen.shape[1] // 8].any(), "what a crop would have lost"
