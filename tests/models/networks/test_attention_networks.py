"""What each attention model computes, beside the slow plain words of its paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.images.scenes.scene import scene
from decam.models.networks.abn import AttentionBranchNetwork
from decam.models.networks.bcnn import PARTS, BilinearNetwork, Parts
from decam.models.networks.blocks import INPUT_SIZE, Trunk, start_from
from decam.models.networks.embedded import Embedded
from decam.models.networks.prototypes import COUNT, EACH, PrototypeNetwork
from decam.models.sources.bundled import BUNDLED
from decam.training.fitting import normalised


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, *INPUT_SIZE, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_abn_answers_from_features_times_one_plus_attention(images: torch.Tensor) -> None:
    torch.manual_seed(1)
    model = AttentionBranchNetwork().eval()
    features = model.trunk.blocks[1](model.trunk.blocks[0](model.trunk.stem(images)))
    branch = model.branch.block(features)
    scores = torch.einsum("kc,nchw->nkhw", model.branch.classes.weight[:, :, 0, 0], branch)
    scores = scores + model.branch.classes.bias[:, None, None]
    mixed = (scores * model.mix.weight[0]).sum(1, keepdim=True) + model.mix.bias
    attention = 1 / (1 + torch.exp(-mixed))
    assert attention.shape == (2, 1, 16, 16)
    seen = model.trunk.blocks[3](model.trunk.blocks[2](features + attention * features)).mean((2, 3))
    answer, early = model.both(images)
    torch.testing.assert_close(answer, F.linear(seen, model.head.weight, model.head.bias), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(early, scores.mean((2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model(images), answer)


def plain_parts(features: np.ndarray) -> np.ndarray:
    """One picture's maps by loops over places: C×h×w to K×h×w."""
    channels, height, width = features.shape
    vectors = [features[:, y, x].astype(np.float64) for y in range(height) for x in range(width)]
    norms = [float(np.sqrt((vector**2).sum())) for vector in vectors]
    strength = [norm / max(norms) for norm in norms]
    left = list(strength)
    maps = []
    for _ in range(PARTS):
        speaker = left.index(max(left))
        part = []
        for place, vector in enumerate(vectors):
            lengths = max(norms[place], 1e-12) * max(norms[speaker], 1e-12)
            cosine = float(vector @ vectors[speaker]) / lengths
            alike = math.exp(10 * (cosine - 1))
            part.append(strength[place] * alike)
            left[place] *= 1 - alike
        maps.append(np.reshape(part, (height, width)))
    assert channels
    return np.stack(maps)


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_parts_are_what_loops_over_places_find(seed: int) -> None:
    features = torch.rand(2, 6, 4, 5, generator=torch.Generator().manual_seed(seed))
    maps = Parts()(features)
    assert maps.shape == (2, PARTS, 4, 5)
    assert maps.min() >= 0 and maps.max() <= 1 + 1e-6
    for found, given_ in zip(maps, features, strict=True):
        np.testing.assert_allclose(found.numpy(), plain_parts(given_.numpy()), atol=1e-4)


@torch.inference_mode()
def test_each_part_of_bcnn_is_the_mean_of_features_under_its_map(images: torch.Tensor) -> None:
    torch.manual_seed(2)
    model = BilinearNetwork().eval()
    features = model.trunk(images)
    assert features.shape[2:] == (16, 16)
    pooled = [
        (features * part[:, None]).sum((2, 3)) / part.sum((1, 2))[:, None]
        for part in model.attention(features).unbind(1)
    ]
    torch.testing.assert_close(model(images), model.head(torch.cat(pooled, 1)), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_prototypes_answer_with_their_best_places(images: torch.Tensor) -> None:
    torch.manual_seed(3)
    model = PrototypeNetwork().eval()
    features = model.features(images)
    best = torch.full((2, COUNT), -2.0)
    for row in range(8):
        for column in range(8):
            cosine = F.cosine_similarity(features[:, None, :, row, column], model.similarity.prototypes[None], dim=2)
            best = torch.maximum(best, cosine)
    torch.testing.assert_close(model(images), 10 * best @ model.head.weight.T, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.contributions(best).sum(2), model(images), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@torch.inference_mode()
def test_every_prototype_is_the_place_of_the_scene_that_it_names() -> None:
    model = BUNDLED["prototypes"].weights.load()
    assert isinstance(model, PrototypeNetwork)
    assert len(set(model.seeds.tolist())) == COUNT
    drawn = [scene(seed) for seed in model.seeds.tolist()]
    assert [one.label for one in drawn] == [prototype // EACH for prototype in range(COUNT)]
    found = model.similarities(normalised(torch.from_numpy(np.stack([one.image for one in drawn]))))
    for prototype in range(COUNT):
        own = found[prototype, prototype]
        row, column = model.places[prototype].tolist()
        assert float(own[row, column]) == pytest.approx(1, abs=0.01)
        assert float(own[row, column]) == pytest.approx(float(own.max()), abs=0.01)


def test_a_trunk_starts_from_trained_blocks_whatever_its_strides_and_keeps_the_first() -> None:
    torch.manual_seed(4)
    trained = Embedded(fused=True)
    trunk = Trunk(strides=(1, 2, 1, 1))
    start_from(trunk, trained, keep=2)
    for name, tensor in trunk.blocks[2].first.state_dict().items():
        assert torch.equal(tensor, trained.blocks[2].first.state_dict()[name])
    assert [any(p.requires_grad for p in block.parameters()) for block in trunk.blocks] == [False, False, True, True]
    assert not any(p.requires_grad for p in trunk.stem.parameters())
    short = Trunk(strides=(1, 2, 2))
    start_from(short, trained)
    image = torch.randn(1, 3, *INPUT_SIZE)
    torch.testing.assert_close(short(image), trained.blocks[:3](trained.stem(image)))
