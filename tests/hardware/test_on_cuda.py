"""On a GPU of NVIDIA's: recorded graphs, precisions and halving as they really are. Skipped where there is none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier
from decam.explanation import Question
from decam.masking import MaskedQueries
from decam.models import load_classifier
from decam.models.tuning import trial

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

SIZE = (32, 32)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)
    )


def on(device: str, execution: Execution | None = None) -> TorchClassifier:
    return TorchClassifier("net", network(), list("abcde"), input_size=SIZE, device=device, execution=execution)


def pictures(count: int) -> Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def answers(classifier: TorchClassifier, count: int) -> Tensor:
    return classifier.answer(classifier.normalise(pictures(count))).cpu()


def test_a_recorded_graph_answers_as_the_module_and_the_processor_do() -> None:
    graph = on("cuda", Execution(batch_size=8, engine="cuda-graph"))
    for count in (8, 3, 1, 11):
        torch.testing.assert_close(answers(graph, count), answers(on("cpu"), count), atol=1e-5, rtol=1e-4)
    assert graph.engine_note == "" and "cuda-graph" in graph._engines._prepared


def test_another_precision_or_layout_is_recorded_anew() -> None:
    graph = on("cuda", Execution(batch_size=8, engine="cuda-graph"))
    expected = answers(graph, 8)
    for precision in ("bfloat16", "float16"):
        for last in (False, True):
            graph.configure(Execution(precision, last, 8, engine="cuda-graph"))
            found = answers(graph, 8)
            assert not torch.equal(found, expected)
            torch.testing.assert_close(found, expected, atol=0.02, rtol=0.05)


def test_the_same_questions_get_the_same_bits() -> None:
    for engine in ("eager", "cuda-graph"):
        one, other = (on("cuda", Execution("bfloat16", True, 8, engine=engine)) for _ in range(2))
        assert torch.equal(answers(one, 8), answers(other, 8))


def test_an_engine_for_processors_leaves_a_gpu_to_pytorch() -> None:
    classifier = on("cuda", Execution(batch_size=4, engine="openvino"))
    torch.testing.assert_close(answers(classifier, 4), answers(on("cpu"), 4), atol=1e-5, rtol=1e-4)
    assert "it does not run on cuda" in classifier.engine_note


def test_a_batch_that_a_gpu_cannot_hold_is_halved() -> None:
    class Greedy(nn.Module):
        """Takes a share of the GPU's memory for each picture."""

        def forward(self, images: Tensor) -> Tensor:
            free, _ = torch.cuda.mem_get_info()
            torch.empty(len(images), free // 5, dtype=torch.uint8, device=images.device)
            return images.mean((2, 3))

    execution = Execution(batch_size=8)
    classifier = TorchClassifier("greedy", Greedy(), list("abc"), input_size=SIZE, device="cuda", execution=execution)
    image = pictures(1)[0].cuda()
    question = Question(classifier, image, 0)
    found = torch.cat(list(MaskedQueries(question, torch.zeros_like(image)).batches(torch.rand(16, 1, *SIZE))))
    assert len(found) == question.ledger.evaluations == 16
    assert "Memory ran short, so the batch was halved to 4 and tried again." in question.ledger.notes


@pytest.mark.slow
def test_the_trial_finds_a_way_of_asking_the_bundled_model() -> None:
    classifier = load_classifier("embedded", device="cuda", exact=True)
    found = trial.find(classifier)
    classifier.configure(found)
    assert found.engine in ("eager", "cuda-graph") and found.batch_size > 1
    if found.precision != "float32":
        assert "rank correlation" in found.note
