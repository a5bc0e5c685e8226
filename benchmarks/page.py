"""How soon the Compare page shows something, and what a worker loses while a page watches it.

A server and a headless Chromium share this machine, as on a teacher's laptop. The server is started on a new data
directory, visited once, and started again: at its first start it tries which way of asking the model is fastest, and
keeps what it finds. The first page does not wait for that, but the first answer does. A visitor opens the page in a
fresh profile: timed until it can be used, with samples and settings. The visitor chooses a sample scene for the
embedded model and presses Explain: timed, in the page, from that click to the first finished map that is drawn, and to
the line that says that all maps and curves are finished. At last a long DE-CAM search runs in turns with its page open
and with its tab gone elsewhere; compared are the seconds that the search itself took.

    .venv/bin/python -m benchmarks.page
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import spread, table
from decam.experiments.cells import CellKey
from decam.images.samples import SAMPLES
from decam.runs.store import Store
from tests.browser.compare import LONG_MS, STARS, Compare
from tests.tools.browser import FLAGS, find
from tests.tools.server import Server

# Looks at the page 25 times a second, which costs it little; each moment is kept the first time it is seen.
_STOPWATCH = """() => {
    const seen = { pressed: 0, first: 0, finished: 0 };
    window.decamSeen = seen;
    document.addEventListener("click", event => {
        const button = event.target.closest("button");
        if (!seen.pressed && button?.innerText.trim().endsWith("Explain")) seen.pressed = performance.now();
    }, true);
    const look = () => {
        if (seen.pressed) {
            const hosts = [...document.querySelectorAll('[class*="st-key-grid-"] *')].filter(part => part.shadowRoot);
            const cells = hosts.flatMap(host => [...host.shadowRoot.querySelectorAll('[role="gridcell"]')]);
            const drawn = cells.some(cell => ["measuring", "done"].includes(cell.dataset.state));
            const words = [...document.querySelectorAll("strong")].map(word => word.innerText);
            if (!seen.first && drawn) seen.first = performance.now();
            const finished = words.some(word => word.trim().endsWith("Finished"));
            if (!seen.finished && finished) seen.finished = performance.now();
        }
        if (seen.first && seen.finished) clearInterval(looking);
    };
    const looking = setInterval(look, 40);
}"""


SCENES = [sample.title for sample in SAMPLES if sample.kind == "scene"]


@dataclass(frozen=True)
class Waits:
    """Seconds from the address to a page that can be used; from Explain to the first map and to all of a comparison."""

    page: float
    first: float
    finished: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what a visitor waits for, and what watching costs."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--budget", type=int, default=20_000, help="of the search that is watched (%(default)s)")
    asked = parser.parse_args(arguments)
    path = find()
    if path is None:
        sys.exit("No Chromium was found: 'make test' installs one, DECAM_CHROMIUM names one.")
    report = Report("How soon the page answers", "benchmarks.page", __doc__, arguments)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        server = Server(Path(folder) / "data", Path(folder) / "server.log")
        try:
            # Each visit has a scene of its own: what was computed before would only be shown again.
            begun = [started(server)]
            new = visit(browser, server, SCENES[0])
            server.stop()
            begun.append(started(server))
            cold = visit(browser, server, SCENES[1])
            warm = [visit(browser, server, scene) for scene in SCENES[2 : asked.rounds + 2]]
            first, second = begun
            report.say(f"\nThe server answers {first:.1f} s after its first start, {second:.1f} s after its second.")
            report.say(f"\n{waits_table(new, cold, warm)}\n")
            pairs = [
                (search(browser, server, asked.budget, True), search(browser, server, asked.budget, False))
                for _ in range(asked.rounds)
            ]
        finally:
            server.stop()
            browser.close()
    losses = [100 * (1 - alone / watched) for watched, alone in pairs]
    watched, alone = ([pair[place] for pair in pairs] for place in (0, 1))
    line = (spread(watched), spread(alone), spread(losses, ".1f"))
    report.say(table(("DE-CAM with a page watching, s", "with none, s", "loss of speed, %"), [line]))
    report.write(asked.write)


def started(server: Server) -> float:
    """Start it; the seconds until it answers."""
    began = time.perf_counter()
    server.start()
    return time.perf_counter() - began


def waits_table(new: Waits, cold: Waits, warm: Sequence[Waits]) -> str:
    """What visitors wait for: the first one on a new data directory, the first after another start, and later ones."""
    lines = (
        ("the first visit of all", *(f"{each:.2f}" for each in astuple(new))),
        ("the first after a second start", *(f"{each:.2f}" for each in astuple(cold))),
        (f"later ones, median of {len(warm)}", *(spread(each) for each in zip(*map(astuple, warm), strict=True))),
    )
    heads = ("", "page, s", "from Explain to the first finished map, s", "to the finished comparison, s")
    return table(heads, lines)


def visit(browser: Browser, server: Server, scene: str) -> Waits:
    """One visitor with a fresh browser profile, the usual methods and their usual settings."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(LONG_MS)
    page = context.new_page()
    began = time.perf_counter()
    compare = Compare(page)
    compare.open(server.url)
    page.get_by_test_id("stMain").get_by_role("button", name=scene, exact=True).wait_for()
    opened = time.perf_counter() - began
    _ready(compare, scene)
    page.evaluate(_STOPWATCH)
    compare.explain.click()
    page.wait_for_function("window.decamSeen.first > 0 && window.decamSeen.finished > 0", timeout=60_000, polling=250)
    seen = page.evaluate("window.decamSeen")
    context.close()
    return Waits(opened, (seen["first"] - seen["pressed"]) / 1000, (seen["finished"] - seen["pressed"]) / 1000)


def search(browser: Browser, server: Server, budget: int, watched: bool) -> float:
    """Seconds that one search took, with its page open all the time or gone elsewhere."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(LONG_MS)
    page = context.new_page()
    compare = Compare(page)
    compare.open(server.url)
    _ready(compare, STARS)
    compare.new_budget(budget)
    run = compare.start()
    if not watched:
        page.goto("about:blank")
    store = Store(server.data)
    while store.version(run)[1].active:
        time.sleep(0.5)
    seconds = store.load(run).cells[CellKey(0, 0)].seconds
    store.close()
    context.close()
    return seconds


def _ready(compare: Compare, scene: str) -> None:
    compare.sample(scene)
    compare.explain.wait_for()


if __name__ == "__main__":
    script(main)
