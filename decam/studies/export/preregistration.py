"""A preregistration under AsPredicted's headings, written from the study; nothing that the study does not say."""

from __future__ import annotations

from collections.abc import Iterator

from decam.numerals import several
from decam.studies import blocks, tasks
from decam.studies.analysis.exclusions import RULES
from decam.studies.design import Stage, Study
from decam.studies.road import road

LONGEST = 3200
"""Characters that AsPredicted takes for all answers together."""

MISSING = "[to be written]"
_COLLECTED = "Yes, the study is live: some data have been collected."

_RESULTS = {
    "preference": "which map is preferred (Bradley–Terry strengths from pairs, Plackett–Luce strengths from rankings)",
    "ratings": "agreement with statements about one map, by condition",
    "accuracy": "the share of right predictions of the model's answer, by condition",
    "clicks": "places marked in the image, compared with the maps",
    "text": "free descriptions, read by people",
}


def preregistration(study: Study, stage: Stage = Stage.DRAFT, digest: str = "") -> str:
    """The text, heading by heading; what only the researcher can say and has not said is marked as to be written."""
    return "\n\n".join(
        f"{number}) {heading}\n{text}" for number, (heading, text) in enumerate(_parts(study, stage, digest), 1)
    )


def _parts(study: Study, stage: Stage, digest: str) -> Iterator[tuple[str, str]]:
    said = study.hypothesis
    collected = {
        Stage.DRAFT: "No, no data have been collected for this study yet.",
        Stage.PILOT: "A pilot has been or is being run; its data are not part of the study.",
    }
    yield "Have any data been collected for this study already?", collected.get(stage, _COLLECTED)
    yield "What is the main question or hypothesis?", said.question or MISSING
    yield "What is the dependent variable, and how is it measured?", said.measure or _measures(study)
    yield "How many and which conditions are participants assigned to?", _conditions(study)
    yield "Which analyses answer the main question?", said.analysis or MISSING
    yield "How are outliers defined and handled, and who is excluded?", _rules(study)
    yield "How many people take part, or what decides that?", _sample(study)
    yield "What else is to be registered?", _other(study, digest)
    yield "What is the title?", study.name or MISSING


def _measures(study: Study) -> str:
    sentences = []
    for block in study.blocks:
        if block.task is not None and block.kind != "training":
            task = tasks.get(block.task.name)
            sentences.append(f"{task.title}: {_RESULTS[task.result]}.")
    return " ".join(dict.fromkeys(sentences)) or MISSING


def _conditions(study: Study) -> str:
    names = [condition.title + (" (control)" if condition.catch else "") for condition in study.conditions]
    if not names:
        return MISSING
    deal = study.assignment
    sees = "all conditions" if deal.subjects == "within" and len(names) > 1 else "one condition"
    pictures = len(study.stimuli_for("trials"))
    many = f"{deal.stimuli} of " if 0 < deal.stimuli < pictures else "all " if pictures > 1 else ""
    return (
        f"{several(len(names), 'condition')}: {', '.join(names)}. Each participant sees {sees} ({deal.subjects} "
        f"subjects), on {many}{several(pictures, 'image')}, in {deal.order} order, from sequences made beforehand "
        f"with seed {deal.seed}. Methods are blinded."
    )


def _rules(study: Study) -> str:
    rules = []
    for name, settings in study.exclusions.items():
        values = ", ".join(one.in_words(getattr(settings, one.name)) for one in settings.parameters())
        rules.append(f"{RULES[name].title}{f' ({values})' if values else ''}.")
    rules += [study.hypothesis.exclusions] if study.hypothesis.exclusions else []
    if not rules:
        return "Nobody is excluded."
    return " ".join(rules) + " Rules are applied as flags; results are reported with and without those flagged."


def _sample(study: Study) -> str:
    places = study.entrance.most
    stated = f"At most {several(places, 'person', 'people')} can take part." if places else ""
    return " ".join(filter(None, (study.hypothesis.sample, stated))) or MISSING


def _other(study: Study, digest: str) -> str:
    order = ", ".join(blocks.get(block.kind).title.lower() for block in study.blocks)
    trials = sum(bool(step.task) for step in road(study, 0))
    design = f"Blocks in order: {order}. {several(trials, 'trial')} a participant." if order else ""
    names = f"SHA-256 of the study's document: {digest}." if digest else ""
    return " ".join(filter(None, (study.hypothesis.other, design, names))) or "No."
