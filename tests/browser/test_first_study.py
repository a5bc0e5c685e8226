"""The guide “Your first study”, followed word by word: what it names is pressed or found, in its order."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import deque
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from decam.studies.responses import Lane, StudyRecord, StudyStore
from decam.studies.road import road
from decam.studies.steps import Step
from tests.browser.compare import LONG_MS, Compare
from tests.conftest import ROOT
from tests.tools.server import Server

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "guide" / "first-study.md"
MARK = re.compile(r"\*\*(?P<bold>.+?)\*\*|`(?P<typed>.+?)`", re.DOTALL)


class Guide:
    """The page of the guide, read from its first step on: labels, texts to type and commands, each in its turn."""

    def __init__(self, text: str) -> None:
        steps = text[text.index("\n## ") :]
        found = MARK.finditer(steps)
        self._left = deque((str(one.lastgroup), " ".join(one.group(str(one.lastgroup)).split())) for one in found)
        self._commands = deque(re.findall(r"^    python (-m decam .+)$", steps, re.MULTILINE))

    def says(self, *labels: str) -> None:
        """Read on: these are the next words in bold."""
        for label in labels:
            assert self._left and self._left.popleft() == ("bold", label), f"the guide does not come to {label!r} here"

    def typed(self) -> str:
        """Read on: the text to type that comes next."""
        kind, text = self._left.popleft()
        assert kind == "typed", f"the guide names {text!r} here, not a text to type"
        return text

    def command(self, study: str = "") -> list[str]:
        """Read on: the next command, about a study."""
        return self._commands.popleft().replace("STUDY", study).split()

    def is_read(self) -> None:
        """Fail where something of the guide was not followed."""
        assert not self._left and not self._commands, f"not followed: {[*self._left, *self._commands]}"


class Reader:
    """Somebody with the guide beside the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMain")
        self.guide = Guide(PAGE.read_text(encoding="utf-8"))

    def opens(self, page: str) -> None:
        """Go to a page of the dashboard."""
        self.guide.says(page)
        self.page.get_by_role("link", name=page, exact=True).click()

    def part(self, title: str) -> None:
        """Open a part of the study."""
        self.guide.says(title)
        self.choice("Part of the study", title).click()

    def choice(self, group: str, title: str) -> Locator:
        """One of several that stand beside each other."""
        return self.main.get_by_role("radiogroup", name=group).get_by_text(title, exact=True)

    def presses(self, title: str) -> None:
        """Press a button."""
        self.guide.says(title)
        self.main.get_by_role("button", name=title).click()

    def sees(self, *texts: str) -> None:
        """Find words on the page."""
        for text in texts:
            self.guide.says(text)
            expect(self.main.get_by_text(text).first).to_be_visible(timeout=LONG_MS)

    def types(self, label: str) -> str:
        """Type the guide's text into a field, and click elsewhere."""
        self.guide.says(label)
        text = self.guide.typed()
        field = self.main.get_by_role("textbox", name=label, exact=True)
        field.fill(text)
        field.blur()
        return text

    def saves(self, button: Locator) -> Path:
        """Press what downloads a file; where it lies."""
        with self.page.expect_download() as download:
            button.click()
        return download.value.path()


def test_the_guide_to_a_first_study_is_true_word_by_word(
    page: Page, context: BrowserContext, common_server: Server, tmp_path: Path
) -> None:
    reader = Reader(page)
    compares(reader, common_server)
    name = makes(reader)
    writes(reader)
    plans(reader)
    simulates(reader)
    store = StudyStore(common_server.data)
    # The newest: an earlier try may have left one.
    record = next(one for one in store.recent() if one.study.name == name)
    pilots(reader, context, store, record)
    reads(reader)
    takes_along(reader, common_server, store, record, tmp_path)
    goes_live(reader)
    assert str(store.get(record.id).stage) == "live"
    store.close()
    reader.guide.is_read()


def compares(reader: Reader, server: Server) -> None:
    compare = Compare(reader.page)
    compare.open(server.url)
    reader.opens("Compare")
    for title in ("Star", "Cross and disc"):
        reader.guide.says(title)
        compare.sample(title)
    reader.guide.says("Explain")
    compare.start()
    reader.guide.says("Finished")
    compare.finished()


def makes(reader: Reader) -> str:
    reader.opens("Studies")
    reader.guide.says("New study")
    expect(reader.main.get_by_role("heading", name="New study")).to_be_visible(timeout=LONG_MS)
    name = reader.types("Name")
    reader.guide.says("Design", "Which map is better?")
    design = reader.main.get_by_role("radiogroup", name="Design")
    expect(design.get_by_role("radio", name="Which map is better?")).to_be_checked()
    reader.sees("Images", "Methods", "Built-in conditions")
    for title in ("Random map", "Centre Gaussian"):
        reader.guide.says(title)
        expect(reader.main.get_by_role("button", name=title, exact=True)).to_have_attribute("aria-pressed", "true")
    reader.presses("Make the study")
    reader.sees("Still missing")
    return name


def writes(reader: Reader) -> None:
    reader.part("Blocks")
    reader.guide.says("1 · Consent")
    expect(reader.main.get_by_role("button", name="1 · Consent")).to_be_visible()
    consent = reader.types("Text")
    reader.sees("Nothing is missing", "What participants see")
    preview = reader.main.frame_locator("iframe[title='What participants see']").get_by_role("main")
    expect(preview.get_by_text(consent)).to_be_visible(timeout=LONG_MS)
    reader.presses("3 · Trials · Forced choice")
    expect(preview.get_by_role("heading", name="Which map?")).to_be_visible(timeout=LONG_MS)
    expect(preview.get_by_role("img")).to_have_count(3)


def plans(reader: Reader) -> None:
    reader.part("Plan")
    question = reader.types("Question")
    reader.sees("Rules of exclusion")
    reader.guide.says("Attention checks")
    reader.main.get_by_text("Attention checks", exact=True).click()
    expect(reader.main.get_by_role("switch", name="Attention checks")).to_be_checked()
    reader.guide.says("Read it")
    reader.main.get_by_test_id("stExpander").get_by_text("Read it").click()
    written = reader.main.get_by_test_id("stExpander").get_by_test_id("stCode")
    expect(written).to_contain_text(question, timeout=LONG_MS)
    expect(written).to_contain_text("attention checks", ignore_case=True)
    reader.guide.says("Download the text")
    saved = reader.saves(reader.main.get_by_role("button", name="Download the text"))
    assert question in saved.read_text(encoding="utf-8")


def simulates(reader: Reader) -> None:
    reader.part("Results")
    reader.sees("Simulated participants")
    reader.guide.says("Persona", "How many")
    expect(reader.main.get_by_role("combobox", name="Persona")).to_be_visible()
    number = reader.main.get_by_role("spinbutton", name="How many")
    number.fill(reader.guide.typed())
    number.press("Enter")
    reader.presses("Let them take part")
    reader.sees("Analysis", "Bradley–Terry strengths")


def pilots(reader: Reader, context: BrowserContext, store: StudyStore, record: StudyRecord) -> None:
    reader.part("Take part")
    reader.presses("Start the pilot")
    expect(reader.main.get_by_text("Nothing can be changed while people try it").first).to_be_visible(timeout=LONG_MS)
    reader.guide.says("Back to draft")
    expect(reader.main.get_by_role("button", name="Back to draft")).to_be_visible()
    reader.sees("The participants' link")
    reader.guide.says("Open it as a participant")
    with context.expect_page() as opened:
        reader.main.get_by_role("link", name="Open it as a participant").click()
    takes_part(reader.guide, opened.value, store, record)
    opened.value.close()


def takes_part(guide: Guide, page: Page, store: StudyStore, record: StudyRecord) -> None:
    """Answer every screen by keyboard as the guide says, and read the labels that it names."""
    screen = page.locator("form[data-step]")
    expect(screen).to_be_visible(timeout=LONG_MS)
    (who,) = store.participants(record.id, Lane.PILOT)
    consent, instructions, *trials, last = road(store.get(record.id).study, who.sequence)
    guide.says("I agree", "Continue")
    page.keyboard.press("1")
    expect(at(page, consent).get_by_role("radio", name="I agree")).to_be_checked()
    expect(screen.get_by_role("button", name="Continue")).to_be_enabled()
    page.keyboard.press("Enter")
    guide.says("What to do")
    expect(at(page, instructions).get_by_role("heading", name="What to do")).to_be_visible()
    page.keyboard.press("Enter")
    guide.says("Left", "Right", "Please read")
    for step in trials:
        answers(at(page, step), step, page)
    guide.says("Finish")
    at(page, last).get_by_role("button", name="Finish").click()
    guide.says("All your answers are saved")
    expect(page.get_by_text("All your answers are saved")).to_be_visible()


def at(page: Page, step: Step) -> Locator:
    """The screen of a step, once it is shown and can be left or answered."""
    form = page.locator(f'form[data-step="{step.id}"]')
    expect(form).to_be_visible()
    return form


def answers(form: Locator, step: Step, page: Page) -> None:
    """Choose the left map, or the colour that is asked for, and go on."""
    if step.attention:
        expect(form.get_by_role("heading", name="Please read")).to_be_visible()
        page.keyboard.press(str(step.correct["attention"]))
    else:
        expect(form.get_by_text("Right", exact=True)).to_be_visible()
        form.get_by_text("Left", exact=True).click()
    expect(form.get_by_role("radio", checked=True)).to_have_count(1)
    page.keyboard.press("Enter")


def reads(reader: Reader) -> None:
    reader.part("Results")
    reader.guide.says("Whose answers")
    for lane, counted in (("Pilot", "2 answers of 1 person."), ("Simulated", "120 answers of 60 people.")):
        reader.guide.says(lane)
        reader.choice("Whose answers", lane).click()
        expect(reader.main.get_by_text(counted)).to_be_visible(timeout=LONG_MS)
    reader.sees("Preference", "Bradley–Terry strengths")
    reader.sees("How often the row beat the column", "Leave out flagged people")
    reader.main.get_by_text("Leave out flagged people").click()
    expect(reader.main.get_by_role("switch", name="Leave out flagged people")).to_be_checked()
    reader.guide.says("PNG", "SVG", "PDF", "CSV")
    for kind, begin in (("PNG", b"\x89PNG"), ("SVG", b"<?xml"), ("PDF", b"%PDF")):
        button = reader.main.get_by_role("button", name=f"{kind} of Bradley–Terry strengths")
        assert reader.saves(button).read_bytes().startswith(begin)
    download = reader.main.get_by_test_id("stDownloadButton").get_by_role("button", name="CSV").first
    table = reader.saves(download).read_text(encoding="utf-8-sig")
    head, *rows = csv.reader(io.StringIO(table))
    assert head == ["condition", "log-strength", "from", "to"]
    assert {row[0] for row in rows} >= {"DE-CAM", "Random map", "Centre Gaussian"}


def takes_along(reader: Reader, server: Server, store: StudyStore, record: StudyRecord, folder: Path) -> None:
    reader.guide.says("Download backup")
    saved = reader.saves(reader.main.get_by_role("button", name="Download backup"))
    kept = store.answers(record.id, Lane.PILOT)
    with zipfile.ZipFile(saved) as archive:
        lines = [json.loads(line) for line in archive.read("answers.jsonl").splitlines()]
    assert {answer.id for answer in kept} <= {line["id"] for line in lines}

    def runs(study: str = "") -> str:
        words = [sys.executable, *reader.guide.command(study)]
        environment = os.environ | {"DECAM_DATA": str(server.data), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (line,) = [line for line in runs().splitlines() if line.endswith(record.study.name)]
    study = line.split()[0]
    assert "2 answers of 1 person." in runs(study)
    runs(study)
    with (folder / "answers" / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        written = {row["trialId"] for row in csv.DictReader(file)}
    assert written == {answer.step for answer in kept if answer.values}
    runs(study)
    assert (folder / "pack" / "trials.csv").is_file() and (folder / "pack" / "jspsych" / "index.html").is_file()
    assert record.study.name in runs(study)


def goes_live(reader: Reader) -> None:
    reader.part("Take part")
    reader.presses("Go live")
    reader.guide.says("Go live")
    reader.page.get_by_role("dialog").get_by_role("button", name="Go live").click()
    reader.guide.says("Live")
    expect(reader.main.get_by_text("Live", exact=True).first).to_be_visible(timeout=LONG_MS)
