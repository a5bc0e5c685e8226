"""The supply of random numbers: ranges, growth of blocks, and going on from a saved state."""

import torch

from decam.evolution.random_blocks import AT_ONCE, Draws, Shape, Supply

SHAPE = Shape(targets=6, dimensions=3, pools=(6, 9), elites=2, entries=4, places=5, uniforms=2, crossover="bin")


def supply(seed: int = 0) -> Supply:
    return Supply(torch.Generator().manual_seed(seed), torch.float64, torch.device("cpu"))


def same(one: Draws, two: Draws) -> bool:
    flat = [[*draws[:3], *draws.chances.uniforms, *draws.chances[1:], torch.tensor(draws.turn)] for draws in (one, two)]
    return all(torch.equal(a, b) for a, b in zip(*flat, strict=True))


def test_every_number_lies_in_its_range_and_all_of_each_range_occur() -> None:
    source, own = supply(), torch.arange(6)
    drawn = [source.next(SHAPE) for _ in range(300)]
    for draws in drawn:
        first, second = draws.parents.view(2, 6)
        assert not bool(((first == own) | (second == own) | (first == second)).any())
        assert draws.levels.shape == (6, 3)
        assert torch.equal((draws.levels < 0).sum(1), torch.ones(6, dtype=torch.int64))
        assert [uniform.shape for uniform in draws.chances.uniforms] == [(6, 1), (6, 1)]
    assert {int(i) for draws in drawn for i in draws.parents.view(2, 6)[0]} == set(range(6))
    assert {int(i) for draws in drawn for i in draws.parents.view(2, 6)[1]} == set(range(9))
    assert {int(i) for draws in drawn for i in draws.elites} == {0, 1}
    assert {int(i) for draws in drawn for i in draws.chances.entries} == set(range(4))
    assert {draws.turn for draws in drawn} == set(range(5))


def test_no_generation_is_given_twice() -> None:
    source = supply()
    drawn = [source.next(SHAPE) for _ in range(40)]
    assert not any(same(one, two) for i, one in enumerate(drawn) for two in drawn[:i])


def test_blocks_grow_while_the_shape_stays_and_stay_within_their_limit() -> None:
    source, sizes = supply(), []
    wide = SHAPE._replace(dimensions=1000)
    for _ in range(30):
        source.next(wide)
        sizes.append(source.state()["generations"])
    assert sizes[0] == 1
    assert max(sizes) == AT_ONCE // 6000
    source.next(SHAPE)
    assert source.state()["generations"] == 1


def test_a_restored_supply_hands_out_the_same_numbers() -> None:
    generator = torch.Generator().manual_seed(4)
    source = Supply(generator, torch.float64, torch.device("cpu"))
    for _ in range(7):
        source.next(SHAPE)
    saved, copied = source.state(), torch.Generator()
    copied.set_state(generator.get_state())
    other = Supply(copied, torch.float64, torch.device("cpu"))
    other.restore(saved)
    assert all(same(source.next(SHAPE), other.next(SHAPE)) for _ in range(60))
