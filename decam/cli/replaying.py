"""The command replay: make the maps of an export again and say whether they are the same."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from decam import export
from decam.classifier import TorchClassifier
from decam.cli.codes import NOT_ALL, OK
from decam.cli.loading import classifier_of
from decam.cli.terminal import Line, say, visible
from decam.errors import SettingError
from decam.experiments.events import Explained
from decam.experiments.grid import Grid
from decam.experiments.variants import models_by
from decam.export.replay import Remade, read, remake
from decam.shares import done


def replay(given: argparse.Namespace) -> int:
    """Make the maps of an export again and say whether they are the same."""
    recording = read(Path(given.settings))
    plan = recording.plan
    out = Path(given.out) if given.out else None
    if out is not None and out.resolve() == recording.folder:
        raise SettingError(f"{out} holds the maps to compare with; give another folder.")
    for warning in recording.warnings:
        say(f"Note: {warning}")
    loaded: dict[str, TorchClassifier] = {}

    def load(name: str) -> TorchClassifier:
        """The plan's model or another one that a variant needs, loaded once and asked in the plan's way."""
        if name not in loaded:
            loaded[name] = classifier_of(name, given.device or plan.device, exact=True)
            if plan.execution is not None:
                loaded[name].configure(plan.execution)
        return loaded[name]

    labels = load(plan.model).labels

    if out is not None:
        export.check_folder(out)
    grid = Grid.empty(plan, recording.views, labels=labels)
    questions, methods = export.question_names(plan), export.method_names(plan)
    same = 0
    with Line(sys.stderr) as line:
        for event in remake(recording, models_by(load)):
            cell = event.recorded.cell
            name = f"{questions[cell.question]} {methods[cell.method]}"
            if isinstance(event, Remade):
                same += event.identical
                grid = grid.after(Explained(cell, event.explanation))
                line.clear()
                print(visible(f"{name}: {event.verdict}"), flush=True)
            else:
                line.show(f"{name} {done(event.progress.step, event.progress.total)}")
    if out is not None:
        export.write(grid, out)
        say(f"Written to {out}.")
    total = len(recording.maps)
    print(f"{same} of {total} maps are identical." if total else "The export holds no maps.")
    return OK if same == total else NOT_ALL
