"""GET: the page, its files, its pictures, and previews."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import anyio
import pytest

from decam.studies import previews
from decam.studies.responses import StudyRecord, StudyStore
from decam.studies.road import road, wording_of
from decam.web.studies import shell
from tests.conftest import ROOT
from tests.web.studies.painted import blank
from tests.web.studies.participants import get, kept, short
from tests.web.watched import ask

STATIC = ROOT / "decam" / "web" / "studies" / "static"


def test_the_page_allows_nothing_from_elsewhere_and_no_script_of_its_own(record: StudyRecord) -> None:
    page = get(f"/study/{record.link}")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';") and "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
    text = page.body.decode()
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|https?://", text.replace("data-texts", ""))
    assert "Which map?" not in text, "the study's name may give away what it is about"


def test_every_file_that_the_page_needs_is_served_and_kept_for_good(record: StudyRecord) -> None:
    text = get(f"/study/{record.link}").body.decode()
    wanted = set(re.findall(r'(?:src|href)="(files/[^"]+)"', text))
    assert len(wanted) == 4
    folder = f"files/{shell.version()}/"
    for script in STATIC.glob("*.js"):
        wanted |= {folder + name for name in re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8"))}
    assert {folder + path.name for path in STATIC.iterdir()} == wanted, "each file is used"
    for name in wanted:
        found = get(f"/study/{name}")
        assert found.status == 200 and "immutable" in found.headers["cache-control"]
        assert found.body == (STATIC / name.rpartition("/")[2]).read_bytes()
        assert found.headers["x-content-type-options"] == "nosniff"


def test_a_file_of_another_version_is_not_kept() -> None:
    assert get("/study/files/0123/page.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fshell.py", "../shell.py", "__init__.py", "page.js%00", ""])
def test_nothing_but_the_pages_files_is_served(name: str) -> None:
    assert get(f"/study/files/{shell.version()}/{name}").status == 404


def test_scripts_write_no_markup_and_ask_nobody_else() -> None:
    for script in STATIC.glob("*.js"):
        text = script.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", text), (
            script.name
        )
        assert len(text.splitlines()) <= 400


def test_every_text_that_a_script_says_is_in_the_wording() -> None:
    texts = shell.own_texts(wording_of(short()).texts)
    for script in STATIC.glob("*.js"):
        said = re.findall(r'"(page\.[a-z.-]+[a-z])"', script.read_text(encoding="utf-8"))
        assert [key for key in said if key not in texts] == [], script.name


def test_pictures_are_served_by_their_digest_for_good(store: StudyStore, record: StudyRecord) -> None:
    image = record.study.stimuli[0].image
    found = get(f"/study/{record.link}/images/{image}.png")
    assert found.status == 200 and found.headers["content-type"] == "image/png"
    assert "immutable" in found.headers["cache-control"]
    assert found.body == (store.folder(record.id) / f"{image}.png").read_bytes()


def test_no_other_studys_picture_and_no_other_file_is_served(store: StudyStore, record: StudyRecord) -> None:
    other = kept(store, short())
    foreign = hashlib.sha256(b"foreign").hexdigest()
    (store.folder(other.id) / f"{foreign}.png").write_bytes(b"foreign")
    (store.folder(record.id) / "notes.png").write_bytes(b"notes")
    for name in (foreign, "notes", "0" * 64, f"..%2f{other.id}%2f{foreign}", foreign.upper(), ""):
        assert get(f"/study/{record.link}/images/{name}.png").status == 404
    array = record.study.stimuli[0].maps[0].array
    assert get(f"/study/{record.link}/images/{array}.npz").status == 404


def test_an_unknown_link_is_told_in_a_language_of_the_browser(store: StudyStore) -> None:
    assert store.recent() == []
    german = get("/study/nothing", accept_language="fr-CH, de;q=0.9, en;q=0.8")
    assert german.status == 404 and "Unter diesem Link gibt es keine Studie." in german.body.decode()
    assert "There is no study at this link." in get("/study/nothing", accept_language="xx").body.decode()
    assert b"<script" not in german.body


def test_a_preview_is_served_with_its_pictures_and_may_be_framed_by_this_server_alone(tmp_path: Path) -> None:
    made = short()
    blank(made, tmp_path)
    steps = road(made, 0)
    token = previews.offer(steps, wording_of(made), tmp_path)
    page = get(f"/study/preview/{token}")
    assert page.status == 200 and "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert 'src="../files/' in page.body.decode()
    shown = get(f"/study/preview/{token}/steps").json
    assert shown["steps"] == [step.visible() for step in steps]
    image = steps[1].pictures[0].image
    assert get(f"/study/preview/{token}/images/{image}.png").status == 200
    for path in ("nothing", "nothing/steps", f"nothing/images/{image}.png", f"{token}/images/{'0' * 64}.png"):
        assert get(f"/study/preview/{path}").status == 404


@pytest.mark.parametrize(
    ("theme", "scheme", "dark"),
    [
        ("", "light dark", "(prefers-color-scheme: dark)"),
        ("theme=dark", "dark", "all"),
        ("theme=light", "light", "not all"),
        ("theme=%22%3E", "light dark", "(prefers-color-scheme: dark)"),
    ],
)
def test_a_preview_has_the_colours_that_its_address_names(tmp_path: Path, theme: str, scheme: str, dark: str) -> None:
    made = short()
    token = previews.offer(road(made, 0), wording_of(made), tmp_path)
    page = anyio.run(ask, f"/study/preview/{token}", theme).body.decode()
    assert f'<meta name="color-scheme" content="{scheme}">' in page
    assert f'dark.css" media="{dark}">' in page
