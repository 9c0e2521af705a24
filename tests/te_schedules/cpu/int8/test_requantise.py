import numpy as np
import pytest
import tvm
from tvm.tirx import Cast

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.layer import Requantization, Residual
from te_schedules.cpu.int8.requantise import Pack, bytes_of, steps_of
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.int8.instruction_samples import usable
from tests.te_schedules.cpu.int8.int8_reference import requantized
from tests.te_schedules.cpu.lane_kernels import compiled

SUMS = np.array([0, 1, 2, 3, -1, -2, -3, 255, 511, 10**6, -(10**6), 2**31 - 1, -(2**31), 5, 7, 9])
OTHER = np.arange(16).astype(np.uint8) * 17
PACKS = [
    pytest.param(None, 8, id="by shuffles"),
    *(
        pytest.param(
            INSTRUCTION_SETS[name].pack,
            INSTRUCTION_SETS[name].lanes,
            marks=pytest.mark.skipif(name not in usable(), reason=f"this CPU has no {name}"),
            id=name,
        )
        for name in ("avx2", "avx512-vnni")
    ),
]


def stored(
    store: Requantization, scale: float, pack: Pack | None, lanes: int, order=range(16), sums=SUMS
) -> np.ndarray:
    code, floats = VectorCode(lanes, "int32"), VectorCode(lanes)
    bytes_, places = VectorCode(len(sums), "uint8"), range(0, len(sums), lanes)

    def body(given, other, output) -> None:
        vectors = [code.load(given, at) for at in places]
        others = None
        if store.residual:
            loaded = [VectorCode(lanes, "uint8").load(other, at) for at in places]
            others = [Cast(f"int32x{lanes}", each) for each in loaded]
        steps = steps_of(store, vectors, floats.broadcast(scale), lanes, others)
        bytes_.store(output, bytes_of(store, steps, [*order], pack), 0)

    params = [(name, sums.shape, dtype) for name, dtype in (("given", "int32"), ("other", "uint8"))]
    output = tvm.runtime.tensor(np.zeros(len(sums), np.uint8))
    args = [
        tvm.runtime.tensor(sums.astype(np.int32)),
        tvm.runtime.tensor(np.resize(OTHER, len(sums))),
    ]
    func = prim_func([*params, ("output", sums.shape, "uint8")], body)
    compiled(func).jit()["main"](*args, output)
    return output.numpy()


def store(scale: float, **options: object) -> Requantization:
    return Requantization(scale=np.full(1, scale, np.float32), **{"zero": 3, **options})


@pytest.mark.parametrize(("pack", "lanes"), PACKS)
@pytest.mark.parametrize("scale", [0.5, 0.3, 1e-4])
@pytest.mark.parametrize(
    "options", [{}, {"low": 3}, {"zero": 0}, {"low": 100, "high": 120, "zero": 110}]
)
def test_halves_become_even_and_large_numbers_are_clipped(scale, options, pack, lanes):
    made = store(scale, **options)
    expected = requantized(made, SUMS.reshape(1, 1, -1))[0, 0]
    assert np.array_equal(stored(made, scale, pack, lanes), expected)


@pytest.mark.parametrize(("pack", "lanes"), PACKS)
@pytest.mark.parametrize(
    "residual",
    [
        Residual(scale=0.7313, zero=9, low=-20.4, high=90.3),
        Residual(scale=0.7313, zero=9, low=-20, high=90, own=0.377),
    ],
)
def test_a_residual_is_added_between_two_clips(residual, pack, lanes):
    made = store(0.3, residual=residual)
    expected = requantized(made, SUMS.reshape(1, 1, -1), OTHER.reshape(1, 1, -1))[0, 0]
    assert np.array_equal(stored(made, 0.3, pack, lanes), expected)


@pytest.mark.parametrize(("pack", "lanes"), PACKS)
@pytest.mark.parametrize("vectors", [1, 2, 3, 4])
def test_bytes_come_in_the_order_that_is_asked_for(vectors, pack, lanes):
    made, sums = store(0.3), np.arange(lanes * vectors)
    order = [*np.random.default_rng(0).permutation(lanes * vectors)]
    expected = requantized(made, sums.reshape(1, 1, -1))[0, 0]
    for each in ([*range(lanes * vectors)], order):
        found = stored(made, 0.3, pack, lanes, each, sums)
        assert np.array_equal(found, expected[each])
