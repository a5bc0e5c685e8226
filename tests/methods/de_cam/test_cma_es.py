"""CMA-ES in DE-CAM: only the optimiser is another one, and it is that of `cma`."""

from __future__ import annotations

import cma
import numpy as np
import pytest
import torch
from torch import Tensor

import decam
from decam.methods import METHODS
from decam.methods.de_cam.cma_es import CmaEsSettings, CmaSearch
from decam.methods.de_cam.optimisers import Start
from decam.methods.de_cam.settings import DeCamSettings

SIZE, CELLS = 16, 9


def start(seed: int = 5) -> Start:
    """A first guess whose cells go together in pairs."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.eye(CELLS) + 0.5 * torch.randn(CELLS, CELLS, generator=generator)

    def draw(count: int) -> Tensor:
        return 2 + torch.randn(count, CELLS, generator=generator) @ mixing

    return Start(draw(SIZE), draw, seed, 0.2)


def distance(vectors: Tensor) -> Tensor:
    """A fitness that is best at 3 everywhere."""
    return -(vectors - 3).square().sum(1)


def test_the_first_population_is_the_starts() -> None:
    begun = start()
    assert torch.equal(CmaSearch(begun).ask(), begun.first)


def test_without_screening_it_is_the_library_run_by_hand_in_the_guesss_own_coordinates() -> None:
    begun = start()
    search = CmaSearch(begun)
    drawn = start().draw(1000).double()  # the same numbers as the search studies
    mean, factor = drawn.mean(0), np.linalg.cholesky(np.cov(drawn.numpy().T))
    random = np.random.default_rng(5)
    plain = cma.CMAEvolutionStrategy(
        np.zeros(CELLS), 1.0, {"popsize": SIZE, "randn": lambda *shape: random.standard_normal(shape), "verbose": -9}
    )
    plain.ask()
    codes = list(np.linalg.solve(factor, (begun.first.double() - mean).numpy().T).T)
    asked = begun.first
    for _ in range(5):
        np.testing.assert_allclose(search.ask(), asked, atol=1e-4)
        search.tell(distance(search.ask()))
        plain.tell(codes, (-distance(asked).double()).tolist())
        codes = plain.ask()
        asked = (mean + torch.from_numpy(np.stack(codes) @ factor.T)).float()


def test_screening_takes_the_best_expected_of_each_places_candidates() -> None:
    plain, screened = CmaSearch(start()), CmaSearch(start())
    for search in (plain, screened):
        search.ask()
        search.tell(distance(search.population))
    seen: list[Tensor] = []

    def screen(vectors: Tensor) -> Tensor:
        seen.append(vectors)
        return distance(vectors)

    asked = screened.ask(screen, 4)
    (candidates,) = seen
    for place in range(SIZE):
        rivals = candidates[place::SIZE]
        assert torch.equal(asked[place], rivals[distance(rivals).argmax()])


def test_it_climbs_and_says_which_is_best() -> None:
    search = CmaSearch(start())
    for _ in range(60):
        generation = search.tell(distance(search.ask()))
    assert generation.best > -0.05
    assert float(distance(search.population)[search.best]) == pytest.approx(generation.best)
    assert generation.accepted.all()


def test_the_process_generators_are_left_alone() -> None:
    np.random.seed(0)
    torch.manual_seed(0)
    search = CmaSearch(start())
    for _ in range(3):
        search.tell(distance(search.ask()))
    drawn = np.random.random(), torch.rand(1)
    np.random.seed(0)
    torch.manual_seed(0)
    assert drawn == (np.random.random(), torch.rand(1))


def test_settings_and_cost_are_de_cams() -> None:
    own = {one.name: (one.default, one.low, one.high, one.choices) for one in CmaEsSettings.parameters()}
    of_de_cam = {one.name: (one.default, one.low, one.high, one.choices) for one in DeCamSettings.parameters()}
    assert own == {name: of_de_cam[name] for name in own}
    assert set(of_de_cam) - set(own) == {"variant", "greediness"}
    chosen = CmaEsSettings(budget=777, population=12, screening=3)
    assert chosen.of_de_cam() == DeCamSettings(budget=777, population=12, screening=3)


@pytest.mark.slow
def test_the_first_generation_asks_what_de_cams_asks(rectangle) -> None:
    def curves(method: str) -> list[dict[str, float]]:
        settings = METHODS[method].settings(budget=400)
        steps = decam.explain_steps(
            rectangle.classifier, rectangle.view, method, target=rectangle.target, seed=4, **settings.to_mapping()
        )
        return [dict(event.curves) for event in steps if event.curves]

    ours, theirs = curves("cma-es"), curves("de-cam")
    assert len(ours) == len(theirs) > 2
    assert ours[0] == theirs[0]
    assert ours[1] != theirs[1]
