"""Sanity checks on disk: one NPZ each, whole or not there, with the maps as arrays and the rest as JSON inside."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decam.errors import DecamError, StoreError
from decam.experiments.plan import MethodChoice
from decam.experiments.randomisation_plan import SanityPlan, SanitySnapshot, SanitySummary
from decam.experiments.randomisation_result import Compared, Failed, Floor, Likeness, Original, Sanity, Variant
from decam.explanation import Explanation
from decam.methods import get as get_method
from decam.runs.snapshots import ACTIVE
from decam.runs.store.files import read_arrays, told, write_arrays

LAYOUT = 1
CUT_SHORT = "The server ended before this check did, and what it had found is lost; press Randomise to make it again."
_LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ABOUT = "about"


class SanityStore:
    """The sanity checks in one folder; the folder need not exist yet. All methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, check: SanitySnapshot) -> None:
        """Keep a check as it is now, in place of what was kept of it; raises StoreError where the disk refuses."""
        with told(f"write in {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True)
        made = [one.explanation.saliency for one in check.found.originals]
        made += [one.explanation.saliency for one in check.found.compared]
        arrays: dict[str, NDArray[Any]] = {_ABOUT: np.array(json.dumps(_described(check))), "view": check.view}
        if made:
            arrays["maps"] = np.stack(made)
        write_arrays(self._path(check.id), arrays)

    def load(self, link: str) -> SanitySnapshot:
        """The check with this link; one that was never ended has the status "interrupted".

        Raises StoreError where there is none, or its file is damaged.
        """
        path = self._path(link)
        if not path.is_file():
            raise nowhere(link)
        arrays = read_arrays(path)
        try:
            about = _about(str(arrays[_ABOUT]))
            summary = _summary(about)
            found = _found(about["found"], summary.plan, list(arrays.get("maps", ())))
            cut_short = summary.status == "interrupted" and about["status"] in ACTIVE
            return SanitySnapshot(
                id=summary.id,
                created=summary.created,
                status=summary.status,
                plan=summary.plan,
                view=arrays["view"],
                found=found,
                note=CUT_SHORT if cut_short else about["note"],
                owner=summary.owner,
            )
        except DecamError:
            raise
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise _damaged(path) from error

    def summaries(self) -> list[SanitySummary]:
        """A line for each check that can be read, newest first."""
        found = []
        for path in self._folder.glob("*.npz"):
            try:
                with np.load(path, allow_pickle=False) as kept:
                    found.append(_summary(_about(str(kept[_ABOUT]))))
            except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, DecamError):
                continue  # opening its link says what is wrong with it
        return sorted(found, key=lambda one: one.created, reverse=True)

    def delete(self, link: str) -> None:
        """Forget a check; raises StoreError where there is none or the disk refuses."""
        path = self._path(link)
        with told(f"delete {path}"):
            try:
                path.unlink()
            except FileNotFoundError as error:
                raise nowhere(link) from error

    def _path(self, link: str) -> Path:
        """The file of a link, which came from an address bar and may be anything."""
        if not _LINK.fullmatch(link):
            raise nowhere(link)
        return self._folder / f"{link}.npz"


def nowhere(link: str) -> StoreError:
    """What is said of a link that leads to no check."""
    return StoreError(f"There is no sanity check {link[:40]!r}; it may have been deleted, or the link is incomplete.")


def _damaged(path: Path) -> StoreError:
    return StoreError(f"{path} is damaged; this sanity check is lost, make it again.")


def _about(text: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(text)
    if about["layout"] > LAYOUT:
        raise StoreError(
            f"This sanity check was written by a newer decam (layout {about['layout']}, this one knows {LAYOUT}); "
            "update decam."
        )
    return about


def _described(check: SanitySnapshot) -> dict[str, object]:
    plan, found = check.plan, check.found
    return {
        "layout": LAYOUT,
        "id": check.id,
        "created": check.created.isoformat(),
        "status": check.status,
        "note": check.note,
        "owner": check.owner,
        "plan": {
            "model": plan.model,
            "device": plan.device,
            "picture": plan.picture,
            "methods": [{"name": each.name, "settings": each.settings.to_mapping()} for each in plan.methods],
            "target": plan.target,
            "mode": plan.mode,
            "seed": plan.seed,
        },
        "found": {
            "methods": found.methods,
            "variants": [asdict(variant) for variant in found.variants],
            "target": found.target,
            "label": found.label,
            "originals": [
                {
                    "method": one.method,
                    "explanation": _told(one.explanation),
                    "floor": [asdict(floor) for floor in one.floor],
                }
                for one in found.originals
            ],
            "compared": [
                {
                    "method": one.method,
                    "variant": one.variant,
                    "explanation": _told(one.explanation),
                    "likeness": asdict(one.likeness),
                }
                for one in found.compared
            ],
            "failures": [asdict(failure) for failure in found.failures],
        },
    }


def _told(explanation: Explanation) -> dict[str, object]:
    """An explanation without its map, which is an array, and its settings, which are the plan's."""
    return {
        "target": explanation.target,
        "label": explanation.label,
        "probability": explanation.probability,
        "seed": explanation.seed,
        "evaluations": explanation.evaluations,
        "seconds": explanation.seconds,
        "notes": explanation.notes,
        "silent": explanation.silent,
    }


def _summary(about: Mapping[str, Any]) -> SanitySummary:
    read = about["plan"]
    methods = tuple(
        MethodChoice(each["name"], get_method(each["name"]).settings.from_mapping(each["settings"]))
        for each in read["methods"]
    )
    return SanitySummary(
        id=about["id"],
        created=datetime.fromisoformat(about["created"]),
        status="interrupted" if about["status"] in ACTIVE else about["status"],
        plan=SanityPlan(
            read["model"], read["device"], read["picture"], methods, read["target"], read["mode"], read["seed"]
        ),
        owner=about["owner"],
    )


def _found(read: Mapping[str, Any], plan: SanityPlan, maps: Sequence[NDArray[np.float32]]) -> Sanity:
    stack = iter(maps)

    def explanation(one: Mapping[str, Any]) -> Explanation:
        choice, said = plan.methods[one["method"]], one["explanation"]
        return Explanation(
            method=choice.name,
            saliency=next(stack),
            target=said["target"],
            label=said["label"],
            probability=said["probability"],
            settings=choice.settings,
            seed=said["seed"],
            evaluations=said["evaluations"],
            seconds=said["seconds"],
            notes=tuple(said["notes"]),
            silent=bool(said.get("silent", False)),
        )

    try:
        return Sanity(
            methods=tuple(read["methods"]),
            variants=tuple(Variant(each["name"], each["share"]) for each in read["variants"]),
            target=read["target"],
            label=read["label"],
            originals=tuple(
                Original(
                    one["method"],
                    explanation(one),
                    tuple(Floor(floor["control"], _likeness(floor["likeness"])) for floor in one["floor"]),
                )
                for one in read["originals"]
            ),
            compared=tuple(
                Compared(one["method"], one["variant"], explanation(one), _likeness(one["likeness"]))
                for one in read["compared"]
            ),
            failures=tuple(Failed(one["method"], one["variant"], one["sentence"]) for one in read["failures"]),
        )
    except (StopIteration, RuntimeError) as error:
        raise ValueError("There are fewer maps than the check speaks of.") from error


def _likeness(read: Mapping[str, Any]) -> Likeness:
    return Likeness(dict(read["plain"]), dict(read["absolute"]))
