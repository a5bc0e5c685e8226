"""Runs, sanity checks and exports of the first version open with everything that the first version showed of them."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decam.errors import NoSuchRunError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.kinds.randomisation import similarities
from decam.experiments.plan import MetricChoice
from decam.experiments.status import Status
from decam.experiments.variants import variants_of
from decam.explanation import last
from decam.export import replay
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE
from decam.models import load_classifier
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import wait_for

FIRST_VERSION = Path(__file__).resolve().parents[2] / "data" / "first_version"
EXPECTED: dict[str, Any] = json.loads((FIRST_VERSION / "expected.json").read_text(encoding="utf-8"))
RUNS: dict[str, Any] = EXPECTED["runs"]
CHECKS: dict[str, Any] = EXPECTED["checks"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIRST_VERSION / "directory", tmp_path / "data"))


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    made = Store(directory)
    yield made
    made.close()


def sha(array: np.ndarray | None) -> str | None:
    return None if array is None else hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def check_explanation(cell: Cell, expected: dict[str, Any]) -> None:
    found = cell.explanation
    assert found is not None
    assert sha(found.saliency) == expected["saliency"]
    assert (found.target, found.label, found.probability, found.seed, found.seconds, list(found.notes)) == tuple(
        expected[name] for name in ("target", "label", "probability", "seed", "seconds", "notes")
    )


@pytest.mark.slow
@pytest.mark.parametrize("link", RUNS)
def test_a_run_has_its_plan_pictures_and_predictions(store: Store, link: str) -> None:
    run, expected = store.load(link), RUNS[link]
    assert (run.owner, run.created, run.status, run.note) == (
        *(expected["owner"], datetime.fromisoformat(expected["created"])),
        *(expected["status"], expected["note"]),
    )
    assert (run.plan.model, list(run.labels)) == (expected["model"], expected["labels"])
    assert [choice.name for choice in run.plan.pictures] == expected["pictures"]
    assert [sha(view) for view in run.views] == expected["views"]
    assert [sha(truth) for truth in run.truths] == expected["truths"]
    assert [guesses and [list(guess) for guess in guesses] for guesses in run.predictions] == expected["predictions"]


@pytest.mark.slow
@pytest.mark.parametrize("link", RUNS)
def test_a_run_has_its_maps_measurements_and_errors(store: Store, link: str) -> None:
    run = store.load(link)
    assert len(run.cells) == len(RUNS[link]["cells"])
    for expected in RUNS[link]["cells"]:
        cell = run.cells[CellKey(expected["picture"], expected["method"])]
        assert (cell.state, cell.error) == (expected["state"], expected["error"])
        if expected["explanation"] is None:
            assert cell.explanation is None
            continue
        check_explanation(cell, expected["explanation"])
        assert cell.evaluations == expected["evaluations"]
        assert len(cell.frames) == expected["frames"]
        assert sum(frame.trace is not None for frame in cell.frames) == expected["traces"]
        check_measurements(run.plan.metrics, cell, expected)


def check_measurements(choices: tuple[MetricChoice, ...], cell: Cell, expected: dict[str, Any]) -> None:
    found = {
        (choice.name, choice.settings.to_mapping().get("fill")): cell.measurements[choice.key]
        for choice in choices
        if choice.key in cell.measurements
    }
    assert len(found) == len(cell.measurements)
    for pair in expected["curves"]:
        for metric, fill in zip(("deletion", "insertion"), pair["fills"], strict=True):
            measurement, before = found[metric, fill], pair[metric]
            assert measurement.value == before["area"]
            assert measurement.curve is not None
            assert measurement.curve.area == pytest.approx(before["area"], abs=1e-7)
            for name, values in (
                ("shares", "shares"),
                ("values", "values"),
                ("top", "top"),
                ("top_values", "top values"),
            ):
                assert getattr(measurement.curve, name).tolist() == before[values]
    by_name = {name: one for (name, _), one in found.items()}
    for metric, (value, note) in expected["judgements"].items():
        assert by_name[metric].note == note
        assert by_name[metric].value == pytest.approx(math.nan if value is None else value, abs=0, nan_ok=True)
    curves = {
        (metric, pair["fills"][place])
        for pair in expected["curves"]
        for place, metric in ((0, "deletion"), (1, "insertion"))
    }
    assert len(found) == len(curves) + len(expected["judgements"])


@pytest.mark.slow
@pytest.mark.parametrize("link", CHECKS)
def test_a_check_is_a_run_with_its_maps_similarities_and_stages(store: Store, link: str) -> None:
    run, expected = store.load(link), CHECKS[link]
    assert (run.plan.kind, run.owner, run.created, run.status) == (
        *("randomisation", expected["owner"]),
        *(datetime.fromisoformat(expected["created"]), expected["status"]),
    )
    assert (sha(run.views[0]), run.plan.pictures[0].name) == (expected["view"], expected["picture"])
    assert [choice.name for choice in run.plan.methods] == expected["methods"]
    assert [[one.stage, one.share] for one in variants_of(run.plan)] == expected["variants"]
    assert {one.mode for one in variants_of(run.plan)} == {expected["mode"]}
    assert run.grid.target_of(0) == expected["target"]
    for one in expected["originals"]:
        cell = run.cells[CellKey(0, one["method"])]
        check_explanation(cell, one)
        for absolute, how in ((False, "plain"), (True, "absolute")):
            for measure, metric in TO_CONTROLS.items():
                found = cell.measurements[MetricChoice.default(metric.name, absolute=absolute).key]
                assert [list(part) for part in found.parts] == [
                    [control, likeness[how][measure]] for control, likeness in one["floor"]
                ]
                assert found.value == one["floor"][0][1][how][measure]
    for one in expected["compared"]:
        cell = run.cells[CellKey(1 + one["variant"], one["method"])]
        check_explanation(cell, one)
        for absolute, how in ((False, "plain"), (True, "absolute")):
            for measure, metric in TO_REFERENCE.items():
                found = cell.measurements[MetricChoice.default(metric.name, absolute=absolute).key]
                assert found.value == one["likeness"][how][measure]
    for method, variant, sentence in expected["failures"]:
        assert run.cells[CellKey(0 if variant is None else 1 + variant, method)].error == sentence
    assert run.plan.metrics == similarities()
    assert run.grid.complete == (expected["status"] == "done")


@pytest.mark.slow
def test_all_are_listed_by_kind_and_owner(store: Store) -> None:
    assert {run.id for run in store.recent()} == {*RUNS, *CHECKS}
    assert {run.id for run in store.recent(kind="comparison")} == set(RUNS)
    assert {run.id for run in store.recent("ann", kind="randomisation")} == {
        link for link, check in CHECKS.items() if check["owner"] == "ann"
    }
    assert {run.facts for run in store.recent(kind="comparison")} == {("3 methods",), ("2 methods",)}


@pytest.mark.slow
def test_a_check_is_imported_once_its_file_stays_and_what_is_deleted_stays_deleted(directory: Path) -> None:
    link = next(iter(CHECKS))
    kept = (directory / "sanity" / f"{link}.npz").read_bytes()
    first = Store(directory)
    first.load(link)
    first.delete(link)
    first.close()
    assert (directory / "sanity" / f"{link}.npz.imported").read_bytes() == kept
    second = Store(directory)
    with pytest.raises(NoSuchRunError):
        second.load(link)
    assert {run.id for run in second.recent(kind="randomisation")} == set(CHECKS) - {link}
    second.close()


@pytest.mark.slow
def test_an_import_that_was_cut_short_before_its_file_was_renamed_is_not_made_twice(directory: Path) -> None:
    link = next(iter(CHECKS))
    first = Store(directory)
    before = first.load(link)
    first.close()
    path = directory / "sanity" / f"{link}.npz"
    path.with_name(f"{link}.npz.imported").rename(path)
    second = Store(directory)
    assert second.load(link).version == before.version
    assert len(second.recent(kind="randomisation")) == len(CHECKS)
    assert not path.exists()
    second.close()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"nonsense", "half", "link"])
def test_a_damaged_check_is_named_in_the_log_and_stops_no_other(
    directory: Path, damage: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    link, other = CHECKS
    path = directory / "sanity" / f"{link}.npz"
    whole = path.read_bytes()
    if damage == "link":
        with np.load(path) as arrays:
            about = json.loads(str(arrays["about"])) | {"id": "../../elsewhere"}
            np.savez(path, **{**arrays, "about": np.array(json.dumps(about))})
    else:
        path.write_bytes(whole[: len(whole) // 2] if isinstance(damage, str) else damage)
    store = Store(directory)
    with caplog.at_level(logging.WARNING):
        assert {run.id for run in store.recent()} == {*RUNS, other}
    assert str(path) in caplog.text
    assert path.exists()
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "stage"), [("cascading", "not begun"), ("labels", "shuffled labels")])
def test_a_check_that_never_began_is_there_with_what_was_asked(directory: Path, mode: str, stage: str) -> None:
    link = next(iter(CHECKS))
    path = directory / "sanity" / f"{link}.npz"
    with np.load(path) as arrays:
        about = json.loads(str(arrays["about"]))
        view = arrays["view"]
    about["status"], about["plan"]["mode"] = "queued", mode
    about["found"] |= {"variants": [], "originals": [], "compared": [], "failures": []}
    np.savez(path, about=np.array(json.dumps(about)), view=view)
    store = Store(directory)
    run = store.load(link)
    assert run.status is Status.INTERRUPTED
    assert [one.stage for one in variants_of(run.plan)] == [stage]
    assert all(cell.explanation is None and not cell.error for cell in run.cells.values())
    store.close()


@pytest.mark.slow
def test_runs_that_were_stopped_are_resumed_with_the_maps_that_they_have(directory: Path) -> None:
    runs = Runs(Store(directory), lambda name, device: load_classifier(name, device=device, exact=True))
    stopped = [link for link, expected in {**RUNS, **CHECKS}.items() if expected["status"] == "stopped"]
    assert len(stopped) == 2
    for link in stopped:
        before = runs.snapshot(link)
        had = {key: cell for key, cell in before.cells.items() if cell.explanation is not None}
        assert had and len(had) < len(before.cells)
        runs.resume(link)
        done = wait_for(runs, link)
        assert (done.status, done.grid.complete) == ("done", True)
        for key, cell in had.items():
            after = done.cells[key].explanation
            assert after is not None and cell.explanation is not None
            assert after.saliency.tobytes() == cell.explanation.saliency.tobytes()
            assert after.seconds == cell.explanation.seconds
            for choice, measurement in cell.measurements.items():
                assert repr(done.cells[key].measurements[choice]) == repr(measurement)
    runs.close()


@pytest.mark.slow
def test_the_export_is_replayed_and_every_map_is_identical() -> None:
    recording = replay.read(FIRST_VERSION / "export" / "settings.json")
    classifier = load_classifier(recording.plan.model, device="cpu", exact=True)
    assert recording.plan.execution is not None
    classifier.configure(recording.plan.execution)
    remade = last(replay.remake(recording, lambda _: classifier))
    assert len(remade) == 4
    for one in remade:
        asks_model = one.explanation.method != "centre"  # another processor may round its sums otherwise
        assert one.verdict == "identical" or (asks_model and one.difference is not None and one.difference < 1e-5)
