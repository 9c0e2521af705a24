import numpy as np
import pytest
from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_lists import has_uniform_kernels, kernels_of_run
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.generic_sparse_products import TableProducts
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight, random_array, run_bound
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered

UNEVEN = pattern_weight(5, 7, ["#../.../...", "##./##./...", "###/###/###", "#.#/.../..."])

CASES = {
    "equal patterns": ConvCase(weight=pattern_weight(5, 7, ["##./##./...", ".##/.##/..."])),
    "patterns of 1 to 9 entries": ConvCase(weight=UNEVEN),
    "bands": ConvCase(weight=UNEVEN, schedule=Conv2dSchedule(rows=1, vectors=1, band=3)),
    "groups of filters": ConvCase(
        weight=random_array(5, 4, 3, 3),
        dense=True,
        schedule=Conv2dSchedule(rows=1, vectors=1, group=2),
    ),
    "the order of the model": ConvCase(
        weight=UNEVEN, pack=pack_unordered, products=TableProducts()
    ),
    "single taps": ConvCase(weight=UNEVEN, pack=pack_single_taps, products=TableProducts()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_kernel_is_walked_once_with_its_channel_and_its_weights(case):
    fkw = case.fkw()

    def body(conv, output) -> None:
        for slot in range(fkw.bands * fkw.groups):
            for run in range(fkw.runs):
                with kernels_of_run(conv, slot, run) as kernel:
                    for i, value in enumerate((kernel.inputs, kernel.weight, run)):
                        at = kernel.number * 3 + i
                        T.buffer_store(output, tirx.Cast("float32", tirx.const(0) + value), [at])

    walked = run_bound(case, body, 3 * len(fkw.index)).reshape(-1, 3)
    assert np.array_equal(walked[:, 0], fkw.index.astype(int) * case.in_layout().plane_values)
    sizes = [fkw.entries[_pattern(fkw, kernel)] * fkw.group for kernel in range(len(fkw.index))]
    assert np.array_equal(walked[:, 1], np.cumsum([0, *sizes])[:-1])
    if fkw.runs > 1:
        assert walked[:, 2].tolist() == [_pattern(fkw, k) for k in range(len(fkw.index))]


def _pattern(fkw, kernel: int) -> int:
    slot = int(np.searchsorted(fkw.offset, kernel, side="right")) - 1
    return fkw.pattern_of(slot, kernel)


def test_kernels_of_equal_size_are_uniform():
    seen = {}
    for name, case in CASES.items():
        run_bound(
            case,
            lambda conv, output, name=name: (
                seen.__setitem__(name, has_uniform_kernels(conv)),
                T.buffer_store(output, T.float32(0), [0]),
            ),
            1,
        )
    assert [name for name, uniform in seen.items() if not uniform] == [
        "patterns of 1 to 9 entries",
        "bands",
    ]
