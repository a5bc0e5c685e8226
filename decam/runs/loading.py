"""What a job works with: models, asked in the job's way while it lasts, and the maps of earlier runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from decam.classifier import Classifier, Execution, TorchClassifier
from decam.errors import StoreError
from decam.experiments.reuse import Earlier, Lookup
from decam.runs.store import Store

_LOG = logging.getLogger(__name__)


@contextmanager
def in_use(
    load: Callable[[str], Classifier], execution: Callable[[], Execution | None]
) -> Iterator[Callable[[str], Classifier]]:
    """Give a loader whose models are asked in the way that `execution` says when they are loaded.

    Where it says None, a model is asked in its usual way.
    """
    usual: list[tuple[Classifier, Execution]] = []

    def loaded(name: str) -> Classifier:
        model = load(name)
        usual.append((model, model.execution))
        _use(model, execution() or model.execution)
        return model

    try:
        yield loaded
    finally:
        for model, before in reversed(usual):
            _use(model, before)


def lookup(store: Store, owners: Collection[str] | None) -> Lookup:
    """Finds maps of these owners' runs, or of all, by their digests; where the disk cannot be read, it finds none."""

    def earlier(digest: str) -> Earlier | None:
        try:
            return store.earlier(digest, owners)
        except StoreError as error:
            _LOG.warning("An earlier map is not looked for: %s", error)
            return None

    return earlier


def _use(classifier: Classifier, execution: Execution) -> None:
    """Ask the model in this way; a function has one way only."""
    if isinstance(classifier, TorchClassifier) and classifier.execution != execution:
        classifier.configure(execution)
