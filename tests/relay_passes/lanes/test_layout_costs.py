"""What nodes cost in splits, beside the cost model and records themselves."""

from __future__ import annotations

import pytest
from tvm import relax

from relay_passes.lanes.assign_layouts import WASTE, assign_layouts
from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.layout_costs import COPY_S, CYCLE_S, HALO_S, RELAYOUT_S, LayoutCosts
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import Split, splits
from tests.relay_passes.lanes.recognized_nodes import nodes_of
from tests.relay_passes.relax_modules import CPU, random_array
from tests.te_schedules.cpu.lane_kernels import pattern_weight
from tvm_patdnn.optimizations import Optimizations

COSTS = LayoutCosts(cpu=CPU)


def kept_split(node):
    return assign_layouts([node], CPU.lanes).split(node.result)


def convolution(weight, size):
    (node,) = nodes_of(lambda net, x: net.conv(x, weight, padding=1), size)
    return node


@pytest.mark.parametrize("pruned", [False, True])
def test_a_convolution_costs_what_the_cost_model_says_of_its_kernel(pruned):
    weight = pattern_weight(8, 4) if pruned else random_array(8, 4, 3, 3)
    node = convolution(weight, (28, 28))
    layer = node.operator.layer
    found = COSTS.of_splits(node, kept_split(node))
    assert len(found) > 1
    for split, seconds in found.items():
        geometry = Conv2dGeometry.of(layer.window, layer.in_shape, 8, LaneLayout(split))
        choice = choose_kernel(layer, geometry, CPU)
        cycles = choice.chosen.candidate.cycles(
            geometry, choice.schedule, CPU, beside_copies=pruned
        )
        assert choice.kind == ("pattern" if pruned else "dense")
        assert seconds == pytest.approx(CYCLE_S * cycles / CPU.num_cores)


def test_splits_that_waste_vectors_are_left_out():
    node = convolution(random_array(4, 4, 3, 3), (7, 7))
    least = min(split.vectors for split in splits(7, 7, CPU.lanes))
    found = COSTS.of_splits(node, kept_split(node))
    assert {s for s in splits(7, 7, CPU.lanes) if s.vectors <= WASTE * least} == set(found)
    assert len(found) < len(splits(7, 7, CPU.lanes))


def test_ablations_and_fixed_results_have_no_choice():
    node = convolution(pattern_weight(8, 4), (28, 28))
    kept = kept_split(node)
    ablation = LayoutCosts(cpu=CPU, optimizations=Optimizations(reorder=False))
    for costs in (ablation, LayoutCosts(cpu=CPU, fixed={node.result})):
        assert list(costs.of_splits(node, kept)) == [kept]


def test_a_pooling_costs_what_it_writes():
    def body(net, x):
        return net(relax.op.nn.max_pool2d(net.conv(x, random_array(4, 4, 1, 1)), (2, 2), (2, 2)))

    node = nodes_of(body, (14, 14))[1]
    found = COSTS.of_splits(node, kept_split(node))
    assert len(found) == len(splits(7, 7, CPU.lanes))
    for split, seconds in found.items():
        written = 4 * split.vectors * split.lanes
        assert seconds == pytest.approx(COPY_S * written / CPU.num_cores)


def test_between_two_kernels_lies_a_halo_or_a_relayout():
    wide = Split(height=8, width=8, lanes_y=4, lanes_x=2, vectors_y=2, vectors_x=4)
    tall = Split(height=8, width=8, lanes_y=2, lanes_x=4, vectors_y=4, vectors_x=2)
    needed = LaneLayout(wide, Halo(top=1, left=1, bottom=1, right=1))  # 4 rows of 6, and one more
    cores = CPU.num_cores
    assert COSTS.between(wide, 3, needed) == pytest.approx(HALO_S * 3 * (25 - 8) * 8 / cores)
    assert COSTS.between(tall, 3, needed) == pytest.approx(RELAYOUT_S * 3 * 25 * 8 / cores)
