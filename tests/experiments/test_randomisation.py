"""The sanity check: what forgets, what is compared, and that the model is left as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import decam
from decam.api import sanity_check
from decam.classifier import Speed, TorchClassifier
from decam.errors import MethodError, SettingError
from decam.experiments.explain import explain_view
from decam.experiments.plan import MethodChoice
from decam.experiments.randomisation import MODES, random_labels, sanity
from decam.experiments.randomisation_result import Begun, Failed, Original, Sanity, Working
from decam.explanation import Question, last
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.metrics.similarity import SIMILARITIES, get
from decam.models.randomise import layers, randomised, stages

MODE = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def small() -> TorchClassifier:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )
    return TorchClassifier(
        "small", module, list("abcd"), input_size=(40, 40), layer="3", layers=("1", "3"), speed=Speed(batch_size=8)
    )


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def choices(*names: str) -> list[MethodChoice]:
    return [MethodChoice.default(name) for name in names]


def run(steps) -> tuple[list, Sanity]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@MODE
@pytest.mark.slow
def test_each_map_is_the_methods_own_on_a_model_that_forgot_these_layers(mode, small, view) -> None:
    _, found = run(sanity(small, view, choices("gradient", "occlusion"), 2, 5, mode))
    assert [variant.name for variant in found.variants] == ["6", "2", "0"]
    forgotten = {"cascading": [{"6"}, {"6", "2"}, {"6", "2", "0"}], "independent": [{"6"}, {"2"}, {"0"}]}[mode]
    total = sum(weight.numel() for weight in small.module.parameters())
    assert len(found.compared) == 6 and not found.failures
    for one in found.compared:
        chosen = forgotten[one.variant]
        model = small.around(randomised(small.module, chosen, 5))
        choice = choices("gradient", "occlusion")[one.method]
        expected = last(explain_view(model, view, choice.name, choice.settings, 2, 5))
        np.testing.assert_array_equal(one.explanation.saliency, expected.saliency)
        assert one.explanation.probability == expected.probability
        count = sum(w.numel() for name in chosen for w in small.module.get_submodule(name).parameters())
        assert found.variants[one.variant].share == pytest.approx(count / total)
        original = found.originals[one.method].explanation.saliency
        for measure in SIMILARITIES:
            for absolute, values in ((False, one.likeness.plain), (True, one.likeness.absolute)):
                expected_value = get(measure).between(original, expected.saliency, absolute=absolute)
                np.testing.assert_allclose(values[measure], expected_value, atol=1e-9)


@MODE
def test_the_model_is_bit_for_bit_what_it_was_and_lies_where_it_lay(mode, small, view) -> None:
    small.use(Speed(channels_last=True))
    before = [(part.clone(), part.data_ptr(), part.stride()) for part in small.module.parameters()]
    run(sanity(small, view, choices("grad-cam", "guided-backprop"), 1, 0, mode))
    for (value, place, stride), part in zip(before, small.module.parameters(), strict=True):
        assert torch.equal(value, part) and (place, stride) == (part.data_ptr(), part.stride())
        assert not part.requires_grad


@MODE
def test_methods_that_ignore_the_model_are_the_same_throughout(mode, small, view) -> None:
    found = sanity_check(small, view, ["edges", "centre"], mode=mode)
    rows = [row for row in found.to_rows() if row.share > 0]
    assert len(rows) == 2 * 3 * len(SIMILARITIES) * 2
    assert all(row.similarity == pytest.approx(1) for row in rows if not math.isnan(row.similarity))
    assert sum(math.isnan(row.similarity) for row in rows) == 0


@pytest.mark.slow
def test_the_order_of_events_lets_a_page_draw_as_they_come(small, view) -> None:
    events, found = run(sanity(small, view, choices("gradient", "rise"), None, 0))
    assert isinstance(events[0], Begun) and events[0].methods == ("Gradient", "RISE")
    assert events[0].label == small.labels[events[0].target] == found.label
    main = [event for event in events[1:] if not isinstance(event, Working)]
    assert [(type(event), event.method) for event in main[:2]] == [(Original, 0), (Original, 1)]
    assert [(event.variant, event.method) for event in main[2:]] == [(v, m) for v in range(3) for m in range(2)]
    working = [event for event in events if isinstance(event, Working)]
    assert [event.done for event in working] == sorted(event.done for event in working)
    assert {event.total for event in working} == {8} and max(event.done for event in working) == 7
    rebuilt = Sanity()
    for event in events:
        rebuilt = rebuilt.after(event)
    assert rebuilt == found


def test_what_fails_is_told_in_a_sentence_and_the_others_go_on(small, view, monkeypatch) -> None:
    honest = METHODS["gradient"].run

    def moody(question: Question, settings: object, seed: int):
        if not torch.equal(question.classifier.module[2].weight, small.module[2].weight):
            raise SettingError("This layer is not what it was.")
        return (yield from honest(question, settings, seed))

    monkeypatch.setitem(METHODS, "gradient", decam.methods.Method(**{**vars(METHODS["gradient"]), "run": moody}))
    _, found = run(sanity(small, view, choices("gradient", "centre"), 0, 0, "independent"))
    assert found.failures == (Failed(0, 1, "This layer is not what it was."),)
    assert [(one.method, one.variant) for one in found.compared] == [(0, 0), (1, 0), (1, 1), (0, 2), (1, 2)]


def test_a_method_that_cannot_explain_the_original_is_left_out(small, view) -> None:
    small.gives = frozenset({"output"})
    events, found = run(sanity(small, view, choices("grad-cam", "centre"), 0, 0))
    (failure,) = found.failures
    assert (failure.method, failure.variant) == (0, None) and "Grad-CAM needs" in failure.sentence
    assert {one.method for one in found.compared} == {1}
    assert [event.total for event in events if isinstance(event, Working)] == []


def test_closing_ends_the_check_and_leaves_the_model(small, view) -> None:
    before = [part.clone() for part in small.module.parameters()]
    steps = sanity(small, view, choices("rise"), 0, 0)
    for event in steps:
        if isinstance(event, Working) and event.variant == 1:
            break
    steps.close()
    assert all(torch.equal(one, part) for one, part in zip(before, small.module.parameters(), strict=True))
    with pytest.raises(StopIteration):
        next(steps)


def test_random_labels_compare_with_the_other_models_map(small, view) -> None:
    other = small.around(randomised(small.module, layers(small.module), 3))
    _, found = run(random_labels(small, other, view, choices("gradient"), 1, 0))
    (one,) = found.compared
    expected = last(explain_view(other, view, "gradient", choices("gradient")[0].settings, 1, 0))
    np.testing.assert_array_equal(one.explanation.saliency, expected.saliency)
    assert [variant.name for variant in found.variants] == ["shuffled labels"]
    again = sanity_check(small, view, ["gradient"], target=1, shuffled=other)
    np.testing.assert_array_equal(again.compared[0].explanation.saliency, expected.saliency)


def test_the_floor_is_the_similarity_with_maps_that_know_nothing(small, view) -> None:
    (original,) = sanity_check(small, view, ["centre"]).originals
    assert [floor.control for floor in original.floor] == ["Random map", "Centre Gaussian", "Edge detector"]
    assert original.floor[1].likeness.plain["spearman"] == pytest.approx(1)
    draws = [decam.explain(small, view, "random", seed=seed).saliency for seed in range(5)]
    expected = np.mean([get("ssim").between(original.explanation.saliency, drawn) for drawn in draws])
    assert original.floor[0].likeness.plain["ssim"] == pytest.approx(expected)


def test_rows_name_method_stage_measure_and_what_was_compared(small, view) -> None:
    rows = sanity_check(small, view, ["gradient"], target=0).to_rows()
    assert len(rows) == (3 + 3) * len(SIMILARITIES) * 2
    assert {row.stage for row in rows} == {"Random map", "Centre Gaussian", "Edge detector", "6", "2", "0"}
    assert {(row.measure, row.values) for row in rows} == {(m, v) for m in SIMILARITIES for v in ("signed", "absolute")}
    assert all(math.isnan(row.share) != (row.stage in {"6", "2", "0"}) for row in rows)


def test_bad_requests_are_refused_with_a_sentence(small, view, rectangle) -> None:
    with pytest.raises(SettingError, match="no sanity check 'sideways'; there are: cascading, independent"):
        sanity_check(small, view, mode="sideways")
    with pytest.raises(MethodError, match="PyTorch model, and rectangle is none"):
        sanity_check(rectangle.classifier, view, ["occlusion"])
    with pytest.raises(SettingError, match="at least one method"):
        sanity_check(small, view, [])
    with pytest.raises(SettingError, match="Class 9 does not exist"):
        next(sanity(small, view, choices("gradient"), 9))
    with pytest.raises(SettingError, match="does not see and name the same pictures as small"):
        other = TorchClassifier("other", small.module, list("abc"), input_size=(40, 40))
        sanity_check(small, view, ["gradient"], shuffled=other)


@pytest.mark.slow
def test_guided_backpropagation_changes_less_than_the_gradient_when_the_head_forgets(embedded) -> None:
    """A known failure of the method (Adebayo et al. 2018, figure 2)."""
    kept = {"Guided backpropagation": [], "Gradient": []}
    for seed in range(2):
        found = sanity_check(embedded, scene(500 + seed).image, ["guided-backprop", "gradient"], seed=seed)
        assert not found.failures
        for row in found.to_rows():
            if (row.stage, row.measure, row.values) == ("head", "spearman", "absolute"):
                kept[row.method].append(row.similarity)
    assert min(kept["Guided backpropagation"]) > 0.9 > max(kept["Gradient"])


def test_the_stages_of_the_embedded_model_are_its_blocks(embedded) -> None:
    pieces = stages(embedded.module, embedded.input_size)
    assert [piece.name for piece in pieces] == ["head", "blocks.3", "blocks.2", "blocks.1", "blocks.0", "stem"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", ["fc", "layer4", "layer3", "layer2", "layer1", "conv1"]),
        (
            "squeezenet1_0",
            ["classifier", "features.12", "features.9 … 10", "features.7 … 8", "features.3 … 5", "features.0"],
        ),
    ],
)
def test_stages_of_a_large_network_go_by_resolution_and_hold_every_weight_once(name: str, expected: list[str]) -> None:
    from torchvision.models import get_model

    with torch.device("meta"):
        module = get_model(name).eval()
    pieces = stages(module, (224, 224))
    assert [piece.name for piece in pieces] == expected
    assert sorted(layer for piece in pieces for layer in piece.layers) == sorted(layers(module))
    assert sum(piece.weights for piece in pieces) == sum(weight.numel() for weight in module.parameters())
