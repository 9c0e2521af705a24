"""Their numbers are tested with the steps that they are part of; this is what they cost."""

import re

import pytest
import tvm

from relay_passes.lower_kernels import kernel_pipeline
from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.epilogue import Step

COSTS = {
    ("x86_64-linux-gnu", "znver3", 8): ("vmaxps", "vminps"),
    ("aarch64-linux-gnu", "cortex-a72", 4): ("fmax", "fmin"),
}


@pytest.mark.parametrize("machine", COSTS, ids=str)
def test_each_bound_is_one_instruction(machine):
    triple, cpu, lanes = machine
    layout = LaneLayout(best_split(32, 32, lanes))
    with tvm.target.Target({"kind": "llvm", "mtriple": triple, "mcpu": cpu}) as target:
        step = Step("clip", numbers=(-1.0, 6.0))
        func = elementwise(1, [LaneInput(2, layout)], layout, [step])
        mod = tvm.IRModule({"main": func.with_attr("global_symbol", "main")})
        built = tvm.tirx.build(mod, target=target, pipeline=kernel_pipeline())
    found = re.findall(
        r"^\s+(\S*(?:max|min|cmp|cm[gl]|blendv|bif|bit|bsl)\w*)\s",
        built.inspect_source("asm"),
        re.M,
    )
    # Vectors of floats: those of integers, "vp...", are addresses.
    vectors = [name for name in found if re.match("v(?!p)|f|b", name)]
    largest, smallest = COSTS[machine]
    assert set(vectors) == {largest, smallest}
    assert vectors.count(largest) == vectors.count(smallest) > 0
