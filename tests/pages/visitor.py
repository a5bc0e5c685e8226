"""A visitor of the dashboard without a browser: what can be pressed, and what can then be read."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from streamlit import config
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox
from streamlit.util import calc_hash

from decam.errors import DecamError
from decam.experiments.grid import Grid
from decam.experiments.plan import Plan
from decam.experiments.status import Status
from decam.images.samples import get
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from decam.ui import nav, state
from decam.ui.shared.thumbnails import pixels
from tests.tools.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
SMALL_BUDGET, FEW_STEPS = 200, 5
ENDLESS_BUDGET = 50_000

File = tuple[str, bytes]


TRACEBACKS: list[str] = []
"""What the app has thrown since the last look; the page itself shows no details."""


class _Thrown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        TRACEBACKS.append(logging.Formatter().format(record))


config.set_option("logger.enableRich", False)  # rich, where it is there, prints past the loggers
logging.getLogger("streamlit.error_util").addHandler(_Thrown(logging.ERROR))


class Visitor:
    """One session of the app, as a browser tab has it. No answer of the app may show a traceback."""

    _components: ClassVar[Any] = None

    def __init__(self, run: str | None = None) -> None:
        self.app = AppTest.from_file(nav.SCRIPT, default_timeout=PATIENCE)
        # Every session would look up anew which installed packages bring components: a fifth of a second.
        self.app._bidi_component_manager = Visitor._components
        if run is not None:
            self.app.query_params["run"] = run
        self.look()
        Visitor._components = self.app._bidi_component_manager

    def go(self, address: str) -> Self:
        """Follow the link to another page; the next look draws it."""
        # AppTest.switch_page knows pages by their files alone, and these are functions of the package.
        self.app._page_hash = calc_hash(address)
        return self

    def look(self) -> Self:
        """Let the page be drawn once more, after whatever has been set."""
        TRACEBACKS.clear()
        self.app.run()
        assert not self.app.exception, "\n".join(TRACEBACKS)
        return self

    def until(self, condition: Callable[[], object]) -> Self:
        """Look again and again until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited too long: {self.status!r} {self.alerts}"
            time.sleep(0.05)
            self.look()
        return self

    # What can be done

    def press(self, key: str) -> Self:
        """Press a button."""
        self.app.button(key=key).click()
        return self.look()

    def sample(self, *names: str) -> Self:
        """Choose samples, or take them out, in the sidebar."""
        for name in names:
            self.press(f"strip-{name}")
        return self

    def upload(self, *files: File) -> Self:
        """Give the uploader these files."""
        self.app.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files])
        return self.look()

    def delete(self, link: str, kind: str = "comparison") -> Self:
        """Delete a run or a check of the list, and say yes when asked."""
        return self.press(f"delete-{kind}-{link}").press(f"for-good-{link}")

    def describing(self, link: str) -> Self:
        """Open the form with the name and the note of a run."""
        self.app.session_state[f"describe-{link}"] = True
        return self.look()

    def visit(self, page: str) -> Self:
        """Go to another page."""
        return self.go(page).look()

    def methods(self, *names: str) -> Self:
        """Choose these methods and no others, as the window with all methods does when it is closed."""
        assert set(names) <= set(METHODS)
        self.app.session_state["compared"] = names
        return self.look()

    def quick(self, budget: int = SMALL_BUDGET) -> Self:
        """Make a comparison cheap."""
        for key, value in (("setting:de-cam:budget", budget), ("steps", FEW_STEPS)):
            if self.has("number_input", key):
                self.app.number_input(key=key).set_value(value)
        return self.look()

    def ask(self, picture: str, part: str) -> Self:
        """Ask about the one class whose name has this part."""
        box = self.card(picture)
        found = [option for option in box.options if part in option]
        assert len(found) == 1, found
        box.select_index(box.options.index(found[0]))
        return self.look()

    def rather_than(self, picture: str, label: str) -> Self:
        """Tell the class asked about from this one, or from "any other class"."""
        wanted = f"Class to tell the target of {picture} from"
        box = next(box for box in self.app.selectbox if shown(box.label) == wanted)
        box.select_index(box.options.index(f"rather than {label}"))
        return self.look()

    def model(self, name: str) -> Self:
        """Choose a model."""
        self.app.selectbox(key="model").select(name)
        return self.look()

    def explain(self) -> str:
        """Press Explain; the run that is then shown."""
        before = self.run
        self.press("explain")
        assert self.run not in ("", before)
        return self.run

    def finish(self) -> Self:
        """Wait until the run has ended: its end, and not the page again and again, which would slow it down."""
        if self.run:
            with suppress(DecamError):  # said on the page
                wait_until(lambda: not state.runs().snapshot(self.run).active)
        return self.look().until(lambda: not self.status.startswith(("Waiting", "Running")))

    def tab(self, title: str) -> Self:
        """Open a tab below the grid."""
        self.app.session_state["tabs"] = title
        return self.look()

    # What can be read

    def has(self, kind: str, key: str) -> bool:
        """Whether the page has a widget of this kind under this key."""
        return any(widget.key == key for widget in self.app.get(kind))

    def offers(self, key: str) -> bool:
        """Whether a button can be pressed."""
        return any(button.key == key and not button.disabled for button in self.app.button)

    @property
    def run(self) -> str:
        """The run that the address names; empty where it names none."""
        return str(self.app.query_params.get("run", ""))

    @property
    def status(self) -> str:
        """How the run stands; empty where none is shown."""
        found = [re.match(r"\*\*:material/\w+: ([^*]+)\*\*(.*)", text) for text in self.app.markdown.values]
        return next((match[1] + match[2] for match in found if match), "")

    @property
    def errors(self) -> list[str]:
        """The sentences on what went wrong, as they are read."""
        return [shown(text) for text in self.app.error.values]

    @property
    def alerts(self) -> list[str]:
        """All sentences that are set apart, as they are read."""
        return [shown(text) for kind in ("error", "warning", "info") for text in getattr(self.app, kind).values]

    def says(self, *parts: str) -> bool:
        """Whether one sentence that is set apart has all these parts."""
        return any(all(part in text for part in parts) for text in self.alerts)

    def reads(self, *parts: str) -> bool:
        """Whether one paragraph, small print included, has all these parts."""
        texts = [*self.app.markdown.values, *self.app.caption.values]
        return any(all(part in shown(text) for part in parts) for text in texts)

    @property
    def cards(self) -> list[str]:
        """The pictures of the comparison to come, by name, or those that a page shows without a choice."""
        seen = [re.findall(r'class="dc-name" title="(.*?)"', text) for text in self.app.html.values]
        names = [html.unescape(name) for found in seen for name in found]
        return names + [card["name"] for card in self._components_data if "bars" in card]

    def card(self, picture: str) -> Selectbox[Any]:
        """The choice of a target class for a picture."""
        return next(box for box in self.app.selectbox if shown(box.label) == f"Target class of {picture}")

    def bars(self, picture: str) -> list[tuple[str, float]]:
        """The likeliest classes of a picture with their probabilities, as its card shows them."""
        found = re.findall(r"<span>(.*?)</span><b>(.*?)</b>", self._seen(picture))
        shown = found or [(bar["label"], bar["words"]) for bar in self.shown(picture)["bars"]]
        return [(html.unescape(label), float(words.strip("<> %")) / 100) for label, words in shown]

    def shown(self, picture: str) -> dict[str, Any]:
        """What the browser is sent of the card of a picture."""
        return next(card for card in self._components_data if "bars" in card and card["name"] == picture)

    def picture(self, name: str) -> NDArray[np.uint8]:
        """What the card of a picture shows."""
        seen = re.search(r'src="(.*?)"', self._seen(name))
        data = (seen[1] if seen else self.shown(name)["uri"]).partition("base64,")[2]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    @property
    def grid(self) -> dict[str, Any]:
        """What the browser is sent of the result; empty where there is none."""
        return next((data for data in self._components_data if data.get("rows")), {})

    @property
    def picker(self) -> dict[str, Any]:
        """What the browser is sent of the methods to choose among; empty where there are none."""
        return next((data for data in self._components_data if data.get("presets")), {})

    @property
    def chosen(self) -> set[str]:
        """The methods that are compared."""
        return set(self.picker["chosen"])

    def method(self, name: str) -> dict[str, Any]:
        """A method as the window with all methods shows it."""
        return next(method for method in self.picker["methods"] if method["name"] == name)

    def cell(self, method: str, picture: int = 0) -> dict[str, Any]:
        """One cell of the result, by the method's title."""
        column = next(column["key"] for column in self.grid["columns"] if column["title"] == method)
        return next(cell for cell in self.grid["cells"] if (cell["row"], cell["column"]) == (str(picture), column))

    @property
    def tables(self) -> list[dict[str, Any]]:
        """The tables of values that are drawn."""
        return [data for data in self._components_data if "words" in data and "columns" in data and "title" in data]

    def states(self) -> set[str]:
        """In which states the cells of the result are."""
        return {cell["state"] for cell in self.grid["cells"]}

    @property
    def recent(self) -> list[str]:
        """The runs that the sidebar lists, in its order."""
        keys = [button.key or "" for button in self.app.sidebar.button]
        return [key.removeprefix("run-") for key in keys if key.startswith("run-")]

    @property
    def _components_data(self) -> list[dict[str, Any]]:
        return [dict(json.loads(element.proto.json)) for element in self.app.get("bidi_component")]

    def _seen(self, picture: str) -> str:
        """The card of a picture with nothing to choose; empty where there is none."""
        title = f'title="{html.escape(picture, quote=True)}"'
        return next((text for text in self.app.html.values if 'class="dc-card"' in text and title in text), "")


def shown(markdown: str) -> str:
    """What CommonMark shows: a backslash before ASCII punctuation is taken away."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def abandoned(directory: Path, plan: Plan) -> None:
    """A run that a server had begun when it was killed."""
    store = Store(directory)
    grid = Grid.empty(plan, (pixels(get("scene-star").load()),))
    store.add(RunSnapshot("abandoned", datetime.now(UTC), Status.QUEUED, grid))
    store.begin("abandoned", plan, ())
    store.close()
