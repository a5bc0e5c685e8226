from __future__ import annotations

import dataclasses
import html
import re
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from decam.classifier import Pixels
from decam.errors import MethodError, SettingError
from decam.experiments import execute
from decam.experiments.plan import fingerprint
from decam.explanation import Progress, Steps
from decam.images.samples import SAMPLES
from decam.methods import METHODS
from decam.metrics import METRICS, Case, Metric
from decam.metrics.walkthroughs import Shown
from decam.settings import Settings
from decam.ui import state
from decam.ui.metrics import cards, subject
from decam.ui.shared import ground_truth
from decam.ui.shared.ground_truth import Given
from tests.pages.visitor import PATIENCE, Visitor, shown

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("server")
ALONE = ("sparsity", "entropy", "effective-pixels")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    subject._kept.clear()


def arriving(*opened: str) -> Visitor:
    """A visitor on the way to the Metrics page, where these cards will be open and no others."""
    visitor = Visitor()
    visitor.go("metrics")
    for name in METRICS:
        visitor.app.session_state[f"work-{name}"] = name in opened
    return visitor


def visitor(*opened: str) -> Visitor:
    """A visitor of the Metrics page with these cards open and no others, when all is there."""
    return settled(arriving(*opened).look())


def settled(of: Visitor) -> Visitor:
    """The visitor when nothing is awaited any more."""
    return of.until(lambda: not awaited(of))


def awaited(of: Visitor) -> bool:
    """Whether the page says that something waits or runs, as it does where it looks again by itself."""
    return of.status.startswith(("Waiting", "Running"))


def pages_html(of: Visitor) -> str:
    return "\n".join(of.app.html.values)


def values(of: Visitor) -> list[tuple[str, str]]:
    """What each open card says of the map and of the random one."""
    found = re.findall(r'class="dc-value"><div><b>(.*?)</b>.*?</div><div><b>(.*?)</b>', pages_html(of))
    return [(ours.replace("−", "-"), control.replace("−", "-")) for ours, control in found]


def test_every_metric_has_a_card_with_all_that_the_table_says() -> None:
    arrived = visitor()
    said = [shown(text) for text in arrived.app.markdown.values]
    for metric in METRICS.values():
        assert f'id="{metric.name}"' in pages_html(arrived)
        assert f"$$\n{metric.formula}\n$$" in arrived.app.markdown.values
        assert metric.summary in said
        assert any(metric.weaknesses in text and metric.url in text for text in said), metric.name


def test_every_card_is_reached_by_a_link_in_both_lists() -> None:
    text = pages_html(visitor())
    for name, metric in METRICS.items():
        assert text.count(f'href="#{name}"') == 2
        assert html.escape(metric.title) in text


def test_every_card_says_direction_range_cost_and_needs() -> None:
    text = pages_html(visitor())
    assert "<li>↓ lower is better</li><li>0 to 1</li><li>197 evaluations</li>" in text
    assert "<li>↑ higher is better</li><li>−0.5 to 0.5</li><li>18 evaluations</li>" in text
    assert "<li>at least 1</li><li>asks the model nothing</li>" in text
    assert "<li>needs ground truth</li>" in text and "<li>needs the method itself</li>" in text


def test_a_first_visit_shows_deletion_at_work_and_nothing_else() -> None:
    arrived = Visitor()
    arrived.go("metrics")
    settled(arrived.look())
    assert len(values(arrived)) == 1
    assert 'alt="0 % hidden"' in pages_html(arrived) and 'alt="100 % hidden"' in pages_html(arrived)


def test_every_card_opens_and_shows_its_metric_at_work() -> None:
    arrived = visitor(*METRICS)
    assert not arrived.errors
    found = values(arrived)
    assert len(found) == len(METRICS)
    assert all(np.isfinite([float(ours), float(control)]).all() for ours, control in found)
    assert pages_html(arrived).count("<figure>") > 60


def test_another_method_has_other_values_and_the_same_control() -> None:
    arrived = visitor("deletion", *ALONE)
    before = values(arrived)
    arrived.app.selectbox(key="metric-method").select("gradient")
    after = values(settled(arrived.look()))
    assert len(after) == 4
    assert all(one[0] != other[0] for one, other in zip(before, after, strict=True))
    assert [one[1] for one in before] == [other[1] for other in after]


def test_an_object_that_somebody_has_marked_is_judged_for_nobody_else() -> None:
    before = values(visitor("localisation-auc"))
    marking = arriving("localisation-auc")
    box = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.3), (0.1, 0.3))
    marking.app.session_state[ground_truth.key("sample:scene-star")] = Given(ground_truth.DRAWN, (box,))
    marked = values(settled(marking.look()))
    assert marked != before
    assert values(visitor("localisation-auc")) == before


def test_settings_of_a_metric_change_its_steps() -> None:
    arrived = visitor("deletion")
    before = values(arrived)
    arrived.app.selectbox(key="work:deletion:fill").select("noise")
    arrived.app.number_input(key="work:deletion:steps").set_value(10)
    after = values(settled(arrived.look()))
    assert after != before
    assert "11 images" in pages_html(arrived) and "hidden by noise" in pages_html(arrived)


def test_a_photograph_has_no_ground_truth_and_the_cards_say_so() -> None:
    arrived = visitor("sparsity")
    arrived.app.selectbox(key="metric-sample").select("coffee")
    settled(arrived.look())
    told = [text for text in arrived.app.caption.values if "Choose a scene" in text]
    assert len(told) == sum("truth" in metric.needs for metric in METRICS.values())
    assert len(values(arrived)) == 1
    assert arrived.says("The model Shapes demo knows ten drawn shapes")


def test_a_photograph_goes_to_the_model_that_knows_photographs(quick_model: Path) -> None:
    assert quick_model.is_file()
    arrived = visitor("sparsity")
    assert arrived.app.selectbox(key="metric-model").value == "embedded"
    arrived.app.selectbox(key="metric-sample").select("coffee")
    settled(arrived.look())
    assert arrived.app.selectbox(key="metric-model").value == "squeezenet1_0"
    assert len(values(arrived)) == 1


def test_only_cheap_methods_that_can_run_are_offered() -> None:
    box = visitor().app.selectbox(key="metric-method")
    assert "Grad-CAM" in box.options and "Random map" in box.options
    assert "RISE" not in box.options and "DE-CAM" not in box.options


def test_what_was_computed_once_is_there_at_once_for_the_next_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    before = values(visitor("insertion", "consistency"))

    def never(*arguments: object) -> None:
        raise AssertionError(f"computed again: {arguments}")

    monkeypatch.setattr(cards, "walkthrough", never)
    monkeypatch.setattr(execute, "explain_view", never)
    assert values(arriving("insertion", "consistency").look()) == before


def test_maps_outlive_the_server_and_are_listed_for_nobody(
    monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    before = values(visitor("sparsity"))
    assert state.runs().recent() == []
    restart()
    subject._kept.clear()

    def never(*arguments: object) -> None:
        raise AssertionError(f"computed again: {arguments}")

    monkeypatch.setattr(execute, "explain_view", never)
    assert values(visitor("sparsity")) == before


class Counted:
    """Counts the maps and walkthroughs that are begun, and how many are in the making at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: Counter[str] = Counter()
        self.at_once, self.most_at_once = 0, 0
        self.threads: set[str] = set()
        self.gate = threading.Semaphore(0)
        self._lock = threading.Lock()
        explain_view, walkthrough = execute.explain_view, cards.walkthrough

        def explained(classifier: object, view: Pixels, method: str, *rest: Any) -> Generator[Progress, None, Any]:
            return self._counted(f"{method} {fingerprint(view)}", explain_view(classifier, view, method, *rest))

        def worked(case: Case, metric: Metric, settings: Settings) -> Generator[Progress, None, Shown]:
            return self._counted(f"{metric.name} {case.maps[0].sum()}", walkthrough(case, metric, settings))

        monkeypatch.setattr(execute, "explain_view", explained)
        monkeypatch.setattr(cards, "walkthrough", worked)

    def _counted(self, name: str, steps: Generator[Progress, None, T]) -> Generator[Progress, None, T]:
        with self._lock:
            self.begun[name] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.threads.add(threading.current_thread().name)
        try:
            assert self.gate.acquire(timeout=PATIENCE)
            return (yield from steps)
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted(monkeypatch)
    yield counted
    counted.gate.release(1000)


PUPILS = 30


@pytest.mark.slow
def test_thirty_pupils_who_ask_for_the_same_wait_for_one_computation(counted: Counted) -> None:
    pupils = [arriving("deletion").look() for _ in range(PUPILS)]
    assert all(awaited(pupil) for pupil in pupils), "nobody's page waits in its own thread"
    counted.gate.release(1000)
    shown = {tuple(values(settled(pupil))) for pupil in pupils}
    assert len(shown) == 1 and all(shown)
    assert len(counted.begun) == 3  # the map, the random one, and deletion on them
    assert set(counted.begun.values()) == {1}
    assert counted.most_at_once == 1
    assert counted.threads == {"decam-cpu"}


@pytest.mark.slow
def test_thirty_pupils_who_ask_for_different_things_wait_in_line(counted: Counted) -> None:
    names = [sample.name for sample in SAMPLES]
    pupils = []
    for number in range(PUPILS):
        pupil = arriving("sparsity")
        pupil.app.session_state["metric-sample"] = names[number % len(names)]
        pupil.app.session_state["metric-method"] = ("grad-cam", "gradient", "edges")[number // len(names)]
        pupils.append(pupil.look())
    assert all(awaited(pupil) for pupil in pupils)
    ahead = [re.search(r"(\d+) jobs? ahead", pupil.look().status) for pupil in pupils]
    places = [int(place[1]) if place else 0 for place in ahead]
    assert places[0] == 0 and places == sorted(places), "nobody who came later is served before"
    counted.gate.release(1000)
    for pupil in pupils:
        assert len(values(settled(pupil))) == 1
        assert not pupil.errors
    assert set(counted.begun.values()) == {1}
    assert counted.most_at_once == 1
    assert counted.threads == {"decam-cpu"}


def test_an_open_card_says_how_its_metric_stands_and_stops_looking_when_it_is_there(counted: Counted) -> None:
    arrived = arriving("deletion", "insertion").look()
    assert "Map of Grad-CAM" in arrived.status
    assert "Shown as soon as there is a map." in arrived.app.caption.values
    counted.gate.release(2)
    arrived.until(lambda: "Deletion" in arrived.status)
    texts = [shown(text) for text in arrived.app.markdown.values]
    assert any(re.search(r"Waiting\*\* .*Insertion · 1 job ahead", text) for text in texts)
    assert values(arrived) == []
    counted.gate.release(1000)
    assert len(values(settled(arrived))) == 2


def test_what_fails_is_a_sentence_on_its_card_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    walkthrough = cards.walkthrough

    def refusing(case: Case, metric: Metric, settings: Settings) -> Generator[Progress, None, Shown]:
        if metric.name == "sparsity":
            raise SettingError("The map is too flat; choose another method.")
        return (yield from walkthrough(case, metric, settings))

    monkeypatch.setattr(cards, "walkthrough", refusing)
    arrived = visitor("sparsity", "entropy")
    assert arrived.errors == ["The map is too flat; choose another method."]
    assert len(values(arrived)) == 1
    monkeypatch.setattr(cards, "walkthrough", walkthrough)
    assert arrived.look().errors, "a failure is not tried again by every drawing of the page"
    settled(arrived.press("again-sparsity"))
    assert not arrived.errors
    assert len(values(arrived)) == 2


def test_a_map_that_fails_is_a_sentence_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = METHODS["grad-cam"]

    def refuse(*_: object) -> Steps:
        raise MethodError("Grad-CAM found no layer; choose another method.")
        yield

    monkeypatch.setitem(METHODS, "grad-cam", dataclasses.replace(whole, run=refuse))
    arrived = visitor("sparsity")
    assert arrived.errors == ["Grad-CAM found no layer; choose another method."]
    assert values(arrived) == []
    monkeypatch.setitem(METHODS, "grad-cam", whole)
    settled(arrived.press("map-again"))
    assert not arrived.errors
    assert len(values(arrived)) == 1


def test_choices_stay_when_the_visitor_goes_to_another_page_and_back() -> None:
    arrived = visitor("sparsity")
    arrived.app.selectbox(key="metric-method").select("edges")
    settled(arrived.look()).go("compare")
    arrived.look().go("metrics")
    assert arrived.look().app.selectbox(key="metric-method").value == "edges"
