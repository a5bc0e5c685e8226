"""How soon an answer is acknowledged while a hundred people take a study and a comparison runs.

A server, a headless Chromium that keeps a comparison running, and all participants share this machine. Each of them
loads the pictures of a screen, thinks for about two seconds and posts an answer, which is acknowledged once it is on
the disk. Timed is each post from the participant's side. In the end, all that was acknowledged must be in the database
once.

    .venv/bin/python -m benchmarks.study_load --participants 100 --seconds 120
    .venv/bin/python -m benchmarks.study_load --database postgresql
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from benchmarks.study_people import Crowd, Seen, Verdict, database_at, open_study, percentiles, place, verdict
from decam.benchmark.report import Report, parser_of
from decam.benchmark.text import table
from decam.errors import DecamError
from tests.browser.compare import LONG_MS, STARS, Compare
from tests.tools.browser import FLAGS, find
from tests.tools.server import Server

AIM_MS = 1000
BUDGET = 200_000  # evaluations of a search that takes longer than the people do
HEAD = ("people", "comparison", "p50, ms", "p95, ms", "most, ms", "sent", "acknowledged", "stored", "lost", "doubled")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how soon answers were acknowledged; return 1 where one was lost, doubled or refused."""
    parser = parser_of(__doc__)
    parser.add_argument("--participants", type=int, default=100, help="people at once (%(default)s)")
    parser.add_argument("--seconds", type=float, default=120, help="how long they answer (%(default)s)")
    parser.add_argument("--pace", type=float, default=2, help="seconds between two answers of one (%(default)s)")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own), or a URL")
    parser.add_argument("--alone", action="store_true", help="without a comparison beside them")
    asked = parser.parse_args(arguments)
    # The page names the kind of database alone: an address may hold a password.
    kind = asked.database.partition(":")[0]
    repeated = ["--participants", str(asked.participants), "--seconds", f"{asked.seconds:g}", "--database", kind]
    report = Report("A study under load", "benchmarks.study_load", __doc__ or "", repeated)
    report.say(f"Database: {kind}; one answer each {asked.pace:g} s\n")
    try:
        with place() as folder, database_at(asked.database) as url:
            seen, found = load(folder, url, asked.participants, asked.seconds, asked.pace, asked.alone)
    except DecamError as error:
        sys.exit(str(error))
    report.say(load_table(asked.participants, asked.alone, seen, found))
    report.say(f"\nPictures: p50, p95 and most {', '.join(percentiles(seen.pictures))} ms, of {len(seen.pictures)}.")
    for sentence in sorted(set(seen.refused))[:5]:
        report.say(f"Refused: {sentence}")
    report.write(asked.write)
    return int(not found.sound)


def load(folder: Path, url: str, people: int, seconds: float, pace: float, alone: bool = False) -> tuple[Seen, Verdict]:
    """Let people answer for a while, and look for their answers afterwards."""
    data = folder / "data"
    record = open_study(data, url)
    server = Server(data, folder / "server.log", {"DECAM_DATABASE_URL": url}).start()
    try:
        with contextlib.nullcontext() if alone else comparison(server):
            crowd = Crowd(server.port, record.link, people, pace)
            crowd.start()
            time.sleep(seconds)
            crowd.stop()
    finally:
        server.stop()
    return crowd.seen, verdict(data, url, record, crowd.seen)


@contextlib.contextmanager
def comparison(server: Server, *, ends: bool = True) -> Iterator[None]:
    """A visitor's comparison that runs as long as the block, its page open; where it `ends`, it must still run then."""
    path = find()
    if path is None:
        sys.exit("No Chromium was found: 'make test' installs one, DECAM_CHROMIUM names one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(LONG_MS)
            compare = Compare(page)
            compare.open(server.url)
            compare.sample(STARS)
            compare.budget(BUDGET)
            compare.start()
            yield
            if ends:
                expect(compare.status("Running")).to_be_visible(timeout=LONG_MS)
        finally:
            browser.close()


def load_table(people: int, alone: bool, seen: Seen, found: Verdict) -> str:
    """What was seen, in Markdown."""
    counts = (found.sent, found.acknowledged, found.stored, found.lost, found.doubled)
    line = (people, "none" if alone else "running", *percentiles(seen.seconds), *counts)
    return table(HEAD, [line])


if __name__ == "__main__":
    sys.exit(main())
