"""The maps of an export made again from its settings and pictures, and compared with the maps beside them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.errors import ImageError, SettingError, StoreError
from decam.experiments.cells import CellKey
from decam.experiments.execute import Models
from decam.experiments.explain import class_question, explain_classes, explain_view
from decam.experiments.plan import Plan, Versions, fingerprint
from decam.experiments.plan_json import plan_from_json
from decam.explanation import ClassExplanation, Explanation, Map, Progress, relayed
from decam.export.files import FORMAT, KIND, map_fingerprint
from decam.images.reading import read as read_picture


@dataclass(frozen=True)
class Remark:
    """What a metric, by its place in the plan, says in words of a map, whether it failed, and what it cost.

    Exports of earlier versions do not know what it cost.
    """

    metric: int
    note: str
    failed: bool
    evaluations: int = 0
    reused: bool = False


@dataclass(frozen=True)
class Recorded:
    """A map as the settings describe it: its place in the plan, its file, what was asked and its fingerprint.

    `notes` are the map's own, `remarks` those of metrics, and `sentence` says why its cell failed after all. Exports of
    earlier versions have none of these.
    """

    cell: CellKey
    file: str
    target: int
    seed: int
    sha256: str
    reused: bool = False
    notes: tuple[str, ...] = ()
    sentence: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Recording:
    """An export read back: its plan, views and maps; `threads` is how many the model ran with (0: not known).

    `warnings` say in words what differs here from where the maps were made. `failed` says of cells without a map why.
    `asked` are the evaluations of questions beside their maps and what measured these, the predictions among them.
    """

    folder: Path
    plan: Plan
    views: tuple[Pixels, ...]
    maps: tuple[Recorded, ...]
    threads: int
    warnings: tuple[str, ...]
    failed: Mapping[CellKey, str] = field(default_factory=dict)
    asked: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Remaking:
    """A map is being made again."""

    recorded: Recorded
    progress: Progress


@dataclass(frozen=True)
class Remade:
    """A map made again, and how it compares.

    `difference` is the largest absolute difference from the map beside the settings, None where that map is missing;
    `verdict` says the same in words.
    """

    recorded: Recorded
    explanation: Explanation
    identical: bool
    difference: float | None
    verdict: str


def read(settings: Path) -> Recording:
    """Read an export from its settings.json and the pictures beside it.

    Raises StoreError for a file that cannot be read, SettingError, ModelError or MethodError for settings that are
    not an export's or hold bad values, and ImageError for a picture that is missing or not the one that was explained.
    """
    try:
        read: object = json.loads(settings.read_bytes())
    except OSError as error:
        raise StoreError(f"{settings} cannot be read ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{settings} is not JSON; give the settings.json of an export.") from error
    if not isinstance(read, dict) or read.get("kind") != KIND:
        raise SettingError(f"{settings} holds no settings of decam; give the settings.json of an export.")
    if read.get("format") not in range(1, FORMAT + 1):
        raise SettingError(
            f"{settings} has format {read.get('format')!r}, but this decam reads up to {FORMAT}; update decam."
        )
    try:
        plan = plan_from_json(json.dumps(read["plan"]))
        pictures = [_inside(name) for name in read["pictures"]]
        maps = tuple(_recorded(entry, plan) for entry in read["maps"])
        threads = int(read.get("threads", 0))
        failed = {_cell(entry, plan): _text(entry["sentence"]) for entry in read.get("failed", ())}
        asked = dict(_asked(entry, plan) for entry in read.get("asked", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"{settings} is damaged ({_reason(error)}); export the comparison again.") from error
    if len(pictures) != len(plan.pictures):
        raise SettingError(f"{settings} is damaged (images do not fit the plan); export the comparison again.")
    folder = settings.resolve().parent
    views = tuple(_view(folder / name, choice.sha256) for name, choice in zip(pictures, plan.pictures, strict=True))
    return Recording(folder, plan, views, maps, threads, _warnings(plan), failed, asked)


def remake(recording: Recording, models: Models) -> Generator[Remaking | Remade, None, tuple[Remade, ...]]:
    """Make every map again and compare it with the one beside the settings; returns all in the end.

    `models` gives the plan's models on their device, asked in the way that the plan says. Closing the generator
    cancels. Raises what the methods raise.
    """
    made = []
    plan = recording.plan
    # One model at a time is held: maps come in the order of the questions.
    spec, classifier = None, None
    with _threads(recording.threads):
        for recorded in recording.maps:
            choice, question = plan.methods[recorded.cell.method], plan.questions[recorded.cell.question]
            if classifier is None or question.model != spec:
                spec, classifier = question.model, models(question.model)
            explanation: Explanation
            if question.picture is None:
                asked = class_question(classifier, question.about, recorded.seed, recording.views)
                classes = explain_classes([asked], choice.name, choice.settings)
                (explanation,) = yield from relayed(classes, partial(_remaking_class, recorded))
            else:
                steps = explain_view(
                    classifier,
                    recording.views[question.picture],
                    choice.name,
                    choice.settings,
                    recorded.target,
                    recorded.seed,
                    against=plan.against_of(recorded.cell.question),
                )
                explanation = yield from relayed(steps, partial(_remaking, recorded))
            remade = _compared(recording.folder, recorded, explanation)
            made.append(remade)
            yield remade
    return tuple(made)


def _remaking(recorded: Recorded, progress: Progress) -> list[Remaking]:
    return [Remaking(recorded, progress)]


def _remaking_class(recorded: Recorded, event: tuple[int, Progress | ClassExplanation]) -> list[Remaking]:
    _, found = event
    return [Remaking(recorded, found)] if isinstance(found, Progress) else []


def _compared(folder: Path, recorded: Recorded, explanation: Explanation) -> Remade:
    new = explanation.values
    same_print = map_fingerprint(new) == recorded.sha256
    old = _map(folder / recorded.file)
    if old is None:
        verdict = "identical by its fingerprint" if same_print else "differs from what was recorded"
        return Remade(recorded, explanation, same_print, None, f"{verdict} ({recorded.file} is not here)")
    if old.shape != new.shape:
        return Remade(recorded, explanation, False, None, f"differs: {old.shape} before, {new.shape} now")
    if old.tobytes() == new.tobytes():
        verdict = "identical" if same_print else "identical to its file, whose fingerprint is not the one recorded"
        return Remade(recorded, explanation, same_print, 0.0, verdict)
    with np.errstate(invalid="ignore"):
        difference = float(np.nanmax(np.abs(old.astype(np.float64) - new), initial=0.0))
    if same_print:
        return Remade(recorded, explanation, False, difference, f"{recorded.file} has been changed since the export")
    reach = float(np.ptp(old[np.isfinite(old)])) if np.isfinite(old).any() else 0.0
    verdict = f"differs by at most {difference:.3g} where the map spans {reach:.3g}"
    return Remade(recorded, explanation, False, difference, verdict)


def _map(path: Path) -> Map | None:
    """The raw map in an NPZ file, None where there is no such file; raises StoreError where it is damaged."""
    if not path.is_file():
        return None
    content = arrays_of(path)
    return content["map" if "map" in content else "saliency"].astype(np.float32, copy=False)


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """All that the NPZ file of a map holds, its saliency among it; raises StoreError where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
            return {"saliency": arrays["saliency"], **arrays}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} is damaged ({_reason(error)}); unpack the export again.") from error


def _view(path: Path, sha256: str) -> Pixels:
    if not path.is_file():
        raise ImageError(f"{path} is missing; keep the images of the export beside its settings.json.")
    view = np.asarray(read_picture(path).image, dtype=np.uint8)
    if fingerprint(view) != sha256:
        raise ImageError(
            f"{path} is not the image that was explained: its SHA-256 begins with {fingerprint(view)[:12]} "
            f"instead of {sha256[:12]}; put back the one of the export."
        )
    return view


def _recorded(entry: dict[str, Any], plan: Plan) -> Recorded:
    return Recorded(
        _cell(entry, plan),
        _inside(entry["file"]),
        int(entry["target"]),
        int(entry["seed"]),
        str(entry["sha256"]),
        bool(entry.get("reused", False)),
        tuple(_text(note) for note in entry.get("notes", ())),
        _text(entry.get("sentence", "")),
        tuple(_remark(remark, plan) for remark in entry.get("remarks", ())),
    )


def _cell(entry: dict[str, Any], plan: Plan) -> CellKey:
    question = entry["question"] if "question" in entry else entry["picture"]  # in the first format the same number
    cell = CellKey(int(question), int(entry["method"]))
    if not (0 <= cell.question < len(plan.questions) and 0 <= cell.method < len(plan.methods)):
        raise ValueError("a map lies outside the plan")
    return cell


def _asked(entry: dict[str, Any], plan: Plan) -> tuple[int, int]:
    question, evaluations = int(entry["question"]), int(entry["evaluations"])
    if not 0 <= question < len(plan.questions) or evaluations < 0:
        raise ValueError("evaluations are of no question of the plan, or below zero")
    return question, evaluations


def _remark(entry: dict[str, Any], plan: Plan) -> Remark:
    remark = Remark(
        int(entry["metric"]),
        _text(entry["note"]),
        bool(entry["failed"]),
        int(entry.get("evaluations", 0)),
        bool(entry.get("reused", False)),
    )
    if not 0 <= remark.metric < len(plan.metrics):
        raise ValueError("a remark is of no metric of the plan")
    return remark


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text is expected in place of {str(value)[:40]!r}")
    return value


def _inside(name: object) -> str:
    """A file name of the export; raises ValueError for one that leads out of its folder."""
    path = Path(str(name))
    if path.is_absolute() or ".." in path.parts or "\\" in str(name):
        raise ValueError(f"{name} lies outside the export")
    return str(name)


def _warnings(plan: Plan) -> tuple[str, ...]:
    here = Versions.here()
    return tuple(
        f"Made with {package.name} {before or 'unknown'}, but here is {now or 'none'}: maps may differ."
        for package in fields(Versions)
        if (before := getattr(plan.versions, package.name)) != (now := getattr(here, package.name))
    )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """As many threads as the maps were made with: the order of sums, and so their last bit, can depend on it."""
    before = torch.get_num_threads()
    if count > 0:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _reason(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) and error.args else str(error)
