"""The benchmarks of studies: people over real HTTP, a killed server, and what is found lost or doubled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import study_kills, study_load
from benchmarks.study_people import Seen, Verdict, chosen, database_at, digests, open_study, percentiles, verdict
from decam.studies.design import Stage
from decam.studies.responses import StudyStore
from decam.studies.road import road
from decam.studies.sessions import Sessions

SOUND = Verdict(3, 3, 3, 0, 0, 0)


@pytest.mark.slow
def test_people_answer_over_http_and_all_is_found(tmp_path: Path, url: str) -> None:
    seen, begun, found = study_load.load(tmp_path, url, people=5, seconds=4, pace=0.3, alone=True)
    assert found.sound, (found, seen.refused)
    assert found.acknowledged == found.stored == len(seen.seconds) > 5
    assert seen.pictures
    assert begun == 0


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_with_a_killed_server(tmp_path: Path, url: str) -> None:
    seen, found = study_kills.kill_often(tmp_path, url, kills=2, people=5, pace=0.2, life=1.0)
    assert found.sound, (found, seen.refused)
    assert seen.tries > found.sent  # somebody had to post again


@pytest.mark.slow
def test_what_is_lost_changed_or_doubled_is_counted(tmp_path: Path) -> None:
    record = open_study(tmp_path, "", stimuli=2)
    assert record.stage is Stage.LIVE
    store = StudyStore(tmp_path)
    sessions, seen, chance = Sessions(store), Seen(), random.Random(0)
    visit = sessions.enter(record.link, {"PROLIFIC_PID": "p"}, {})
    assert len(set(digests(visit.steps))) == 6  # two scenes, each with two maps
    for number, step in enumerate(road(record.study, 0)):
        values = {one["name"]: chosen(one, chance) for one in step.visible()["elements"] if one.get("name")}
        answer = {"id": f"answer-{number}", "step": step.id, "attempt": 1, "values": values}
        sessions.answer(record.link, visit.code, answer)
        seen.acknowledged[visit.code, step.id, 1, answer["id"]] = values
    seen.sent = len(seen.acknowledged)
    store.close()
    count = len(road(record.study, 0))
    assert verdict(tmp_path, "", record, seen) == Verdict(count, count, count, 0, 0, 0)
    first = next(iter(seen.acknowledged))
    seen.acknowledged[first] = {"consent": "no"}
    seen.acknowledged[visit.code, "1.0", 1, "never-stored"] = {}
    seen.refused.append("with a sentence")
    found = verdict(tmp_path, "", record, seen)
    assert (found.lost, found.doubled, found.refused, found.sound) == (2, 0, 1, False)


def test_nothing_acknowledged_is_not_sound() -> None:
    assert SOUND.sound
    for place in range(3, 6):
        assert not Verdict(*(1 if at == place else 3 * (at < 3) for at in range(6))).sound
    assert not Verdict(0, 0, 0, 0, 0, 0).sound


def test_percentiles_are_the_median_the_95th_and_the_most() -> None:
    assert percentiles([number / 1000 for number in range(101)]) == ("50", "95", "100")
    assert percentiles([]) == ("–", "–", "–")


def test_the_name_of_a_database_is_its_url() -> None:
    with database_at("sqlite") as url:
        assert url == ""
    with database_at("postgresql+psycopg://here/runs") as url:
        assert url == "postgresql+psycopg://here/runs"


@pytest.mark.parametrize(
    ("found", "status"), [(SOUND, 0), (Verdict(3, 3, 2, 1, 0, 0), 1), (Verdict(3, 3, 4, 0, 1, 0), 1)]
)
def test_what_is_lost_or_doubled_ends_with_status_1_and_no_password_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Verdict, status: int
) -> None:
    seen = Seen(sent=3, tries=4, seconds=[0.1, 0.2, 0.3])
    monkeypatch.setattr(study_load, "load", lambda *_: (seen, 2, found))
    monkeypatch.setattr(study_kills, "kill_often", lambda *_: (seen, found))
    counts = f"{found.lost} | {found.doubled} |"
    database = ["--database", "postgresql+psycopg://somebody:secret@here/runs"]
    for benchmark, more, line in (
        (study_load, ["--alone"], f"| 100 | 2 | 200 | 290 | 300 | 3 | 3 | {found.stored} | {counts}"),
        (study_kills, [], f"| 200 | 100 | 200 | 3 | 4 | 3 | {found.stored} | 0 | {counts}"),
    ):
        page = tmp_path / "page.md"
        assert benchmark.main([*database, "--pace", "0.75", *more, "--write", str(page)]) == status
        text = page.read_text()
        assert line in text
        assert "Database: postgresql+psycopg" in text
        assert "--pace 0.75" in text
        assert ("--alone" in text) == (benchmark is study_load)
        assert "secret" not in text + capsys.readouterr().out
