"""The command stimuli: the maps of an export as a set of stimuli for a study elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from decam.cli.choices import refuse_idle
from decam.cli.codes import OK
from decam.cli.terminal import visible
from decam.export.reading import grid_of
from decam.export.replay import read
from decam.export.stimulus_set import in_words, write_stimuli
from decam.figures.stimulus import APPLIES, Display


def stimuli(given: argparse.Namespace) -> int:
    """Write the set of stimuli, and say how many there are and how they look."""
    out, display = Path(given.out), display_of(given)
    count = write_stimuli(grid_of(read(Path(given.settings))), out, display, given.seed)
    print(visible(f"{count} stimuli written to {out}: {in_words(display)}."))
    return OK


def display_of(given: argparse.Namespace) -> Display:
    """How stimuli are drawn, as the arguments say; what is not given is as usual.

    Raises SettingError for a bad value, and for an option that the view has no use for.
    """
    values = {one.name: getattr(given, one.name) for one in Display.parameters()}
    display = Display.from_mapping({name: value for name, value in values.items() if value is not None})
    useful = ("view", "size", *APPLIES[display.view])
    refuse_idle(given, (name for name in values if name not in useful), f"with --view {display.view}")
    return display
