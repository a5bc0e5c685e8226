"""Settings as text: Python that is executed, a command that is parsed, and BibTeX of every paper in the tables."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import decam
from decam.classifier import Execution
from decam.cli import _parser
from decam.cli.choices import choices
from decam.errors import SettingError
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint, usual_metrics
from decam.export.recipes import bibtex, command_text, entry, python_text
from decam.methods import CLASS_METHODS, METHODS
from decam.metrics import METRICS

NAMES = ('katze\'s "best".png', "$HOME; rm -rf *.png")


@pytest.fixture
def plan(rectangle) -> Plan:
    """Two pictures with names that a shell would take apart, and settings other than the defaults."""
    return comparison.plan(
        "rectangle",
        "cpu",
        [
            PictureChoice(NAMES[0], fingerprint(rectangle.view)),
            PictureChoice(NAMES[1], fingerprint(rectangle.view // 2)),
        ],
        [MethodChoice.default("rise", budget=40, fill="black"), MethodChoice.default("centre")],
        targets=[rectangle.target] * 2,
        metrics=(*usual_metrics(steps=6), MetricChoice.default("sparsity")),
        seed=7,
        execution=rectangle.classifier.execution,
    )


def made_by(text: str, rectangle, plan: Plan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of the grid that the text makes, where its pictures lie and the model is the rectangle's."""
    for choice, view in zip(plan.pictures, (rectangle.view, rectangle.view // 2), strict=True):
        Image.fromarray(view).save(folder / choice.name)
    asked: list[tuple[str, str]] = []

    def load(name: str, *, device: str):
        asked.append((name, device))
        return rectangle.classifier

    monkeypatch.setattr(decam, "load_classifier", load, raising=False)
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(text, "copied.py", "exec"), names)  # the text is what this test is about
    assert asked == [("rectangle", "cpu")]
    made: Plan = names["grid"].plan
    return made


def test_the_python_text_makes_the_same_plan(plan, rectangle, tmp_path, monkeypatch) -> None:
    text = python_text(dataclasses.replace(plan, execution=None))
    assert made_by(text, rectangle, plan, tmp_path, monkeypatch) == plan


def test_the_texts_say_which_class_the_target_is_told_from(plan, rectangle, tmp_path, monkeypatch) -> None:
    told = tuple(dataclasses.replace(one, against=1 - rectangle.target) for one in plan.questions)
    contrast = dataclasses.replace(plan, questions=told)
    text = python_text(dataclasses.replace(contrast, execution=None))
    assert made_by(text, rectangle, plan, tmp_path, monkeypatch) == contrast
    words = shlex.split(command_text(contrast).replace("\\\n", " "))
    assert _parser().parse_args(words[3:]).against == str(1 - rectangle.target)
    several = dataclasses.replace(plan, questions=(plan.questions[0], told[1]))
    with pytest.raises(SettingError, match="these images have several"):
        command_text(several)


@pytest.mark.slow
def test_the_python_text_reads_marked_objects_from_the_export(plan, rectangle, tmp_path, monkeypatch) -> None:
    first = dataclasses.replace(plan.pictures[0], truth=fingerprint(rectangle.mask))
    marked = dataclasses.replace(plan, pictures=(first, plan.pictures[1]))
    text = python_text(dataclasses.replace(marked, execution=None))
    (mask,) = re.findall(r"truths/\S+\.png", text)
    (tmp_path / "truths").mkdir()
    Image.fromarray(np.where(rectangle.mask, 255, 0).astype(np.uint8)).save(tmp_path / mask)
    assert made_by(text, rectangle, marked, tmp_path, monkeypatch) == marked


def test_how_the_model_was_asked_is_in_the_python_text(plan: Plan) -> None:
    execution = Execution(precision="bfloat16", channels_last=True, batch_size=4)
    text = python_text(dataclasses.replace(plan, execution=execution))
    (line,) = [line for line in text.splitlines() if "configure" in line]
    configured = re.fullmatch(r"classifier\.configure\((.*)\)", line)
    assert configured and eval(configured[1], {"Execution": Execution}) == execution


def test_the_command_asks_for_the_same(plan: Plan) -> None:
    words = shlex.split(command_text(plan).replace("\\\n", " "))
    assert words[:3] == ["python", "-m", "decam"]
    given = _parser().parse_args(words[3:])
    methods, metrics = choices(given.method, given.metric, given.set)
    assert given.pictures == list(NAMES)
    assert (given.model, given.device, given.seed) == (plan.model, plan.device, plan.seed)
    assert {given.target} == {str(one.target) for one in plan.questions}
    assert methods == plan.methods
    assert (*usual_metrics([tuple(pair) for pair in given.fills], given.steps), *metrics) == plan.metrics


def test_what_a_command_cannot_say_is_told(plan: Plan) -> None:
    first, second = plan.questions
    several = dataclasses.replace(plan, questions=(first, dataclasses.replace(second, target=0)))
    twice = dataclasses.replace(plan, methods=(plan.methods[0], MethodChoice.default("rise")))
    without = dataclasses.replace(plan, metrics=(MetricChoice.default("sparsity"),))
    marked = dataclasses.replace(plan, pictures=(dataclasses.replace(plan.pictures[0], truth="a"), plan.pictures[1]))
    for changed, sentence in (
        (several, "these images have several"),
        (twice, "names a method once"),
        (without, "cannot say these metrics"),
        (marked, "masks of whole images"),
    ):
        with pytest.raises(SettingError, match=sentence):
            command_text(changed)
        assert python_text(changed)


def test_a_run_that_is_no_comparison_is_refused(plan: Plan) -> None:
    first, second = plan.questions
    seeds = dataclasses.replace(plan, questions=(first, dataclasses.replace(second, seed=8)))
    for make in (python_text, command_text):
        with pytest.raises(SettingError, match="Only a comparison can be copied"):
            make(seeds)


def test_papers_have_the_fields_that_the_tables_have(plan: Plan) -> None:
    text = bibtex(plan)
    assert text.count("@misc{") == len(set(re.findall(r"@misc\{(\w+),", text)))
    rise = next(one for one in text.split("@misc") if "1806.07421" in one)
    for line in (
        "author = {Petsiuk and Das and Saenko}",
        "title = {{RISE: Randomized Input Sampling for Explanation of Black-box Models}}",
        "year = {2018}",
        "eprint = {1806.07421}",
        "archiveprefix = {arXiv}",
        "url = {https://arxiv.org/abs/1806.07421}",
    ):
        assert f"  {line},\n" in rise


@pytest.mark.parametrize(
    "row", [*METHODS.values(), *CLASS_METHODS.values(), *METRICS.values()], ids=lambda row: row.name
)
def test_no_word_of_a_reference_is_lost_or_invented(row) -> None:
    text = entry(row.reference, row.url, set())
    assert text.count("{") == text.count("}")
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.MULTILINE))
    assert fields["url"] == row.url
    known = set(re.findall(r"\w+", row.reference)) | {"and", "others"}
    written = {
        word for name in ("author", "title", "year", "note") for word in re.findall(r"\w+", fields.get(name, ""))
    }
    assert written <= known
    assert known - written <= {"and", "others", "et", "al"}
    assert row.url.endswith(fields.get("eprint", fields.get("doi", "")))


@pytest.mark.parametrize(
    ("reference", "author", "title", "note"),
    [
        ("Zeiler & Fergus, On & off (2014), on superpixels", "Zeiler and Fergus", r"{On \& off}", "on superpixels"),
        ("Moosavi-Dezfooli et al., A, b and c (2017)", "Moosavi-Dezfooli and others", "{A, b and c}", None),
        ("How to Refine your CAM (2026), as torch-cam has it", None, "{How to Refine your CAM}", "as torch-cam has it"),
        ("Input Sampling, in OpenVINO's Toolkit (2024)", None, "{Input Sampling, in OpenVINO's Toolkit}", None),
        ("No year at all", None, "{No year at all}", None),
    ],
)
def test_authors_title_year_and_note_are_told_apart(reference, author, title, note) -> None:
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry(reference, "https://x", set()), re.MULTILINE))
    assert (fields.get("author"), fields["title"], fields.get("note")) == (author, title, note)


def test_keys_are_never_the_same() -> None:
    taken: set[str] = set()
    keys = [entry("Fel et al., Title (2021)", f"https://{place}", taken).split(",")[0] for place in range(3)]
    assert keys == ["@misc{fel2021", "@misc{fel2021a", "@misc{fel2021b"]
