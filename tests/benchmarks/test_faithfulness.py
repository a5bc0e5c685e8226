"""The benchmark of faithfulness from a folder to its tables: order, resuming, and numbers found by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from benchmarks import faithfulness
from benchmarks.faithfulness import FILLS, STEPS, UNSEARCHED, main, parts, results, scene_parts
from benchmarks.paired import agreement_table, means_table
from benchmarks.rows import candidates, own_methods
from decam.benchmark.candidates import Candidate, selected
from decam.benchmark.datasets import Subject
from decam.benchmark.outcomes import Outcomes
from decam.experiments.kinds import benchmark
from decam.experiments.kinds.benchmark import BENCHMARK
from decam.experiments.plan import PictureChoice, fingerprint, usual_metrics
from decam.images.scenes import scene
from decam.methods.de_cam.settings import DeCamSettings
from decam.runs.store import Store
from tests.benchmark.conftest import keep
from tests.benchmark.conftest import store as store  # a fixture
from tests.conftest import Rectangle

ROWS = ["--rows", "random", "centre", "grad-cam"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and a file that is none."""
    made = tmp_path / "pictures"
    made.mkdir()
    for seed in range(2):
        Image.fromarray(scene.scene(seed).image).save(made / f"{seed}.png")
    (made / "README.md").write_text("about the images")
    return made


@pytest.fixture(autouse=True)
def _own_methods() -> Iterator[None]:
    with own_methods():
        yield


def test_the_first_seed_of_all_pictures_comes_first_and_unseeded_rows_once(rectangle: Rectangle) -> None:
    rows = selected(candidates(rectangle.classifier), ["random", "centre"])
    views = [np.full_like(rectangle.view, shade) for shade in (10, 20)]
    chosen = [
        Subject(PictureChoice(name, fingerprint(view)), view, None, None, 0)
        for name, view in zip("pq", views, strict=True)
    ]
    todo = [
        (part.plan.seed, part.plan.pictures[0].name, [choice.name for choice in part.plan.methods])
        for part in parts(rectangle.classifier, chosen, 2, rows)
    ]
    both = ["random", "centre"]
    assert todo == [(0, "p", both), (0, "q", both), (1, "p", ["random"]), (1, "q", ["random"])]


@pytest.mark.slow
def test_the_tables_of_a_store_are_what_numpy_finds_by_hand(store: Store) -> None:
    drawn = np.random.default_rng(2)
    rows = [Candidate.of(f"de-cam-{budget}", "de-cam", DeCamSettings(budget=budget)) for budget in (500, 1000)]
    metrics = (*usual_metrics(FILLS, STEPS), *UNSEARCHED)
    values = drawn.random((2, 2, len(metrics), len(rows)))  # pictures × seeds × metrics × rows
    maps = drawn.random((2, 2, len(rows), 20, 20)).astype(np.float32)
    for picture in range(2):
        for seed in range(2):
            choices = [row.choice for row in rows]
            named = PictureChoice(f"{picture}.png", f"print {picture}")
            plan = benchmark.plan(["embedded"], "cpu", [named], choices, seeds=[(seed,)], metrics=metrics)
            keep(store, plan, dict(zip(metrics, values[picture, seed], strict=True)), maps[picture, seed])
    found, others = results(Outcomes(store), "embedded", rows)
    assert others == 0
    deletion, insertion, swapped_deletion, swapped_insertion, road, mu_fidelity = values.mean(axis=(0, 1))
    expected = (deletion, insertion, insertion - deletion, swapped_insertion - swapped_deletion, road, mu_fidelity)
    assert means_table(found, [row.label for row in rows]).splitlines()[2:] == [
        f"| {row.label} | {10 + place} | 2 | 2 | {' | '.join(f'{mean[place]:.3f}' for mean in expected)} |"
        for place, row in enumerate(rows)
    ]
    alike = [spearmanr(one[1].ravel(), other[1].ravel()).statistic for one, other in maps]
    line = agreement_table(found, ["de-cam-1000"]).splitlines()[2]
    assert line.startswith(f"| de-cam-1000 | 2 | {np.mean(alike):.3f} [")
    assert f"| {min(alike):.3f} |" in line
    # Only some of the pictures, and other settings.
    assert len(results(Outcomes(store), "embedded", rows, {"print 1"})[0]) == 4
    assert results(Outcomes(store), "embedded", rows[:1])[1] == 4
    assert results(Outcomes(store), "embedded", rows[:1], usual=rows)[1] == 0, "not chosen is no other setting"
    assert results(Outcomes(store), "squeezenet1_0", rows) == ([], 0)


@pytest.mark.slow
def test_results_of_a_model_whose_weights_a_plan_names_are_found(store: Store, tmp_path: Path) -> None:
    weights = tmp_path / "own.pt"
    weights.write_bytes(b"whatever")
    rows = [Candidate.of("de-cam-500", "de-cam", DeCamSettings(budget=500))]
    metrics = usual_metrics(FILLS, STEPS)
    named = [PictureChoice("a.png", "print a")]
    plan = benchmark.plan([str(weights)], "cpu", named, [rows[0].choice], seeds=[(0,)], metrics=metrics)
    maps = np.random.default_rng(0).random((1, 20, 20)).astype(np.float32)
    keep(store, plan, dict.fromkeys(metrics, np.array([0.5])), maps)
    assert len(results(Outcomes(store), str(weights), rows)[0]) == 1
    weights.write_bytes(b"other weights")
    assert results(Outcomes(store), str(weights), rows) == ([], 0)


def test_scenes_ask_about_the_object_with_the_seed_0(rectangle: Rectangle) -> None:
    found = scene_parts(rectangle.classifier, 2)
    assert list(found) == ["scene-object", "scene-asked"]
    plans = [part.plan for grids in found.values() for part in grids]
    assert {(plan.seed, len(plan.questions), plan.methods) for plan in plans} == {(0, 1, (faithfulness.SCENE_METHOD,))}
    first = scene.scene(faithfulness.FIRST_SCENE)
    assert plans[0].questions[0].target == first.label


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_tables(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["--pictures", str(folder), "--model", "embedded", "--seeds", "2", "--scenes", "0"]
    whole, stopped = str(tmp_path / "whole"), str(tmp_path / "stopped")
    main([*call, *ROWS, "--out", whole])
    printed = capsys.readouterr().out
    main([*call, "--rows", "random", "--seeds", "1", "--out", stopped])
    main([*call, *ROWS, "--out", stopped])
    main([*call, *ROWS, "--out", stopped, "--write", str(tmp_path / "page.md")])
    assert capsys.readouterr().out.endswith(printed)
    assert printed.partition("\n")[2].strip() in (tmp_path / "page.md").read_text()
    main(["--model", "embedded", "--scenes", "0", "--out", stopped, "--table"])
    assert capsys.readouterr().out == printed
    assert "| random | 0 | 2 | 2 |" in printed and "| grad-cam | 1 | 2 | 1 |" in printed
    table = ["--pictures", str(folder), "--half", "report", "--model", "embedded", "--scenes", "0", "--table"]
    main([*table, "--out", stopped])
    assert "| random | 0 | 1 | 2 |" in capsys.readouterr().out


@pytest.mark.slow
def test_scenes_are_asked_once(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--pictures", str(folder), "--model", "embedded", "--seeds", "1", "--scenes", "1", "--rows", "centre"]
    main([*call, "--out", str(tmp_path / "out")])
    said = capsys.readouterr()
    assert "scene 5000000, seed 0, de-cam made" in said.err
    assert "| brightest pixel on the object |" in said.out and " of 1 |" in said.out
    main([*call, "--out", str(tmp_path / "out")])
    assert capsys.readouterr() == (said.out, "")


@pytest.mark.slow
def test_the_curves_of_a_map_are_those_of_measure(folder: Path, tmp_path: Path) -> None:
    from decam import explain, load_classifier, measure

    out = tmp_path / "out"
    main(["--pictures", str(folder), "--model", "embedded", "--scenes", "0", "--rows", "centre", "--out", str(out)])
    reader = Store(out)
    link = next(iter(reader.versions(BENCHMARK)))
    execution = reader.outline(link).plan.execution
    found, _ = results(Outcomes(reader), "embedded", candidates(load_classifier("embedded")))
    reader.close()
    classifier = load_classifier("embedded")
    assert execution is not None
    classifier.configure(execution)
    saliency = explain(classifier, folder / "0.png", "centre").saliency
    view = fingerprint(classifier.view(Image.open(folder / "0.png")))
    one = next(result for result in found if result.picture == view)
    settings = {"steps": 100}
    mean, blur = (measure(classifier, folder / "0.png", saliency, fill=fill, **settings) for fill in ("mean", "blur"))
    got = (one.deletion, one.insertion, one.swapped_deletion, one.swapped_insertion)
    expected = (mean["deletion"], blur["insertion"], blur["deletion"], mean["insertion"])
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_half_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--table", "--half", "report", "--out", str(tmp_path)])
    assert "name it with --pictures" in capsys.readouterr().err
