"""What a killed server costs people who take a study: `kill -9` at random moments while they answer.

A server is started, participants answer over HTTP, and the server is killed at a random moment and started again on the
same port. Participants post what was not acknowledged once more, under the same id, as their page does. In the end, all
that was acknowledged must be in the database once, and nobody must have been let in twice.

    .venv/bin/python -m benchmarks.study_kills --kills 200
    .venv/bin/python -m benchmarks.study_kills --kills 200 --database postgresql
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.study_load import comparison
from benchmarks.study_people import Crowd, Seen, Verdict, database_at, open_study, percentiles, place, verdict
from decam.benchmark.report import Report, parser_of
from decam.benchmark.text import table
from decam.errors import DecamError
from tests.tools.server import Server

HEAD = ("killed", "people", "p50, ms", "sent", "posted", "acknowledged", "stored", "completed", "lost", "doubled")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill and start again; print what was seen, and return 1 where an answer was lost, doubled or refused."""
    parser = parser_of(__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often the server is killed (%(default)s)")
    parser.add_argument("--participants", type=int, default=100, help="people at once (%(default)s)")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds between two answers of one (%(default)s)")
    parser.add_argument("--life", type=float, default=4, help="seconds that a server lives at most (%(default)s)")
    parser.add_argument("--compare", type=int, default=10, help="a comparison runs in each such life, 0: in none (10)")
    parser.add_argument("--seed", type=int, default=0, help="where the random moments begin (%(default)s)")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own), or a URL")
    asked = parser.parse_args(arguments)
    # The page names the kind of database alone: an address may hold a password.
    kind = asked.database.partition(":")[0]
    counts = {**vars(asked), "database": kind}
    names = ("kills", "participants", "pace", "life", "compare", "seed", "database")
    repeated = [word for name in names for word in (f"--{name}", f"{counts[name]}")]
    report = Report("A study on a killed server", "benchmarks.study_kills", __doc__ or "", repeated)
    report.say(f"Database: {kind}\n")
    try:
        with place() as folder, database_at(asked.database) as url:
            seen, found = kill_often(
                folder, url, asked.kills, asked.participants, asked.pace, asked.life, asked.compare, asked.seed
            )
    except DecamError as error:
        sys.exit(str(error))
    report.say(kills_table(asked.kills, asked.participants, seen, found))
    for sentence in sorted(set(seen.refused))[:5]:
        report.say(f"Refused: {sentence}")
    report.write(asked.write)
    return int(not found.sound)


def kill_often(
    folder: Path,
    url: str,
    kills: int,
    people: int,
    pace: float,
    life: float,
    compare: int = 0,
    seed: int = 0,
) -> tuple[Seen, Verdict]:
    """Kill a server at random moments while people answer, then let one live until all have been answered."""
    data, moments = folder / "data", random.Random(seed)
    record = open_study(data, url)
    server = Server(data, folder / "server.log", {"DECAM_DATABASE_URL": url}).start()
    crowd = Crowd(server.port, record.link, people, pace, pictures=False, seed=seed)
    crowd.start()
    try:
        for number in range(kills):
            moment = moments.uniform(0, life)
            if compare and number % compare == compare - 1:
                with comparison(server) as visitor:
                    visitor.during(moment)
                    server.kill()
            else:
                time.sleep(moment)
                server.kill()
            server.start()
        time.sleep(2 * pace)
        crowd.stop()
    finally:
        server.stop()
    return crowd.seen, verdict(data, url, record, crowd.seen)


def kills_table(kills: int, people: int, seen: Seen, found: Verdict) -> str:
    """What was seen, in Markdown."""
    counts = (found.sent, seen.tries, found.acknowledged, found.stored, seen.completed, found.lost, found.doubled)
    return table(HEAD, [(kills, people, percentiles(seen.seconds)[0], *counts)])


if __name__ == "__main__":
    sys.exit(main())
