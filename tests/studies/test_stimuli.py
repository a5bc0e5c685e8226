"""What a study freezes: files by their digests, the same again, and untouched by what happens to runs."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from decam.classifier import Pixels
from decam.experiments.cells import CellKey
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MethodChoice
from decam.explanation import Map
from decam.figures import lut
from decam.figures.stimulus import Display, RawMap, drawn
from decam.metrics.scales import ranks
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.studies import catches, drawing, frozen, stimuli
from decam.studies.design import Study, StudyError
from decam.studies.document import digest_of, study_from_json, study_to_json
from decam.studies.export.pack import stimulus_names
from decam.studies.road import lacks
from decam.studies.stimuli import Wanted, freeze, joined, offered
from tests.studies.made import DELETION, damage, ramp, run, view

CAT, DOG = view(1), view(2)
BOTH = ("grad-cam", "integrated-gradients")
QUICK = Display(size=128)


def two(link: str = "one", **more: object) -> RunSnapshot:
    return run(link, {"cat.jpg": CAT, "dog.jpg": DOG}, **more)  # type: ignore[arg-type]


def wanted(*runs: RunSnapshot, **more: object) -> Wanted:
    pictures = {subject.key: "trials" for subject in offered(runs).subjects}
    return Wanted(pictures, BOTH, **more)  # type: ignore[arg-type]


def study(folder: Path, *runs: RunSnapshot, display: Display | None = None, **more: object) -> Study:
    display = display or QUICK
    conditions, made = freeze(runs, wanted(*runs, **more), display, folder)
    return Study("A study", display=display, conditions=conditions, stimuli=made)


def files(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_each_file_is_called_by_the_sha256_of_what_it_holds(tmp_path: Path) -> None:
    made = study(tmp_path, two(), catches=("random", "none"))
    there = files(tmp_path)
    assert set(there) == set(frozen.names(made))
    assert all(hashlib.sha256(content).hexdigest() == name.partition(".")[0] for name, content in there.items())
    # Of each picture: as the model saw it, as it is shown, the overlay that both ramps share, and that of its noise.
    # Of arrays: two ramps, which both pictures share, and a noise for each picture.
    assert len(there) == 2 * 4 + 2 + 2


@pytest.mark.slow
def test_freezing_again_gives_the_same_study_and_writes_nothing(tmp_path: Path) -> None:
    first = study(tmp_path, two(), catches=("random", "edges"))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    second = study(tmp_path, two(), catches=("random", "edges"))
    assert digest_of(first) == digest_of(second)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_a_study_stays_as_it_is_when_its_run_is_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    kept = two()
    store.add(kept)
    for key, cell in kept.cells.items():
        assert cell.explanation is not None
        store.save_cell(kept.id, key, cell)
    made = study(tmp_path / "study", store.load(kept.id))
    before = files(tmp_path / "study")
    store.delete(kept.id)
    store.close()
    assert files(tmp_path / "study") == before and damage(made, tmp_path / "study") == []
    smaller = drawing.redrawn(made, Display(size=160), tmp_path / "study")
    assert smaller.stimuli[0].width == 160


def test_the_array_is_the_map_itself_and_the_measurement_is_kept(tmp_path: Path) -> None:
    given_map = np.random.default_rng(3).normal(size=CAT.shape[:2]).astype(np.float32)
    made = study(tmp_path, two(maps={CellKey(1, 1): given_map}))
    found = made.stimuli[1].map_of("integrated-gradients")
    assert found is not None
    array = frozen.read_array(tmp_path, found.array)
    assert array.signed and not array.silent
    np.testing.assert_array_equal(array.saliency, given_map)
    assert dict(found.measurements) == {stimuli.measured_by(DELETION): pytest.approx(0.26)}
    assert (found.run, found.question, found.method) == ("one", 1, 1)


def test_runs_that_ask_about_other_classes_of_a_picture_make_one_stimulus(tmp_path: Path) -> None:
    first, second = two("one"), two("two", targets=[1, 2])
    made = study(tmp_path, first, second)
    assert [one.name for one in made.stimuli] == ["cat.jpg", "dog.jpg"]
    assert [(one.condition, one.label) for one in made.stimuli[0].maps] == [
        ("grad-cam", "cat"), ("integrated-gradients", "cat"), ("grad-cam", "dog"), ("integrated-gradients", "dog"),
    ]  # fmt: skip
    assert made.stimuli[0].label == "cat" and made.stimuli[0].answer == "cat"
    assert made.stimuli[1].map_of("grad-cam", "bird") is not None
    assert made.stimuli[0].guesses == (("cat", 0.7), ("dog", 0.2), ("bird", 0.1))


def test_maps_of_one_class_rather_than_another_are_not_taken_for_maps_of_the_class(tmp_path: Path) -> None:
    contrast = np.random.default_rng(3).normal(size=CAT.shape[:2]).astype(np.float32)
    first = two("one", targets=[0, 0], against=[1, 1], maps={CellKey(0, 0): contrast})
    made = study(tmp_path, first, two("two", targets=[0, 0]))
    assert made.stimuli[0].label == "cat rather than dog" and made.stimuli[0].target == 0
    assert [one.label for one in made.stimuli[0].maps] == ["cat rather than dog"] * 2 + ["cat"] * 2
    found, plain = (made.stimuli[0].map_of("grad-cam", label) for label in ("", "cat"))
    assert found is not None and plain is not None and (found.run, plain.run) == ("one", "two")
    np.testing.assert_array_equal(frozen.read_array(tmp_path, found.array).saliency, contrast)
    names = stimulus_names(made)
    assert names[found.image] != names[plain.image]
    assert len(set(names.values())) == len(names)


def test_the_same_picture_by_another_model_is_another_stimulus(tmp_path: Path) -> None:
    made = study(tmp_path, two("one"), two("two", model="squeezenet1_0"))
    assert [one.model for one in made.stimuli] == ["embedded"] * 2 + ["squeezenet1_0"] * 2
    assert len({one.key for one in made.stimuli}) == 4


def test_the_same_map_in_two_runs_is_taken_from_the_first(tmp_path: Path) -> None:
    made = study(tmp_path, two("late"), two("early"))
    assert {one.run for stimulus in made.stimuli for one in stimulus.maps} == {"late"}


def test_a_method_with_two_settings_is_two_conditions_whose_titles_differ(tmp_path: Path) -> None:
    once = two("one")
    other = dataclasses.replace(
        once.plan, methods=(MethodChoice.default("integrated-gradients", steps=8), *once.plan.methods)
    )
    assert [one.key for one in offered([once]).methods] == list(BOTH)
    grid = dataclasses.replace(
        once.grid,
        plan=other,
        cells={CellKey(q, m): once.cells[CellKey(q, max(0, m - 1))] for q in range(2) for m in range(3)},
    )
    offer = offered([dataclasses.replace(once, grid=grid)])
    assert [one.key for one in offer.methods] == ["integrated-gradients", "grad-cam", "integrated-gradients-2"]
    assert len({one.title for one in offer.methods}) == 3
    del tmp_path


def test_maps_that_are_not_finished_are_named_with_their_picture(tmp_path: Path) -> None:
    broken = two(maps={CellKey(1, 0): None})
    with pytest.raises(StudyError, match=r"dog\.jpg has no finished map by Grad-CAM for cat"):
        study(tmp_path, broken)
    only = {offered([broken]).subjects[0].key: "trials"}
    conditions, made = freeze([broken], Wanted(only, BOTH), QUICK, tmp_path)
    assert len(conditions) == 2 and [one.name for one in made] == ["cat.jpg"]


def test_pictures_without_a_finished_map_and_galleries_of_classes_are_not_offered() -> None:
    nothing = two(maps={CellKey(0, 0): None, CellKey(0, 1): None})
    assert [one.name for one in offered([nothing]).subjects] == ["dog.jpg"]
    plan = class_maps.plan(["embedded"], "cpu", [0], [MethodChoice.default("input-agnostic")])
    gallery = dataclasses.replace(nothing, grid=dataclasses.replace(nothing.grid, plan=plan))
    assert offered([gallery]).subjects == () and offered([gallery]).methods == ()


@pytest.mark.slow
def test_every_built_in_condition_that_can_be_made_has_a_map_for_every_class(tmp_path: Path) -> None:
    made = study(tmp_path, two("one"), two("two", targets=[1, 1]), catches=("random", "centre", "edges", "none"))
    for stimulus in made.stimuli:
        for name in ("random", "centre", "edges"):
            assert all(stimulus.map_of(name, label) is not None for label in ("cat", "dog"))
        assert stimulus.map_of("none") is None
        random = [frozen.read_array(tmp_path, one.array).saliency for one in stimulus.maps if one.condition == "random"]
        assert not np.array_equal(*random), "each class has noise of its own"
        centre = next(one for one in stimulus.maps if one.condition == "centre")
        peak = np.unravel_index(frozen.read_array(tmp_path, centre.array).saliency.argmax(), CAT.shape[:2])
        assert abs(peak[0] - 19.5) < 1 and abs(peak[1] - 29.5) < 1
        assert centre.run == "" and centre.question == -1
    assert not any("has no map" in one for one in lacks(made))


def test_the_map_of_random_weights_comes_from_a_run_that_has_the_control(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="Random weights: no chosen run has such a map"):
        study(tmp_path, two(), catches=("untrained",))
    having = two(methods=(*BOTH, "untrained"))
    made = study(tmp_path, having, catches=("untrained",))
    (control,) = [one for one in made.conditions if one.source == "untrained"]
    assert control.catch and made.stimuli[0].map_of(control.key) is not None
    assert "untrained" not in [one.key for one in offered([having]).methods]


def test_a_control_that_a_run_has_is_taken_from_it(tmp_path: Path) -> None:
    made = study(tmp_path, two(methods=(*BOTH, "centre")), catches=("centre",))
    assert {one.run for one in made.stimuli[0].maps} == {"one"}


def test_a_study_tells_who_lacks_a_map(tmp_path: Path) -> None:
    made = study(tmp_path, two())
    bare = dataclasses.replace(made.stimuli[0], maps=made.stimuli[0].maps[:1])
    broken = dataclasses.replace(made, stimuli=(bare, made.stimuli[1]))
    assert any(one.startswith("Integrated Gradients has no map of cat.jpg;") for one in lacks(broken))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pictures": {}}, "Choose at least one image"),
        ({"pictures": {"nonsense": "trials"}}, "Choose at least one image"),
        ({"methods": (), "catches": ()}, "Choose at least one method"),
        ({"methods": ("lime",)}, "have no method 'lime'; they have: grad-cam, integrated-gradients"),
        ({"catches": ("nothing",)}, "There is no built-in condition 'nothing'; there are: random, centre"),
    ],
)
def test_what_cannot_be_frozen_is_said(tmp_path: Path, change: Mapping[str, object], sentence: str) -> None:
    asked = dataclasses.replace(wanted(two()), **change)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match=sentence):
        freeze([two()], asked, QUICK, tmp_path)


def test_a_picture_for_no_block_is_refused(tmp_path: Path) -> None:
    pictures = dict.fromkeys(wanted(two()).pictures, "lunch")
    with pytest.raises(StudyError, match="is for 'lunch', but must be for one of: trials, training, example"):
        freeze([two()], Wanted(pictures, BOTH), QUICK, tmp_path)


def test_a_file_that_was_changed_or_removed_is_named(tmp_path: Path) -> None:
    made = study(tmp_path, two())
    assert damage(made, tmp_path) == []
    changed, gone = tmp_path / f"{made.stimuli[0].view}.png", tmp_path / f"{made.stimuli[1].maps[0].array}.npz"
    changed.write_bytes(changed.read_bytes() + b" ")
    gone.unlink()
    sentences = damage(made, tmp_path)
    assert len(sentences) == 2
    assert any(changed.name in one and "was changed or is damaged" in one for one in sentences)
    assert any(gone.name in one and "cannot be read" in one for one in sentences)
    with pytest.raises(StudyError, match="was changed or is damaged"):
        drawing.redrawn(made, Display(size=256), tmp_path)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "ABC", "0" * 63, "g" * 64])
def test_no_name_but_a_digest_leads_to_a_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StudyError, match="is no digest of a file"):
        frozen.read(tmp_path, digest, ".png")


def test_a_file_that_holds_no_map_is_refused(tmp_path: Path) -> None:
    digest = frozen.keep(tmp_path, b"nothing", frozen.ARRAY)
    with pytest.raises(StudyError, match="holds no map"):
        frozen.read_array(tmp_path, digest)


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(StudyError, match="cannot be written"):
        study(blocked, two())


@pytest.mark.slow
@pytest.mark.parametrize("display", [
    Display(size=128), Display(scale="limits", size=160),
    Display(view="map", colours="viridis", size=160), Display(view="masked", size=160),
    Display(view="area", area=20, size=160), Display(scale="method", size=160),
])  # fmt: skip
def test_drawing_again_is_what_freezing_with_that_display_would_have_been(tmp_path: Path, display: Display) -> None:
    first = study(tmp_path / "a", two(), display=Display(size=200, opacity=0.3), catches=("random",))
    direct = study(tmp_path / "b", two(), display=display, catches=("random",))
    assert digest_of(drawing.redrawn(first, display, tmp_path / "a")) == digest_of(direct)


def test_files_of_earlier_displays_are_swept_away_and_no_others(tmp_path: Path) -> None:
    first = study(tmp_path, two())
    (tmp_path / "notes.txt").write_text("mine")
    second = drawing.redrawn(first, Display(size=160), tmp_path)
    gone = frozen.sweep(second, tmp_path)
    assert gone == len(set(frozen.names(first)) - set(frozen.names(second)))
    assert damage(second, tmp_path) == [] and (tmp_path / "notes.txt").is_file()
    assert len(list(tmp_path.iterdir())) == len(frozen.names(second)) + 1


def test_a_stimulus_whose_picture_was_not_kept_cannot_be_drawn_again(tmp_path: Path) -> None:
    made = study(tmp_path, two())
    without = dataclasses.replace(made, stimuli=(dataclasses.replace(made.stimuli[0], view=""),))
    with pytest.raises(StudyError, match="cannot be drawn again"):
        drawing.redrawn(without, Display(), tmp_path)


def test_frozen_stimuli_survive_the_document(tmp_path: Path) -> None:
    made = study(tmp_path, two(), catches=("random",))
    assert study_from_json(study_to_json(made)) == made


@pytest.mark.slow
def test_all_stimuli_have_the_displays_size_and_their_own_shape(tmp_path: Path) -> None:
    made = study(tmp_path, two(), display=Display(size=224))
    assert {(one.width, one.height) for one in made.stimuli} == {(224, 149)}
    for one in (made.stimuli[0].image, made.stimuli[0].maps[0].image):
        assert Image.open(io.BytesIO(frozen.read(tmp_path, one, ".png"))).size == (224, 149)


@pytest.mark.slow
@given(st.lists(st.integers(-5, 5), min_size=2, max_size=60))
def test_a_rank_is_the_share_of_values_that_lie_below(values: list[int]) -> None:
    found = ranks(np.array([values], np.float32))[0]
    slow = [sum(other < value for other in values) / (len(values) - 1) for value in values]
    np.testing.assert_allclose(found, slow, atol=1e-6)


def test_methods_that_rank_alike_look_alike_whatever_their_units(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random(CAT.shape[:2]).astype(np.float32)
    other: Map = (values**3 * 1000 - 5).astype(np.float32)
    made = study(tmp_path, two(maps={CellKey(0, 0): values, CellKey(0, 1): other}))
    assert len({one.image for one in made.stimuli[0].maps}) == 1


def test_signed_maps_are_drawn_in_the_same_colours_and_what_speaks_against_is_darkest(tmp_path: Path) -> None:
    made = study(tmp_path, two(), display=Display(view="map", scale="limits", size=128))
    signed = made.stimuli[0].map_of("integrated-gradients")
    assert signed is not None
    pixels = drawing.read_picture(tmp_path, signed.image)
    np.testing.assert_array_equal(pixels[40, 5], lut("cividis")[0])
    np.testing.assert_array_equal(pixels[40, -1], lut("cividis")[255])


def test_a_map_of_rounding_or_chance_alone_is_drawn_flat() -> None:
    for scale in ("rank", "limits"):
        pixels = drawn(CAT, RawMap(ramp(), silent=True), Display(view="map", scale=scale))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 1


def test_values_that_are_not_finite_are_drawn_as_the_nearest_end() -> None:
    broken = np.array([[np.nan, 0.0], [1.0, np.inf]], np.float32)
    np.testing.assert_allclose(ranks(broken), [[0, 0], [2 / 3, 2 / 3]])


@pytest.mark.slow
def test_letters_do_not_follow_the_order_of_the_methods(tmp_path: Path) -> None:
    orders = {tuple(one.letter for one in study(tmp_path, two(), seed=seed).conditions) for seed in range(8)}
    assert orders == {("A", "B"), ("B", "A")}


def test_more_pictures_join_a_study_and_what_was_there_keeps_its_letter(tmp_path: Path) -> None:
    first = study(tmp_path, two())
    more = run("later", {"bird.png": view(9), "cat.jpg": CAT})
    conditions, made = freeze([more], wanted(more, catches=("edges",)), QUICK, tmp_path)
    grown = joined(first, conditions, made)
    assert grown.conditions[:2] == first.conditions and grown.stimuli[:2] == first.stimuli
    assert [one.name for one in grown.stimuli] == ["cat.jpg", "dog.jpg", "bird.png"]
    assert len({one.letter for one in grown.conditions}) == 3
    assert any(one.startswith("Edge detector has no map of cat.jpg, dog.jpg") for one in lacks(grown))


def with_steps(link: str, steps: int, pictures: Mapping[str, Pixels]) -> RunSnapshot:
    """A run whose Integrated Gradients took so many steps."""
    once = run(link, pictures)
    methods = (once.plan.methods[0], MethodChoice.default("integrated-gradients", steps=steps))
    plan = dataclasses.replace(once.plan, methods=methods)
    return dataclasses.replace(once, grid=dataclasses.replace(once.grid, plan=plan))


def test_a_method_with_other_settings_joins_a_study_as_one_more_condition(tmp_path: Path) -> None:
    first = study(tmp_path, with_steps("one", 8, {"cat.jpg": CAT}))
    other = with_steps("two", 64, {"bird.png": view(9)})
    grown = joined(first, *freeze([other], wanted(other), QUICK, tmp_path))
    assert [one.key for one in grown.conditions] == ["grad-cam", "integrated-gradients", "integrated-gradients-2"]
    assert len({one.title for one in grown.conditions}) == len({one.letter for one in grown.conditions}) == 3
    assert [one.condition for one in grown.stimuli[1].maps] == ["grad-cam", "integrated-gradients-2"]
    again = with_steps("three", 64, {"fish.png": view(10)})
    most = joined(grown, *freeze([again], wanted(again), QUICK, tmp_path))
    assert most.conditions == grown.conditions
    assert [one.condition for one in most.stimuli[2].maps] == ["grad-cam", "integrated-gradients-2"]
    assert study_from_json(study_to_json(most)) == most


def test_a_study_that_kept_no_settings_is_joined_only_where_maps_show_that_they_are_the_same(tmp_path: Path) -> None:
    kept = study(tmp_path, with_steps("one", 8, {"cat.jpg": CAT}))
    bare = tuple(dataclasses.replace(one, settings="") for one in kept.conditions)
    old = study_from_json(study_to_json(dataclasses.replace(kept, conditions=bare)))
    assert '"settings"' not in study_to_json(old), "an earlier study keeps its document, and so its digest"
    assert old.conditions == bare
    alone = with_steps("two", 8, {"bird.png": view(9)})
    with pytest.raises(StudyError, match="Grad-CAM cannot be added: Grad-CAM is in this study already"):
        joined(old, *freeze([alone], wanted(alone), QUICK, tmp_path))
    both = with_steps("three", 8, {"cat.jpg": CAT, "bird.png": view(9)})
    grown = joined(old, *freeze([both], wanted(both), QUICK, tmp_path))
    assert grown.conditions == bare
    assert [one.condition for one in grown.stimuli[1].maps] == ["grad-cam", "integrated-gradients"]


def test_the_table_of_built_in_conditions_has_each_name_once() -> None:
    names = [one.name for one in catches.CATCHES]
    assert len(set(names)) == len(names) and {"random", "centre", "edges", "untrained", "none"} == set(names)
    assert stimuli.METHOD not in names
