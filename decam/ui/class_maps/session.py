"""What happens between a visitor and a gallery of class maps: arriving with its link, and starting one."""

from __future__ import annotations

from collections.abc import Sequence

from decam.classifier import TorchClassifier
from decam.experiments.kinds import class_maps
from decam.experiments.kinds.class_maps import CLASS_MAPS
from decam.experiments.plan import MethodChoice
from decam.explanation import Unit
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.class_maps import form
from decam.ui.class_maps.form import How
from decam.ui.shared import action, class_costs, session
from decam.ui.shared.action import Start
from decam.ui.shared.wish import Wish

START = Start(
    title="Look inside",
    key="map-classes",
    icon=":material/play_arrow:",
    help="Make a map for each class, model, seed and method. You can leave the page meanwhile.",
)


def opened() -> RunSnapshot | None:
    """Begin the page: its widgets as they were left or as the run of its link has them, and that run."""
    return session.opened_as("class_maps", CLASS_MAPS, form.take_up)


def begin_again() -> None:
    """Leave the run behind; settings stay."""
    state.show_run(None)


def bar(
    classifier: TorchClassifier,
    targets: Sequence[int | Unit],
    choices: Sequence[MethodChoice],
    how: How,
    snapshot: RunSnapshot | None,
) -> RunSnapshot | None:
    """Draw the methods beside the button that starts a run or stops the one shown; the run to show."""
    one_model = class_costs.evaluations(classifier, choices, len(targets), len(how.seeds))
    class_costs.warn(len(targets), one_model * len(how.models))

    def wanted() -> Wish | None:
        if not targets or not choices:
            return None
        return Wish(class_maps.plan(how.models, str(classifier.device), targets, choices, seeds=how.seeds))

    return action.bar(
        START,
        snapshot,
        beside=lambda: form.methods(classifier, choices),
        classifier=classifier,
        wanted=wanted,
        stop=session.stop,
    )
