"""A study for other platforms: stimuli as PNG, trials.csv, a reVISit configuration, a jsPsych page."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from decam.export.tables import csv_bytes
from decam.studies.design import Study, StudyError
from decam.studies.document import study_to_json
from decam.studies.elements import Choice, Pause, Pointing, Ranking
from decam.studies.export.jspsych import page
from decam.studies.export.revisit import configuration
from decam.studies.road import road
from decam.studies.steps import Step

SHEET_GAP = 16

README = """\
This folder holds a study of saliency maps for platforms other than decam.

stimuli/            every image and map that participants see; what a file shows is in stimuli.csv
stimuli.csv         one line a file: the image, the method (blinded to its letter), the class that it explains
sheets/             all images of a screen beside each other, for platforms that show one image a screen
trials.csv          one line a screen of each sequence: what is shown and asked, and what is right
jspsych/index.html  the study as a jsPsych page; open it with ?sequence=0 or let chance choose the sequence
revisit/            a configuration for reVISit: put this folder into its public/ folder as decam-study, and name it
                    in public/global.json: "decam-study" in "configsList", and in "configs"
                    "decam-study": {{"path": "decam-study/revisit/config.json"}}
study.json          the whole study, which decam opens again

The jsPsych page loads jsPsych 8 from unpkg.com. At its end it offers the answers as a CSV file; to keep them on a
server, replace its function `finished`. Answers of several choices and rankings come under "question:option" there.
{missing}"""


def pack_files(study: Study, folder: Path, sequences: int) -> Iterator[tuple[str, bytes]]:
    """All files of the pack as (name with forward slashes, bytes), for so many sequences.

    `folder` has the study's frozen files. Raises StudyError for no sequences, and OSError where a file is missing.
    """
    if sequences < 1:
        raise StudyError(f"A pack of {sequences} sequences has nothing to show; write at least 1.")
    names = stimulus_names(study)
    roads = [road(study, sequence) for sequence in range(sequences)]
    if not all(roads):
        raise StudyError("This study has no screens yet, so that there is nothing to pack; add a block.")
    content = {digest: (folder / f"{digest}.png").read_bytes() for digest in names}
    for digest, name in names.items():
        yield f"stimuli/{name}.png", content[digest]
    yield "stimuli.csv", _stimuli_csv(study, names)
    yield "trials.csv", _trials_csv(study, roads, names)
    sheets: dict[tuple[str, ...], str] = {}
    for steps in roads:
        for step in steps:
            shown = tuple(dict.fromkeys(picture.image for picture in step.pictures))
            if len(shown) > 1 and shown not in sheets:
                sheets[shown] = f"sheet-{len(sheets) + 1:03}"
                yield f"sheets/{sheets[shown]}.png", _sheet([content[digest] for digest in shown])
    files = {digest: f"stimuli/{name}.png" for digest, name in names.items()}
    yield "jspsych/index.html", page(study, roads, {digest: f"../{file}" for digest, file in files.items()}).encode()
    paths: dict[tuple[str, ...], str] = {(digest,): f"decam-study/{file}" for digest, file in files.items()}
    paths |= {shown: f"decam-study/sheets/{name}.png" for shown, name in sheets.items()}
    yield "revisit/config.json", configuration(study, roads, paths)
    yield "study.json", study_to_json(study).encode()
    yield "README.txt", README.format(missing=_missing(study, roads)).encode()


def stimulus_names(study: Study) -> dict[str, str]:
    """Names of files by digests: the stimulus's key, and for a map its condition's letter and its class's number."""
    letters = {condition.key: condition.letter or str(place) for place, condition in enumerate(study.conditions)}
    names: dict[str, str] = {}
    times: Counter[str] = Counter()
    for stimulus in study.stimuli:
        names.setdefault(stimulus.image, stimulus.key)
        for one in stimulus.maps:
            if one.image not in names:
                name = f"{stimulus.key}-{letters[one.condition]}-{one.target}"
                times[name] += 1  # a class rather than another one has the class's number too
                names[one.image] = name if times[name] == 1 else f"{name}-{times[name]}"
    return names


def _stimuli_csv(study: Study, names: dict[str, str]) -> bytes:
    rows: list[tuple[object, ...]] = []
    for stimulus in study.stimuli:
        rows.append(
            (f"{names[stimulus.image]}.png", stimulus.key, stimulus.name, "", "", stimulus.answer, stimulus.correct)
        )
        for one in stimulus.maps:
            letter = study.condition(one.condition).letter
            rows.append(
                (
                    f"{names[one.image]}.png",
                    stimulus.key,
                    stimulus.name,
                    letter,
                    one.label,
                    stimulus.answer,
                    stimulus.correct,
                )
            )
    return csv_bytes(("file", "stimulus", "picture", "condition", "class", "model's answer", "right class"), rows)


def _trials_csv(study: Study, roads: list[tuple[Step, ...]], names: dict[str, str]) -> bytes:
    letters = {condition.key: condition.letter for condition in study.conditions}
    rows: list[tuple[object, ...]] = []
    for sequence, steps in enumerate(roads):
        for order, step in enumerate(steps):
            keys = step.facts.get("conditions", [])
            shown = [letters.get(str(key), "") for key in keys] if isinstance(keys, list) else []
            for question in step.questions:
                options = question.options if isinstance(question, Choice) else ()
                rows.append((
                    sequence, order, step.id, step.kind, step.task, step.facts.get("stimulus", ""), "|".join(shown),
                    "|".join(f"{names[picture.image]}.png" for picture in step.pictures), question.name, question.kind,
                    question.prompt, "|".join(option.label for option in options), step.correct.get(question.name, ""),
                ))  # fmt: skip
    head = (
        "sequence", "order", "screen", "block", "task", "stimulus", "conditions", "pictures", "question", "form",
        "prompt", "options", "correct",
    )  # fmt: skip
    return csv_bytes(head, rows)


def _sheet(pictures: list[bytes]) -> bytes:
    """Pictures beside each other on white, as a PNG."""
    opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    width = sum(one.width for one in opened) + SHEET_GAP * (len(opened) - 1)
    sheet = Image.new("RGB", (width, max(one.height for one in opened)), "white")
    left = 0
    for one in opened:
        sheet.paste(one, (left, 0))
        left += one.width + SHEET_GAP
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _missing(study: Study, roads: list[tuple[Step, ...]]) -> str:
    """What a platform cannot show, in sentences."""
    elements = [element for steps in roads for step in steps for element in step.elements]
    sentences = []
    if any(isinstance(element, Pointing) for element in elements):
        sentences.append(
            "reVISit has no form for places in an image: its screens with clicks ask for a description instead."
        )
    if any(isinstance(element, Ranking) for element in elements):
        sentences.append("reVISit goes on as soon as one option is ranked; leave out rankings that are incomplete.")
    if study.language != "en":
        sentences.append("reVISit's own words, as HIGH and LOW beside a ranking, are English in every study.")
    if any(isinstance(element, Pause) and element.seconds for element in elements):
        sentences.append("Neither platform makes participants wait in a break.")
    if any(step.feedback for steps in roads for step in steps):
        sentences.append("Feedback after an answer is decam's; both platforms go on without it, as trials.csv allows.")
    return "\n" + "\n".join(sentences) + "\n" if sentences else ""
