"""Any metrics of any maps as one generator: what is shared, what is refused, and what no map may break."""

import math
import random
import threading
import warnings

import numpy as np
import pytest
import torch

import decam
from decam import metrics
from decam.api import explain
from decam.errors import MethodError, SettingError
from decam.experiments.evaluate import case_of
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import fill
from decam.methods import METHODS
from decam.metrics import ANYTIME, METRICS, RANDOMISATION, Case, Metric, Origin, Request, evaluate
from decam.metrics.faithfulness import DeletionSettings, InsertionSettings
from tests.conftest import Rectangle
from tests.tools.cases import SIZE, bent, case, run, saliency, signed, values, view
from tests.tools.rows import made_in

LOCALISATION = [name for name, row in METRICS.items() if row.family == "localisation"]
TRUTH = np.zeros(SIZE, bool)
TRUTH[3:8, 2:6] = True
RANKING = ["deletion", "insertion", "road", "pointing-game", "iou", "relevance-rank", "localisation-auc"]


def origin(place: int) -> Origin:
    """A method that reads the picture and draws at random."""
    row = METHODS["random"]
    settings = row.settings(cells=3 + place)
    return Origin(lambda question, seed: row.run(question, settings, seed), place, cost=0)


def judged(maps: list[np.ndarray]) -> Case:
    return case(bent(), view(), maps, TRUTH, [origin(place) for place in range(len(maps))], seed=2)


BROKEN = {
    "zero": np.zeros(SIZE),
    "constant": np.full(SIZE, -3.5),
    "nan": np.full(SIZE, np.nan),
    "one nan": np.where(TRUTH, np.nan, saliency()),
    "infinite": np.where(TRUTH, np.inf, -np.inf),
    "huge": signed() * 1e38,
    "tiny": signed() * 1e-42,
    "two values": TRUTH.astype(float),
}


def test_every_row_that_a_module_makes_is_in_a_table_once() -> None:
    assert {id(row) for row in made_in(metrics, Metric)} == {id(row) for row in (*METRICS.values(), *ANYTIME.values())}
    assert len({*METRICS, *RANDOMISATION, *ANYTIME}) == len(METRICS) + len(RANDOMISATION) + len(ANYTIME)


def test_every_row_is_complete() -> None:
    for name, row in METRICS.items():
        assert row.name == name
        assert row.direction in (-1, 1)
        assert row.url.startswith("https://")
        assert row.summary.endswith(".") and row.weaknesses.endswith(".")
        assert row.title and row.formula and row.reference
        assert row.low is None or row.high is None or row.low < row.high


@pytest.mark.parametrize("name", METRICS)
def test_the_cost_is_what_is_asked(name: str) -> None:
    row, maps = METRICS[name], [saliency(seed) for seed in range(3)]
    one = judged(maps)
    list(row.run(one, row.settings()))
    assert row.cost(row.settings(), 3) == one.question.ledger.evaluations


@pytest.mark.parametrize("name", METRICS)
def test_maps_judged_together_are_as_each_alone(name: str) -> None:
    maps = [saliency(1), signed(2), saliency(3)]
    together = values(judged(maps), name)
    for place, one in enumerate(maps):
        alone = case(bent(), view(), [one], TRUTH, [origin(place)], seed=2)
        assert values(alone, name) == pytest.approx([together[place]], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "truth"),
    [(name, "some") for name in METRICS] + [(name, truth) for name in LOCALISATION for truth in ("none", "all")],
)
@pytest.mark.parametrize("broken", BROKEN)
def test_no_map_and_no_truth_breaks_a_metric(name: str, truth: str, broken: str) -> None:
    row = METRICS[name]
    mask = {"some": TRUTH, "none": np.zeros(SIZE, bool), "all": np.ones(SIZE, bool)}[truth]
    maps = [BROKEN[broken].astype(np.float32), saliency()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(case(bent(), view(), maps, mask, [origin(0), origin(1)]), name)
    for one in found:
        if math.isnan(one.value):
            assert one.note
        else:
            assert row.low is None or one.value >= row.low - 1e-9
            assert row.high is None or one.value <= row.high + 1e-9
    assert np.isfinite(maps[0]).all() or "not finite" in found[0].note


@pytest.mark.parametrize("name", RANKING)
def test_metrics_of_the_order_do_not_change_under_monotone_maps(name: str) -> None:
    scores = np.round(signed(3), 2)
    one, two = values(judged([scores, (np.exp(scores / 2) - 7).astype(np.float32)]), name)
    assert one == pytest.approx(two, abs=1e-7)


def test_all_that_is_asked_twice_is_asked_once() -> None:
    maps = [saliency(1), saliency(2)]
    wanted = [
        Request(METRICS[name], METRICS[name].settings.from_mapping(given))
        for name, given in (
            ("deletion", {"steps": 20, "fill": "black"}),
            ("deletion-correlation", {"steps": 20, "fill": "black"}),
            ("average-drop", {}),
            ("increase-in-confidence", {}),
            ("adcc", {}),
            ("average-drop-in-deletion", {}),
        )
    ]
    one = judged(maps)
    last(evaluate(one, wanted))
    assert one.question.ledger.evaluations == 2 * 21 + 1 + 2 + 2


@pytest.mark.slow
def test_progress_rises_to_its_end_and_closing_ends_the_asking() -> None:
    one = judged([saliency(1), saliency(2)])
    requests = [Request(row, row.settings()) for row in METRICS.values()]
    steps = [event.step / event.total for event in evaluate(one, requests)]
    assert steps == sorted(steps)
    assert steps[-1] <= 1
    assert steps[-1] > 0.99
    other = judged([saliency(1)])
    running = evaluate(other, requests)
    next(running)
    asked = other.question.ledger.evaluations
    running.close()
    assert other.question.ledger.evaluations == asked < 10


def test_a_metric_that_lacks_what_it_needs_is_refused_before_anything_is_asked() -> None:
    bare = case(bent(), view(), [saliency()])
    for name, sentence in (("iou", "IoU .* needs the ground truth"), ("adcc", "needs to know the method")):
        row = METRICS[name]
        assert row.obstacle(bare)
        with pytest.raises(SettingError, match=sentence):
            last(
                evaluate(
                    bare, [Request(METRICS["deletion"], METRICS["deletion"].settings()), Request(row, row.settings())]
                )
            )
    assert bare.question.ledger.evaluations == 0
    assert not any(row.obstacle(judged([saliency()])) for row in METRICS.values())


@pytest.mark.slow
def test_measure_knows_all_of_an_explanation(rectangle: Rectangle) -> None:
    explanation = explain(rectangle.classifier, rectangle.view, "occlusion", target=1, seed=3)
    found = decam.measure(rectangle.classifier, rectangle.view, explanation, metrics=METRICS, truth=rectangle.mask)
    assert list(found) == list(METRICS)
    assert found["pointing-game"] == 1
    assert found["localisation-auc"] > 0.95
    assert found["seed-agreement"] == pytest.approx(1)
    # The model looks at one place, so that there is nothing to explain in the mirrored picture.
    assert [name for name, value in found.items() if not math.isfinite(value)] == ["consistency"]
    by_name = decam.measure(
        rectangle.classifier,
        rectangle.view,
        explanation.saliency,
        target=1,
        metrics=["adcc", "max-sensitivity"],
        method="occlusion",
        seed=3,
    )
    assert by_name == {name: found[name] for name in by_name}
    by_explanation = decam.measure(
        rectangle.classifier, rectangle.view, explanation.saliency, target=1, metrics=["adcc"], method=explanation
    )
    assert by_explanation == {"adcc": found["adcc"]}


@pytest.mark.slow
def test_fill_and_steps_go_to_the_metrics_that_have_them(rectangle: Rectangle) -> None:
    names = ["deletion", "deletion-correlation", "average-drop", "sparsity", "road"]
    given = {"steps": 7, "fill": "noise"}
    found = decam.measure(
        rectangle.classifier, rectangle.view, saliency(1, (96, 96)), target=1, metrics=names, steps=7, fill="noise"
    )
    asked = case(rectangle.classifier, rectangle.view, [saliency(1, (96, 96))])
    moved = Case(type(asked.question)(rectangle.classifier, asked.question.image, 1), asked.maps)
    for name in names:
        known = {parameter.name for parameter in METRICS[name].settings.parameters()}
        expected = run(moved, name, **{key: value for key, value in given.items() if key in known})
        assert found[name] == expected[0].value


def test_measure_says_what_is_wrong(rectangle: Rectangle) -> None:
    def measure(**given: object) -> None:
        decam.measure(rectangle.classifier, rectangle.view, saliency(1, (96, 96)), target=1, **given)

    with pytest.raises(MethodError, match=r"There is no metric 'pointing'; .* Did you mean 'pointing-game'\?"):
        measure(metrics=["pointing"])
    with pytest.raises(SettingError, match=r"Energy inside needs the ground truth: a boolean mask"):
        measure(metrics=["energy-inside"])
    with pytest.raises(SettingError, match="Max-sensitivity makes each map again, and needs to know the method"):
        measure(metrics=["max-sensitivity"])
    with pytest.raises(SettingError, match=r"The truth has shape \(3, 3\), but rectangle sees images of \(96, 96\)"):
        measure(metrics=["iou"], truth=np.ones((3, 3), bool))
    with pytest.raises(SettingError, match="mask of booleans, not of uint8; give truth=mask > 0"):
        measure(metrics=["iou"], truth=np.ones((96, 96), np.uint8))
    with pytest.raises(SettingError, match="fill is 'pink'"):
        measure(metrics=["sparsity"], fill="pink")
    with pytest.raises(SettingError, match="steps is 1, but must lie between 2 and 500"):
        measure(metrics=["sparsity"], steps=1)
    with pytest.raises(MethodError, match="There is no method 'grad-cm'"):
        measure(metrics=["adcc"], method="grad-cm")
    with pytest.raises(MethodError, match="needs the model's"):
        measure(metrics=["adcc"], method="grad-cam")


@pytest.mark.slow
def test_many_maps_of_a_view_are_judged_in_one_call(rectangle: Rectangle) -> None:
    made = [
        last(explain_view(rectangle.classifier, rectangle.view, name, METHODS[name].settings(), 1, 4))
        for name in ("random", "centre", "edges")
    ]
    few = METRICS["deletion"].settings(fill="black", steps=9)
    usual = [Request(METRICS[name], METRICS[name].settings()) for name in ("deletion", "iou", "seed-agreement")]
    together = case_of(rectangle.classifier, rectangle.view, made, rectangle.mask, seed=1)
    found = last(evaluate(together, [usual[0], Request(METRICS["deletion"], few), *usual[1:]]))
    assert [len(each) for each in found] == [3] * 4
    for place, explanation in enumerate(made):
        alone = decam.measure(
            rectangle.classifier,
            rectangle.view,
            explanation,
            metrics=["deletion", "iou", "seed-agreement"],
            truth=rectangle.mask,
        )
        assert [found[0][place].value, found[2][place].value, found[3][place].value] == list(alone.values())
    assert found[1][0].curve is not None
    assert len(found[1][0].curve.shares) == 10
    assert found[3][0].value < 0.5 < found[3][1].value


def test_explanations_of_two_classes_are_not_judged_together(rectangle: Rectangle) -> None:
    made = [explain(rectangle.classifier, rectangle.view, "centre", target=target) for target in (0, 1)]
    for explanations, named in ((made, r"\['hidden', 'visible'\]"), ([], "none")):
        with pytest.raises(SettingError, match=f"of one class are measured together, but these are of {named}"):
            case_of(rectangle.classifier, rectangle.view, explanations)


def test_the_tutorials_settings_are_bounded_at_196_steps() -> None:
    assert DeletionSettings().steps == InsertionSettings().steps == 14 * 14
    image = torch.rand(3, *SIZE)
    assert torch.equal(fill(DeletionSettings().fill, image, (0.5,) * 3), torch.zeros_like(image))


def drawing(seed: int) -> Case:
    """Maps of LIME, which draws at random, judged with random numbers from `seed`."""
    row = METHODS["lime"]
    settings = row.settings(regions=5, budget=16, fill="black")
    origins = [Origin(lambda question, seed: row.run(question, settings, seed), seed + place) for place in range(2)]
    return case(bent(), view(), [signed(place) for place in range(2)], TRUTH, origins, seed=seed)


def made(name: str, seed: int) -> str:
    """A metric's measurements in full; their text, for NaN equals nothing."""
    row = METRICS[name]
    few = {"samples": 10} if "samples" in row.settings.__dataclass_fields__ else {}
    return repr(last(row.run(drawing(seed), row.settings.from_mapping(few))))


def states() -> tuple[object, ...]:
    """Of the generators that the whole process shares."""
    kind, key, *rest = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), kind, key.tobytes(), rest, random.getstate()


@pytest.mark.slow
def test_six_threads_give_the_values_that_each_metric_gives_alone() -> None:
    """Of all metrics that draw, found by two seeds that give two values; the process's generators are not touched."""
    before = states()
    alone = {name: made(name, 1) for name in METRICS}
    drawn = [name for name in METRICS if made(name, 2) != alone[name]]
    assert {"infidelity", "road", "max-sensitivity", "seed-agreement"} <= set(drawn)
    start = threading.Barrier(6)
    found: list[tuple[str, str]] = []

    def visit(first: int) -> None:
        start.wait()
        found.extend((name, made(name, 1)) for name in drawn[first:] + drawn[:first])

    threads = [threading.Thread(target=visit, args=(place % len(drawn),)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 * len(drawn)
    assert {name for name, value in found if value != alone[name]} == set()
    assert states() == before
