from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest

from decam.metrics import METRICS
from decam.ui import metric_cards, metric_subject
from tests.pages.visitor import Visitor, shown

pytestmark = pytest.mark.usefixtures("server")
ALONE = ("sparsity", "entropy", "effective-pixels")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    metric_cards._kept.clear()
    metric_subject._kept.clear()


def visitor(*opened: str) -> Visitor:
    """A visitor of the Metrics page with these cards open and no others."""
    arrived = Visitor()
    arrived.app.switch_page("pages/metrics.py")
    for name in METRICS:
        arrived.app.session_state[f"work-{name}"] = name in opened
    return arrived.look()


def pages_html(of: Visitor) -> str:
    return "\n".join(of.app.html.values)


def values(of: Visitor) -> list[tuple[str, str]]:
    """What each open card says of the map and of the random one."""
    found = re.findall(r'class="dc-value"><b>(.*?)</b><span>.*?</span><b>(.*?)</b>', pages_html(of))
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
    arrived.app.switch_page("pages/metrics.py")
    arrived.look()
    assert len(values(arrived)) == 1
    assert 'alt="0% hidden"' in pages_html(arrived) and 'alt="100% hidden"' in pages_html(arrived)


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
    after = values(arrived.look())
    assert len(after) == 4
    assert all(one[0] != other[0] for one, other in zip(before, after, strict=True))
    assert [one[1] for one in before] == [other[1] for other in after]


def test_settings_of_a_metric_change_its_steps() -> None:
    arrived = visitor("deletion")
    before = values(arrived)
    arrived.app.selectbox(key="work:deletion:fill").select("noise")
    arrived.app.number_input(key="work:deletion:steps").set_value(10)
    after = values(arrived.look())
    assert after != before
    assert "11 pictures" in pages_html(arrived) and "hidden by noise" in pages_html(arrived)


def test_a_photograph_has_no_ground_truth_and_the_cards_say_so() -> None:
    arrived = visitor("sparsity")
    arrived.app.selectbox(key="metric-sample").select("coffee")
    arrived.look()
    told = [text for text in arrived.app.caption.values if "choose a scene" in text]
    assert len(told) == sum("truth" in metric.needs for metric in METRICS.values())
    assert len(values(arrived)) == 1
    assert arrived.says("The model Embedded knows ten drawn shapes")


def test_a_photograph_goes_to_the_model_that_knows_photographs(quick_model: Path) -> None:
    assert quick_model.is_file()
    arrived = visitor("sparsity")
    assert arrived.app.selectbox(key="metric-model").value == "embedded"
    arrived.app.selectbox(key="metric-sample").select("coffee")
    arrived.look()
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

    monkeypatch.setattr(metric_cards, "at_work", never)
    monkeypatch.setattr(metric_subject, "explain_view", never)
    assert values(visitor("insertion", "consistency")) == before


def test_choices_stay_when_the_visitor_goes_to_another_page_and_back() -> None:
    arrived = visitor("sparsity")
    arrived.app.selectbox(key="metric-method").select("edges")
    arrived.look().app.switch_page("pages/compare.py")
    arrived.look().app.switch_page("pages/metrics.py")
    assert arrived.look().app.selectbox(key="metric-method").value == "edges"
