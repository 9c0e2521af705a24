import numpy as np
import pytest
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import assert_close, random_array, run_kernel

PLACES = [(0, 0), (0, 1), (1, 0), (1, 1)]
CODE = VectorCode(4)


def emit(body, results: int = 1):
    """A function of (data, output) that allocates a tile of two filters."""

    def emitted(data, output) -> None:
        with T.serial(1):
            body(
                Tile.allocate(CODE, PLACES, group=2, weights=3, inputs=1, waiting_groups=2),
                data,
                output,
            )

    return prim_func([("data", (64,), "float32"), ("output", (results,), "float32")], emitted)


def run(body, results: int) -> tuple[np.ndarray, np.ndarray]:
    data = random_array(64)
    return data.reshape(-1, 4), run_kernel(emit(body, results), [data], (results,)).reshape(-1, 4)


def store_all(tile: Tile, output) -> None:
    registers = [register for sums in tile.sums for register in sums.values()]
    for i, register in enumerate(registers):
        CODE.store(output, CODE.get(register), i * 4)


def test_there_is_a_sum_for_each_filter_and_place():
    tiles: list[Tile] = []
    emit(lambda tile, *_: tiles.append(tile))
    (tile,) = tiles
    assert tile.places == PLACES
    assert [list(sums) for sums in tile.sums] == [PLACES, PLACES]
    assert (len(tile.weights), len(tile.inputs)) == (3, 1)
    assert [int(extent) for extent in tile.memory.shape] == [2 * 2 * 4 * 4]


def test_memory_is_taken_only_where_sums_wait():
    def body(output) -> None:
        assert Tile.allocate(CODE, PLACES, group=1, weights=1, inputs=1).memory is None

    prim_func([("output", (1,), "float32")], body)


def test_a_part_has_the_same_registers_for_fewer_places():
    tiles: list[Tile] = []
    emit(lambda tile, *_: tiles.append(tile))
    (tile,) = tiles
    part = tile.part([(0, 1), (1, 1)])
    assert part.places == [(0, 1), (1, 1)]
    for own, whole in zip(part.sums, tile.sums, strict=True):
        assert all(own[place].same_as(whole[place]) for place in part.places)
    assert part.weights is tile.weights
    assert tile.places == PLACES


def test_products_are_added_to_the_sum_of_their_filter_and_place():
    def body(tile, data, output) -> None:
        tile.clear_sums()
        for i in range(2):
            CODE.set(tile.weights[i], CODE.load(data, i * 4))
        CODE.set(tile.inputs[0], CODE.load(data, 8))
        tile.multiply_add(0, (0, 1), tile.weights[0], tile.inputs[0])
        tile.multiply_add(1, (1, 0), tile.weights[1], tile.inputs[0])
        tile.multiply_add(1, (1, 0), tile.weights[0], tile.inputs[0])
        store_all(tile, output)

    data, sums = run(body, 32)
    expected = np.zeros((8, 4), np.float32)
    expected[1] = data[0] * data[2]
    expected[6] = (data[0] + data[1]) * data[2]
    assert_close(sums, expected)


@pytest.mark.parametrize("places", [PLACES, PLACES[1:2]])
def test_sums_that_were_saved_are_taken_up_again(places):
    def body(whole, data, output) -> None:
        tile = whole.part(places)
        for group in range(2):
            for i, register in enumerate([r for sums in tile.sums for r in sums.values()]):
                CODE.set(register, CODE.load(data, (8 * group + i) * 4))
            tile.save_sums(group)
        tile.clear_sums()
        tile.load_sums(0)
        store_all(tile, output)

    count = 2 * len(places)
    data, sums = run(body, 4 * count)
    assert_close(sums, data[:count])
