"""The standard functions against plain Python and against what is known of their minima."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen

from decam.errors import SettingError
from decam.evolution.problems import LANDSCAPES


def slow_levy(x: list[float]) -> float:
    w = [1 + (value - 1) / 4 for value in x]
    middle = sum((value - 1) ** 2 * (1 + 10 * math.sin(math.pi * value + 1) ** 2) for value in w[:-1])
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return math.sin(math.pi * w[0]) ** 2 + middle + last


def slow_ackley(x: list[float]) -> float:
    squares, waves = sum(v * v for v in x) / len(x), sum(math.cos(2 * math.pi * v) for v in x) / len(x)
    return -20 * math.exp(-0.2 * math.sqrt(squares)) - math.exp(waves) + 20 + math.e


def slow_zakharov(x: list[float]) -> float:
    slope = sum(0.5 * (i + 1) * v for i, v in enumerate(x))
    return sum(v * v for v in x) + slope**2 + slope**4


SLOW = {
    "sphere": lambda x: sum(v * v for v in x),
    "rosenbrock": lambda x: float(rosen(x)),
    "rastrigin": lambda x: 10 * len(x) + sum(v * v - 10 * math.cos(2 * math.pi * v) for v in x),
    "ackley": slow_ackley,
    "griewank": lambda x: (
        1 + sum(v * v for v in x) / 4000 - math.prod(math.cos(v / math.sqrt(i + 1)) for i, v in enumerate(x))
    ),
    "schwefel": lambda x: 418.9828872724339 * len(x) - sum(v * math.sin(math.sqrt(abs(v))) for v in x),
    "zakharov": slow_zakharov,
    "levy": slow_levy,
    "step": lambda x: float(sum(math.floor(v + 0.5) ** 2 for v in x)),
    "ellipsoid": lambda x: sum(10 ** (6 * i / max(1, len(x) - 1)) * v * v for i, v in enumerate(x)),
    "himmelblau": lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
}


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("dimensions", [1, 2, 7])
def test_a_landscape_has_the_values_of_its_definition(name: str, dimensions: int) -> None:
    landscape = LANDSCAPES[name]
    dimensions = landscape.dimensions or dimensions
    draws = torch.rand(6, dimensions, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    vectors = landscape.low + (landscape.high - landscape.low) * draws
    expected = [SLOW[name](row) for row in vectors.tolist()]
    np.testing.assert_allclose(landscape(vectors).numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_minimum_is_where_and_what_the_table_says_and_a_descent_from_beside_it_returns(name: str) -> None:
    landscape = LANDSCAPES[name]
    for place in landscape.minimisers(landscape.dimensions or 4):
        assert abs(float(landscape(place.unsqueeze(0))) - landscape.lowest) < 1e-9
        assert landscape.low <= float(place.min())
        assert float(place.max()) <= landscape.high
        if name != "step":
            found = minimize(
                lambda x: float(landscape(torch.from_numpy(x).unsqueeze(0))), place.numpy() + 0.01, tol=1e-12
            )
            np.testing.assert_allclose(found.x, place.numpy(), atol=2e-3)
            assert found.fun >= landscape.lowest - 1e-9


@pytest.mark.parametrize("name", LANDSCAPES)
def test_nothing_in_the_box_lies_below_the_minimum(name: str) -> None:
    landscape = LANDSCAPES[name]
    draws = torch.rand(5000, landscape.dimensions or 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    vectors = landscape.low + (landscape.high - landscape.low) * draws
    assert float(landscape(vectors).min()) > landscape.lowest - 1e-9


def test_himmelblaus_four_minima_are_four() -> None:
    places = LANDSCAPES["himmelblau"].minimisers(2)
    assert places.shape == (4, 2)
    assert float(torch.pdist(places).min()) > 3


def test_the_step_function_is_flat_within_a_terrace() -> None:
    vectors = torch.tensor([[0.49, -0.5], [0.0, 0.0], [0.51, 0.0]])
    assert LANDSCAPES["step"](vectors).tolist() == [0.0, 0.0, 1.0]


def test_a_number_of_dimensions_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="2 dimensions only, not in 3"):
        LANDSCAPES["himmelblau"](torch.zeros(4, 3))
    with pytest.raises(SettingError, match="2 dimensions only, not in 5"):
        LANDSCAPES["himmelblau"].minimisers(5)


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (2, 0)])
def test_vectors_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="N×D"):
        LANDSCAPES["sphere"](torch.zeros(shape))
