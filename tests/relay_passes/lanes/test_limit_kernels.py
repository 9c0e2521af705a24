import numpy as np
import pytest

from relay_passes.lanes.limit_kernels import limited_kernel
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_space import FIXED_TILE
from te_schedules.cpu.generic_sparse_products import TableProducts
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.sparse.fkw import FKW
from tvm_patdnn.sparse.unordered_kernels import UnorderedKernels

WEIGHT = pattern_weight(16, 16, ["##./##./...", ".##/.##/..."])
CASE = ConvCase(weight=WEIGHT, size=(14, 14), lanes=CPU.lanes)


def limited(**switches: bool):
    use = Optimizations(**switches)
    candidate, schedule, _ = limited_kernel(layer_of(CASE), CASE.geometry(), CPU, use)
    return candidate.pack(WEIGHT, schedule), candidate.products, schedule


@pytest.mark.parametrize(
    ("switches", "stored", "products"),
    [
        ({"tune": False}, FKW, PatternProducts()),
        ({"share_loads": False}, FKW, TableProducts()),
        ({"reorder": False}, UnorderedKernels, TableProducts()),
        ({"patterns": False}, UnorderedKernels, TableProducts()),
        ({"patterns": False, "reorder": False}, UnorderedKernels, TableProducts()),
    ],
)
def test_what_is_left_out_decides_how_kernels_are_stored_and_multiplied(switches, stored, products):
    packed, found, schedule = limited(**switches)
    assert type(packed) is stored
    assert found == products
    assert schedule.group == packed.group == 1
    assert np.array_equal(packed.unpack(), WEIGHT)


def test_without_patterns_each_weight_is_stored_by_itself():
    assert set(limited(patterns=False)[0].entries) == {1}
    assert set(limited(reorder=False)[0].entries) == {4}


def test_without_tuning_the_tile_is_always_the_same():
    schedule = limited(tune=False)[2]
    layout = CASE.out_layout()
    expected = (min(FIXED_TILE[0], layout.vectors_y), min(FIXED_TILE[1], layout.vectors_x))
    assert (schedule.rows, schedule.vectors) == expected


def test_filters_that_were_pruned_as_one_are_computed_one_by_one():
    blocks = np.repeat(WEIGHT[::4], 4, axis=0)
    case = ConvCase(weight=blocks, size=(14, 14), lanes=CPU.lanes)
    use = Optimizations(share_loads=False)
    candidate, schedule, _ = limited_kernel(layer_of(case), case.geometry(), CPU, use)
    assert candidate.group == schedule.group == 1
