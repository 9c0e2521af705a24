import re

import numpy as np
import pytest
import tvm

from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.expected_loads import LoadCounts
from te_schedules.cpu.generic_sparse_products import TableProducts
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight, random_array
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered

TABLE = {"products": TableProducts()}
SQUARE = "##./##./..."  # on 2 x 2 outputs: 3 x 3 inputs for 4 x 4 products
LINE = "###/.../..."  # on 2 x 2 outputs: 2 x 4 inputs for 3 x 4 products


def counts(weight, pack=None, size=(8, 16), case=None, **schedule) -> LoadCounts:
    """Of a kernel over 4 x 4 vectors of 8 lanes, in tiles of 2 x 2 unless told."""
    point = Conv2dSchedule(**{"rows": 2, "vectors": 2, **schedule})
    case = ConvCase(weight=weight, size=size, schedule=point, pack=pack, **(case or {}))
    assert case.out_layout().vectors_y * case.out_layout().vectors_x == 16 * size[0] // 8
    return count_loads(case.func(), list(case.kernel().constants.values()))


def test_taps_share_loads_where_they_are_in_code():
    weight = pattern_weight(3, 2, [SQUARE], density=1.0)
    assert counts(weight) == LoadCounts(inputs=6 * 4 * 9, products=6 * 4 * 16)
    assert counts(weight, case=TABLE) == LoadCounts(inputs=6 * 4 * 16, products=6 * 4 * 16)


def test_each_pattern_counts_for_its_kernels():
    weight = np.zeros((2, 3, 3, 3), np.float32)
    weight[:, 0, :2, :2] = 1
    weight[1, 2, 0] = 1
    assert counts(weight) == LoadCounts(inputs=4 * (2 * 9 + 8), products=4 * (2 * 16 + 12))
    # Without the order, every kernel has as many weights as the largest.
    longest = LoadCounts(inputs=4 * 3 * 16, products=4 * 3 * 16)
    assert counts(weight, pack_unordered, case=TABLE) == longest
    single = LoadCounts(inputs=4 * (2 * 16 + 12), products=4 * (2 * 16 + 12))
    assert counts(weight, pack_single_taps, case=TABLE) == single


@pytest.mark.parametrize(
    "schedule", [{"chunks": 3}, {"outer": Outer.ROW}, {"outer": Outer.PLANE}, {"band": 1}]
)
def test_the_order_of_tiles_changes_nothing(schedule):
    weight = pattern_weight(5, 4, [SQUARE, LINE])
    assert counts(weight, **schedule) == counts(weight)


def test_a_batch_and_an_epilogue():
    weight = pattern_weight(5, 4, [SQUARE])
    steps = {"steps": (Step("multiply", OperandSpec()), Step("relu"))}
    operands = {"operands": (random_array(1, 5),)}
    both = counts(weight, case={"batch": 2, **steps, **operands})
    assert both == counts(weight) + counts(weight)


def test_nothing_is_loaded_for_filters_without_kernels():
    assert counts(np.zeros((4, 4, 3, 3), np.float32)) == LoadCounts(inputs=0, products=0)


@pytest.mark.parametrize(("products", "loads"), [(PatternProducts(), 9), (TableProducts(), 16)])
def test_the_machine_code_has_the_loads_that_are_counted(products, loads):
    weight = pattern_weight(1, 1, [SQUARE], density=1.0)
    schedule = Conv2dSchedule(rows=2, vectors=2)
    case = ConvCase(weight=weight, size=(8, 16), schedule=schedule, products=products)
    assembly = _assembly(case)
    products = re.findall(r"vfmadd\w+ps", assembly)
    # A load of a whole vector: not the last operand, not one number for all lanes.
    memory = [
        line
        for line in assembly.splitlines()
        if re.search(r"v(fmadd\w+|mulps|movups|movaps)\s+-?\w*\(.*\), .*%ymm", line)
    ]
    assert len(products) == 16
    assert len(memory) == loads


def _assembly(case: ConvCase) -> str:
    module = tvm.IRModule({"kernel": case.func().with_attr("global_symbol", "kernel")})
    built = tvm.tirx.build(module, target=resolve_target("x86-64-v3"))
    return str(built.inspect_source("asm"))
