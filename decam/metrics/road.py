"""ROAD: pixels removed so that what is left does not show where they were (remove and debias)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from decam.explanation import Progress
from decam.masking import MaskedQueries
from decam.metrics.base import Axes, Case, Curve, Measuring, Metric
from decam.metrics.curves import counted
from decam.metrics.scales import Values
from decam.settings import Settings, parameter

_BESIDE, _ACROSS = 1 / 6, 1 / 12  # weights of the neighbours, which add up to one
_NEIGHBOURS = tuple(
    (down, right, _BESIDE if down == 0 or right == 0 else _ACROSS)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if (down, right) != (0, 0)
)

_UNDIVIDED = 16  # pixels of a block whose order no longer matters


@dataclass(frozen=True)
class RoadSettings(Settings):
    """How much is removed, and how noisy what replaces it is."""

    levels: int = parameter(
        9, "Number of shares removed, evenly between none and all: 9 are 10, 20 … 90 %.", low=1, high=50
    )
    noise: float = parameter(
        0.01, "Standard deviation of the noise on imputed pixels, where white is 1.", low=0.0, high=0.5, step=0.01
    )


def road(case: Case, settings: RoadSettings) -> Measuring:
    """Half the difference of the mean probabilities with the least and with the most salient pixels removed.

    Rong et al. (2022): removed pixels become weighted means of their neighbours (noisy linear imputation) with noise
    from the case's seed, at the paper's 10 to 90 %. The paper draws both orders as curves; as in pytorch-grad-cam, the
    value is (LeRF − MoRF) / 2, the mean of the curve. Only the order of the signed values counts, ties in the order of
    reading. In [−0.5, 0.5], higher is better.
    """
    progress = counted(case.question, cost(settings, len(case.maps)))
    queries = MaskedQueries(case.question, case.question.image)
    values, curves = [], []
    shares = np.linspace(0, 1, settings.levels + 2, dtype=np.float32)[1:-1]
    for place in range(len(case.maps)):
        most = yield from _answers(case, queries, settings, place, progress)
        least = yield from _answers(case, queries, settings, place, progress, least=True)
        values.append((least.mean() - most.mean()) / 2)
        curves.append(Curve(shares, ((least - most) / 2).astype(np.float32)))
    return case.measured("road", values, curves=curves)


def answers(
    case: Case, settings: RoadSettings, place: int, *, least: bool = False
) -> Generator[Progress, None, Values]:
    """The target's probability at each level, with the most (or least) salient pixels of map `place` imputed."""
    queries = MaskedQueries(case.question, case.question.image)
    progress = counted(case.question, settings.levels)
    return (yield from _answers(case, queries, settings, place, progress, least=least))


def pictures(case: Case, settings: RoadSettings, place: int, *, least: bool = False) -> Iterator[torch.Tensor]:
    """The very pictures (3×H×W in [0, 1]) that the model sees, a level after the other."""
    image = case.question.image.cpu().double().numpy()
    generator = np.random.default_rng(case.seed)
    order = np.argsort(-case.values[place].ravel(), kind="stable")[:: -1 if least else 1]
    for level in range(1, settings.levels + 1):
        hidden = np.zeros(order.size, bool)
        count = min(round(level / (settings.levels + 1) * order.size), order.size - 1)
        hidden[order[:count]] = True
        filled = imputed(image, hidden.reshape(image.shape[1:]), settings.noise, generator)
        yield torch.from_numpy(filled.astype(np.float32)).to(case.question.image)


def _answers(
    case: Case,
    queries: MaskedQueries,
    settings: RoadSettings,
    place: int,
    progress: Callable[[], Progress],
    *,
    least: bool = False,
) -> Generator[Progress, None, Values]:
    """As `answers`, asked once a case."""

    def asked() -> Generator[Progress, None, Values]:
        found = []
        waiting: list[torch.Tensor] = []
        for level, picture in enumerate(pictures(case, settings, place, least=least), start=1):
            waiting.append(picture)
            if len(waiting) == queries.round_size or level == settings.levels:
                found.append(queries.pictures(torch.stack(waiting))[:, case.question.target].cpu().double())
                waiting = []
            yield progress()
        return torch.cat(found).numpy()

    return (yield from case.once(("road", settings, place, least), asked))


def imputed(image: Values, hidden: NDArray[np.bool_], noise: float, generator: np.random.Generator) -> Values:
    """The image (3×H×W) with hidden pixels (H×W) at the weighted mean of their neighbours, noise added, in [0, 1].

    Neighbours beside a pixel weigh a sixth, those across a twelfth, fewer at the edge; hidden ones are unknowns of one
    linear system. At least one pixel must be visible.
    """
    if not hidden.any():
        return image.copy()
    number = _numbered(hidden)
    matrix, right = _system(image, hidden, number)
    # The matrix is symmetric and positive definite: no pivots are needed, and few entries are filled in in this order.
    options = {"SymmetricMode": True}
    solved = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=options).solve(right)
    filled = image.copy()
    noisy = solved[number[hidden]] + noise * generator.standard_normal(solved.shape)
    filled[:, hidden] = noisy.T
    return filled.clip(0, 1)


def _numbered(hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of each hidden pixel among the unknowns."""
    order = _dissection(*hidden.shape)
    number = np.zeros(hidden.size, np.int64)
    unknown = order[hidden.ravel()[order]]
    number[unknown] = np.arange(len(unknown))
    return number.reshape(hidden.shape)


@lru_cache(maxsize=4)
def _dissection(height: int, width: int) -> NDArray[np.int64]:
    """All pixels, each half of the picture before the line that parts them, and so on within the halves.

    Nested dissection (George 1973), in which elimination fills in fewest entries on a grid.
    """

    def dissect(grid: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        if grid.size <= _UNDIVIDED:
            return [grid.ravel()]
        if len(grid) < len(grid.T):
            grid = grid.T
        middle = len(grid) // 2
        return [*dissect(grid[:middle]), *dissect(grid[middle + 1 :]), grid[middle]]

    return np.concatenate(dissect(np.arange(height * width).reshape(height, width)))


def _system(image: Values, hidden: NDArray[np.bool_], number: NDArray[np.int64]) -> tuple[csc_matrix, Values]:
    """The linear system of the hidden pixels in the order of their numbers: N×N, and its right side, N×3."""
    height, width = hidden.shape
    rows, columns = np.nonzero(hidden)
    own = number[hidden]
    weights = np.zeros(len(rows))
    sums = np.zeros((len(rows), image.shape[0]))
    entries = []
    for down, right, weight in _NEIGHBOURS:
        y, x = rows + down, columns + right
        within = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        weights += weight * within
        y, x, place = y[within], x[within], own[within]
        blank = hidden[y, x]
        sums[place[~blank]] += weight * image[:, y[~blank], x[~blank]].T
        entries.append((place[blank], number[y[blank], x[blank]], np.full(int(blank.sum()), -weight)))
    entries.append((own, own, weights))
    firsts, seconds, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    return csc_matrix((values, (firsts, seconds)), shape=(len(rows), len(rows))), sums


def cost(settings: RoadSettings, maps: int) -> int:
    """Every level in both orders."""
    return 2 * settings.levels * maps


ROAD = Metric(
    name="road",
    title="ROAD",
    family="faithfulness",
    summary="How much lower the probability is without the most than without the least salient pixels. Removed pixels "
    "are imputed from their neighbours; higher is better.",
    reference="Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods (2022)",
    url="https://arxiv.org/abs/2202.00449",
    formula=r"\frac{1}{2K} \sum_{k=1}^{K} \left(f_c(x_k^{\mathrm{LeRF}}) - f_c(x_k^{\mathrm{MoRF}})\right)",
    direction=1,
    low=-0.5,
    high=0.5,
    weaknesses="Sees only the order of the pixels; imputation hides the hole but paints a plausible image, in which "
    "small removed parts are put back.",
    settings=RoadSettings,
    run=road,
    evaluations=cost,
    axes=Axes("Share of the image removed", "Half of what the order changes", -0.5, 0.5),
)
