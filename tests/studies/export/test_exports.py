"""What leaves a study: every answer once, in the columns promised, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from decam.studies import tasks
from decam.studies.analysis.exclusions import choose
from decam.studies.design import Hypothesis, Item, Stage, StudyError
from decam.studies.document import digest_of, study_from_json
from decam.studies.elements import Ranking, Several
from decam.studies.export.answers import COLUMNS, answers_csv, codebook_csv, given, participants_csv, public_id
from decam.studies.export.pack import pack_files
from decam.studies.export.preregistration import LONGEST, MISSING, preregistration
from decam.studies.export.psych_ds import psych_ds_files
from decam.studies.road import road
from tests.studies.answering import answer, crowd, participant, record
from tests.studies.studies import block, digest, freeze, study, whole
from tests.tools import node

REVISIT = {
    "participantId", "trialId", "trialOrder", "responseId", "condition", "answer", "correctAnswer", "duration",
    "startTime", "endTime", "status", "rejectReason", "configHash",
}  # fmt: skip

JSPSYCH = """
const [location, jsPsychPreload, jsPsychSurveyHtmlForm] = [{ search: "?sequence=1" }, "preload", "form"];
const run = (timeline) => console.log(JSON.stringify(timeline));
const initJsPsych = () => ({ data: { addProperties() {} }, run });
"""


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.slow
def test_the_table_has_one_row_an_answer_with_revisits_columns() -> None:
    made = whole()
    people, answers = crowd(made, 2, {"a": 1.0})
    rows = table(answers_csv(tuple(given(record(made), people, answers))))
    assert len(rows) == sum(len(step.questions) for one in people for step in road(made, one.sequence))
    assert set(rows[0]) >= REVISIT
    assert [row["column"] for row in table(codebook_csv())] == [column.name for column in COLUMNS] == list(rows[0])
    assert {row["configHash"] for row in rows} == {digest_of(made)}
    for row in rows:
        assert float(row["cleanedDuration"]) == 1500
        assert int(float(row["endTime"])) - int(float(row["startTime"])) == 2000


def test_an_answer_names_the_conditions_that_it_stands_for() -> None:
    made = study(block("trials", task="forced-choice"), block("trials", task="ranking"), count=3)
    people, answers = crowd(made, 3, {"a": 50.0, "b": 0.0, "c": -50.0})
    rows = [row for row in table(answers_csv(tuple(given(record(made), people, answers)))) if row["task"]]
    assert {row["answerCondition"] for row in rows if row["task"] == "ranking"} == {"a|b|c"}
    for row in rows:
        if row["task"] == "forced-choice":
            assert row["answerCondition"] == min(row["condition"].split("|"))


def test_texts_that_a_spreadsheet_would_run_are_harmless_and_scripts_stay_text() -> None:
    made = study(block("trials", task="free-text"), count=1)
    who = participant(made, 0)
    step = next(one for one in road(made, 0) if one.task)
    for text in ("=HYPERLINK(1)", "<script>alert(1)</script>", 'a,"b"\nc'):
        rows = table(answers_csv(tuple(given(record(made), [who], [answer(who, step, {"text": text})]))))
        assert rows[0]["answer"] in (text, f"'{text}")
        assert not rows[0]["answer"].startswith("=")


def test_a_personal_code_is_in_no_export() -> None:
    made = whole()
    people, answers = crowd(made, 2, {"a": 1.0})
    rows = tuple(given(record(made), people, answers))
    files = dict(psych_ds_files(record(made), rows, people, answers))
    for content in (answers_csv(rows), participants_csv(people), *files.values()):
        assert all(one.code.encode() not in content for one in people)
    assert len({public_id(one) for one in people}) == 2


def test_participants_are_listed_with_what_came_in_by_the_address() -> None:
    made = study()
    people = [participant(made, 0), participant(made, 1, excluded="called twice")]
    rows = table(participants_csv(people, {"person0": ("Too fast",)}))
    assert [row["identity"] for row in rows] == ["id0", "id1"]
    assert [row["flags"] for row in rows] == ["Too fast", ""]
    assert [row["excluded"] for row in rows] == ["", "called twice"]
    assert [row["STUDY_ID"] for row in rows] == ["s", "s"]
    assert [row["width"] for row in rows] == ["1200", "1200"]


def test_psych_ds_names_its_files_by_keys_and_values_and_describes_every_column() -> None:
    made = whole()
    people, answers = crowd(made, 2, {"a": 1.0})
    rows = tuple(given(record(made), people, answers))
    files = dict(psych_ds_files(record(made), rows, people, answers))
    description = json.loads(files["dataset_description.json"])
    assert {"@context", "@type", "name", "description", "schemaVersion", "variableMeasured"} <= set(description)
    assert [one["name"] for one in description["variableMeasured"]] == [column.name for column in COLUMNS]
    tables = [name for name in files if name.startswith("data/study-")]
    assert len(tables) == 2
    for name in tables:
        assert re.fullmatch(r"data/study-[A-Za-z0-9]+_subject-[A-Za-z0-9]+_data\.csv", name)
    assert sum(len(table(files[name])) for name in tables) == len(rows)
    assert study_from_json(files["materials/study-Whichmap_study.json"]) == made


@pytest.fixture
def pack(tmp_path: Path) -> dict[str, bytes]:
    made = whole()
    for stimulus in made.stimuli:
        for image in (stimulus.image, *(one.image for one in stimulus.maps)):
            Image.new("RGB", (stimulus.width, stimulus.height), f"#{image[:6]}").save(tmp_path / f"{image}.png")
    return dict(pack_files(made, tmp_path, 2))


@pytest.mark.slow
def test_a_pack_shows_the_same_screens_as_the_study(pack: dict[str, bytes]) -> None:
    made = whole()
    stimuli = {row["file"] for row in table(pack["stimuli.csv"])}
    assert {name.removeprefix("stimuli/") for name in pack if name.startswith("stimuli/")} == stimuli
    rows = table(pack["trials.csv"])
    assert len(rows) == sum(len(step.questions) for sequence in (0, 1) for step in road(made, sequence))
    assert {file for row in rows for file in row["pictures"].split("|") if file} <= stimuli
    revisit = json.loads(pack["revisit/config.json"])
    blocks = revisit["sequence"]["components"]
    assert [len(one["components"]) for one in blocks] == [len(road(made, sequence)) for sequence in (0, 1)]
    for name in (name for one in blocks for name in one["components"]):
        component = revisit["components"][name]
        if component["type"] == "image":
            assert component["path"].removeprefix("decam-study/") in pack
    assert {response["type"] for one in revisit["components"].values() for response in one["response"]} == {
        "radio", "ranking-sublist", "likert", "slider", "numerical", "longText",
    }  # fmt: skip
    assert study_from_json(pack["study.json"]) == made


METADATA = {"title", "version", "authors", "date", "description", "organizations"}
RESPONSES = {
    "radio": {"options"}, "checkbox": {"options", "minSelections"}, "ranking-sublist": {"options"},
    "likert": {"numItems", "leftLabel", "rightLabel"}, "slider": {"options", "step"}, "numerical": {"min", "max"},
    "longText": set(), "shortText": set(),
}  # fmt: skip
"""What reVISit knows of each form of response beside what all have: a field that it does not know, it refuses."""


@pytest.mark.parametrize("task", [one.name for one in tasks.TASKS])
def test_what_revisit_requires_of_a_configuration_is_there(task: str, tmp_path: Path) -> None:
    items = [Item("Age", "number"), Item("Seen", "several", options=("cats", "dogs")), Item("Tired", "slider")]
    made = study(block("trials", task=task, attention=1), block("demographics", items), count=2)
    freeze(made, tmp_path)
    read = json.loads(dict(pack_files(made, tmp_path, 2))["revisit/config.json"])
    assert set(read) == {"$schema", "studyMetadata", "uiConfig", "components", "sequence"}
    assert set(read["studyMetadata"]) == METADATA
    assert set(read["uiConfig"]) >= {"logoPath", "contactEmail", "withProgressBar", "withSidebar"}
    blocks = read["sequence"]["components"]
    assert [one["order"] for one in blocks] == ["fixed"] * 2 and all(one["components"] for one in blocks)
    named = [name for one in blocks for name in one["components"]]
    assert len(set(named)) == len(named) and set(named) == set(read["components"])
    for name in named:
        component = read["components"][name]
        assert component["type"] in ("image", "questionnaire")
        assert ("path" in component) == (component["type"] == "image")
        asked = {one["id"]: one for one in component["response"]}
        assert len(asked) == len(component["response"]), "an answer is known by its id"
        for one in asked.values():
            assert set(one) - {"id", "type", "prompt", "required", "location"} <= RESPONSES[one["type"]]
            assert all(isinstance(one[field], str) for field in ("id", "type", "prompt"))
            if one["type"] == "checkbox":
                assert one["required"] and one["minSelections"] == 1
            values = [option["value"] for option in one.get("options", [])]
            assert len(set(values)) == len(values), "options are told apart by their values"
        for right in component.get("correctAnswer", []):
            assert set(right) == {"id", "answer"}
            options = [option["value"] for option in asked[right["id"]].get("options", [])]
            assert not options or right["answer"] in options


def test_revisits_button_is_in_the_studys_language(tmp_path: Path) -> None:
    made = dataclasses.replace(study(block("trials", task="ranking"), count=1), language="de")
    freeze(made, tmp_path)
    pack = dict(pack_files(made, tmp_path, 1))
    assert json.loads(pack["revisit/config.json"])["uiConfig"]["nextButtonText"] == "Weiter"
    readme = pack["README.txt"].decode()
    assert "HIGH and LOW" in readme and '"decam-study": {"path": "decam-study/revisit/config.json"}' in readme


def test_a_study_without_screens_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no screens yet, so that there is nothing to pack; add a block"):
        next(pack_files(dataclasses.replace(study(count=0), blocks=()), tmp_path, 1))


@pytest.mark.parametrize("sequences", [0, -3])
def test_a_pack_without_sequences_is_refused(sequences: int, tmp_path: Path) -> None:
    made = study(block("trials", task="forced-choice"), count=1)
    freeze(made, tmp_path)
    with pytest.raises(StudyError, match=f"pack of {sequences} sequences has nothing to show; write at least 1"):
        next(pack_files(made, tmp_path, sequences))


@pytest.mark.slow
def test_a_packs_pages_name_no_method(pack: dict[str, bytes]) -> None:
    for name in pack:
        assert "cond" not in name
    assert {row["condition"] for row in table(pack["stimuli.csv"])} == {"", "X", "Y", "Z"}


def test_nothing_that_a_researcher_types_becomes_part_of_the_jspsych_page(tmp_path: Path) -> None:
    made = dataclasses.replace(
        study(block("instructions", text="</script><script>alert(1)</script>", example=False), count=0),
        name="<b>Bold</b> {{study}}", language='"><i>',
    )  # fmt: skip
    page = dict(pack_files(made, tmp_path, 1))["jspsych/index.html"].decode()
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<title>&lt;b&gt;Bold&lt;/b&gt; {{study}}</title>" in page
    assert "<i>" not in page


@node.needed
@pytest.mark.slow
def test_the_jspsych_page_runs_and_asks_each_question_of_each_screen(tmp_path: Path) -> None:
    seen = block("demographics", [Item("Seen before", "several", options=("cats", "dogs", "owls"))])
    made = dataclasses.replace(whole(), blocks=(*whole().blocks, seen))
    freeze(made, tmp_path)
    pack = dict(pack_files(made, tmp_path, 2))
    scripts = re.findall(r"<script>\n(.*?)</script>", pack["jspsych/index.html"].decode(), re.DOTALL)
    (tmp_path / "page.js").write_text(f"{JSPSYCH}{scripts[0]}", encoding="utf-8")
    preload, *screens = json.loads(node.node(str(tmp_path / "page.js")))
    assert {name.removeprefix("../") for name in preload["images"]} == {one for one in pack if one[:8] == "stimuli/"}
    for screen, step in zip(screens, road(made, 1), strict=True):
        assert (screen["data"]["screen"], screen["data"]["task"]) == (step.id, step.task)
        names = re.findall(r'<(?:input|textarea)[^>]* name="([^"]*)"', screen["html"])
        assert len(set(names) - {question.name for question in step.questions}) == sum(
            len(question.options) for question in step.questions if isinstance(question, Ranking | Several)
        ), "jsPsych keeps one value a name"
        assert {name.split(":")[0] for name in names} == {question.name for question in step.questions}


def test_a_preregistration_says_what_the_study_says_and_marks_what_it_does_not() -> None:
    made = dataclasses.replace(
        study(block("trials", task="forced-choice"), count=4),
        exclusions={"too-fast": choose("too-fast", {}).settings},
        hypothesis=Hypothesis(question="People prefer A."),
    )
    text = preregistration(made, Stage.DRAFT, digest("x"))
    assert "People prefer A." in text
    assert "3 conditions: A, B, C." in text
    assert "Too fast" in text
    assert MISSING in text  # the analysis
    assert digest("x") in text
    assert len(text) <= LONGEST
    assert [int(line.split(")")[0]) for line in text.splitlines() if re.match(r"\d\)", line)] == list(range(1, 10))
    assert "live" in preregistration(made, Stage.LIVE)
    assert "no data" in text
