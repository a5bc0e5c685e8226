"""The road of a participant: all screens of a study in order, for one sequence; and what a study still lacks."""

from __future__ import annotations

from decam.studies import blocks
from decam.studies.design import Study, StudyError
from decam.studies.steps import Step
from decam.studies.tasks.base import NO_MAP
from decam.studies.wording import Wording, shipped


def wording_of(study: Study) -> Wording:
    """The texts that a study's participants read: its language's, with its own in their places."""
    return shipped(study.language).with_texts(study.wording, study.language, study.direction)


def road(study: Study, sequence: int) -> tuple[Step, ...]:
    """All screens that the participant of a sequence (from 0) sees; a pure function of the study."""
    wording = wording_of(study)
    steps: list[Step] = []
    for number, block in enumerate(study.blocks):
        place = blocks.Place(study, block, number, sequence, wording)
        steps.extend(blocks.get(block.kind).steps(place))
    return tuple(steps)


def lacks(study: Study) -> list[str]:
    """What keeps a study from being taken, each in a sentence that names the block; empty where nothing does."""
    sentences = [] if study.name.strip() else ["The study has no name yet."]
    if not any(block.task is not None for block in study.blocks):
        sentences.append("The study asks about no map yet; add a block of trials.")
    try:
        _ = study.entrance.end
    except StudyError as error:
        sentences.append(str(error))
    for number, block in enumerate(study.blocks, start=1):
        kind = blocks.get(block.kind)
        sentence = kind.lacks(study, block)
        if sentence:
            sentences.append(f"Block {number} ({kind.title}): {sentence}")
    return sentences + _gaps(study)


def _gaps(study: Study) -> list[str]:
    """Which stimuli lack a map of a condition that is shown with maps, a sentence a condition."""
    sentences = []
    for condition in study.conditions:
        lacking = [one.name for one in study.stimuli if one.map_of(condition.key) is None]
        if lacking and condition.source != NO_MAP:
            few = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
            sentences.append(f"{condition.title} has no map of {few}; leave out the images or the condition.")
    return sentences
