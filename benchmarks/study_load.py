"""How soon an answer is acknowledged while a hundred people take a study and a comparison runs.

A server, a headless Chromium that keeps a comparison running, and all participants share this machine. Each of them
loads the images of a screen, thinks for about two seconds and posts an answer, which is acknowledged once it is on
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

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.study_people import Crowd, Seen, Verdict, database_at, open_study, percentiles, place, verdict
from decam.benchmark.report import Report, parser_of
from decam.benchmark.text import table
from decam.errors import DecamError
from tests.browser.compare import LONG_MS, SHAPES, STARS, Compare
from tests.tools.browser import FLAGS, find
from tests.tools.server import Server

LOOK_SECONDS = 0.5
BUDGET = 50_000  # evaluations of a search, the most that one may have
HEAD = (
    "people",
    "comparisons meanwhile",
    "p50, ms",
    "p95, ms",
    "most, ms",
    "sent",
    "acknowledged",
    "stored",
    "lost",
    "doubled",
)


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
    repeated = ["--participants", str(asked.participants), "--seconds", f"{asked.seconds:g}"]
    repeated += ["--pace", f"{asked.pace:g}", "--database", kind, *(["--alone"] if asked.alone else [])]
    report = Report("A study under load", "benchmarks.study_load", __doc__ or "", repeated)
    report.say(f"Database: {kind}; one answer each {asked.pace:g} s\n")
    try:
        with place() as folder, database_at(asked.database) as url:
            seen, begun, found = load(folder, url, asked.participants, asked.seconds, asked.pace, asked.alone)
    except DecamError as error:
        sys.exit(str(error))
    report.say(load_table(asked.participants, begun, seen, found))
    report.say(f"\nPictures: p50, p95 and most {', '.join(percentiles(seen.pictures))} ms, of {len(seen.pictures)}.")
    for sentence in sorted(set(seen.refused))[:5]:
        report.say(f"Refused: {sentence}")
    report.write(asked.write)
    return int(not found.sound)


def load(
    folder: Path, url: str, people: int, seconds: float, pace: float, alone: bool = False
) -> tuple[Seen, int, Verdict]:
    """Let people answer for a while; what they saw, comparisons that ran meanwhile, and what is in the database."""
    data, begun = folder / "data", 0
    record = open_study(data, url)
    server = Server(data, folder / "server.log", {"DECAM_DATABASE_URL": url}).start()
    try:
        crowd = Crowd(server.port, record.link, people, pace)
        if alone:
            crowd.start()
            time.sleep(seconds)
        else:
            with comparison(server) as visitor:
                visitor.during(LOOK_SECONDS)
                crowd.start()
                visitor.during(seconds)
            begun = visitor.begun
        crowd.stop()
    finally:
        server.stop()
    return crowd.seen, begun, verdict(data, url, record, crowd.seen)


class Comparison:
    """A visitor with one comparison after the other, so that one runs at any time; the page stays open."""

    def __init__(self, page: Page) -> None:
        self._compare = Compare(page)
        self.begun = 0

    def begin(self, server: Server) -> None:
        """Open the page, and set up a long search on two pictures."""
        self._compare.open(server.url)
        for title in (STARS, SHAPES):
            self._compare.sample(title)
        self._compare.budget(BUDGET)

    def during(self, seconds: float) -> None:
        """Let comparisons run for a while; where one has ended, the next begins."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._compare.stop.count():
                self._compare.start()
                self.begun += 1
            self._compare.page.wait_for_timeout(1000 * min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))


@contextlib.contextmanager
def comparison(server: Server) -> Iterator[Comparison]:
    """A visitor's browser on a server, ready to compare."""
    path = find()
    if path is None:
        sys.exit("No Chromium was found: 'make test' installs one, DECAM_CHROMIUM names one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(LONG_MS)
            expect.set_options(timeout=LONG_MS)  # the page shares its cores with all who answer
            visitor = Comparison(page)
            visitor.begin(server)
            yield visitor
        finally:
            browser.close()


def load_table(people: int, begun: int, seen: Seen, found: Verdict) -> str:
    """What was seen, in Markdown."""
    counts = (found.sent, found.acknowledged, found.stored, found.lost, found.doubled)
    line = (people, begun, *percentiles(seen.seconds), *counts)
    return table(HEAD, [line])


if __name__ == "__main__":
    sys.exit(main())
