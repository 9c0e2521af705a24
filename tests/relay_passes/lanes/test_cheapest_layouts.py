"""Splits by what kernels cost, of small graphs whose kernels took certain times."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tvm import relax

from relay_passes.lanes.assign_layouts import assign_layouts, input_layouts
from relay_passes.lanes.cheapest_layouts import cheapest_layouts
from relay_passes.lanes.layout_costs import LayoutCosts
from relay_passes.lanes.tuning_keys import conv2d_key
from relay_passes.recognition.graph import Convolution
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry, holding
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import splits
from tests.records.samples import record
from tests.relay_passes.lanes.recognized_nodes import nodes_of
from tests.relay_passes.relax_modules import CPU, random_array
from tvm_patdnn.records.tuning_records import Records

SIZE = (7, 7)  # of whose splits into 8 lanes the rules take 8x1 or 1x8
SECOND = 1e-3


def conv(net, x, filters=4, channels=4, **options):
    # Filters of other sizes, so that no two layers have one key.
    weight = random_array(filters, channels, 3, 3)
    return net.conv(x, weight, padding=1, **options)


def split_of(node, lanes_y):
    height, width = fixed_shape(node.result)[2:]
    (split,) = (s for s in splits(height, width, CPU.lanes) if s.lanes_y == lanes_y)
    return holding(split, node.window, *fixed_shape(node.inputs[0])[2:])


def measured(node, lanes_y, seconds, **changes):
    layer, layout = node.operator.layer, LaneLayout(split_of(node, lanes_y))
    geometry = Conv2dGeometry.of(layer.window, layer.in_shape, layer.out_shape[1], layout)
    key = replace(conv2d_key(layer, geometry, CPU), **changes.pop("key", {}))
    return record(seconds, key, **{"chosen": True, **changes})


def costs(records):
    return LayoutCosts(cpu=CPU, records=Records(records))


def chosen(nodes, records):
    """The rows of blocks of each result, by the rules and as measured."""
    rules = assign_layouts(nodes, CPU.lanes)
    plan = cheapest_layouts(nodes, rules, costs(records))
    found = [(rules.split(n.result).lanes_y, plan.split(n.result).lanes_y) for n in nodes]
    return found, plan


def kept(nodes):
    return [assign_layouts(nodes, CPU.lanes).split(node.result).lanes_y for node in nodes]


def test_without_a_choice_the_rules_stay():
    nodes = nodes_of(lambda net, x: conv(net, x), SIZE)
    rules = assign_layouts(nodes, CPU.lanes)
    own = measured(nodes[0], kept(nodes)[0], SECOND)
    assert cheapest_layouts(nodes, rules, costs([own])) is rules
    fixed = LayoutCosts(cpu=CPU, fixed={nodes[0].result})
    assert cheapest_layouts(nodes, rules, fixed) is rules


def test_records_that_say_nothing_of_a_choice_change_nothing():
    nodes = nodes_of(lambda net, x: conv(net, x), SIZE)
    own = measured(nodes[0], kept(nodes)[0], SECOND)
    elsewhere = measured(nodes[0], 2, SECOND / 2)
    trials = [replace(each, chosen=False) for each in (own, elsewhere)]
    other_threads = [
        measured(nodes[0], rows, SECOND / rows, key={"threads": 9}) for rows in (1, 2, 4, 8)
    ]
    without, _ = chosen(nodes, [])
    for records in ([elsewhere], trials, other_threads):
        assert chosen(nodes, records)[0] == without


def test_a_small_tensor_is_laid_out_anew_and_not_a_large_one():
    """A pooling of 21 rows to 10: the rules lay out its input, which is four times its output."""

    def body(net, x):
        y = net.conv(x, random_array(64, 4, 3, 3))
        return conv(net, net(relax.op.nn.max_pool2d(y, (3, 3), (2, 2))), 64, 64)

    nodes = nodes_of(body, (23, 23))
    rules = assign_layouts(nodes, CPU.lanes)
    (needed,) = rules.reads(nodes[1])
    assert not rules.is_produced(nodes[0].result, needed.split)
    plan = cheapest_layouts(nodes, rules, costs([]))
    (needed,) = plan.reads(nodes[1])
    assert plan.is_produced(nodes[0].result, needed.split)


def test_a_layer_gets_the_split_in_which_it_is_the_fastest():
    nodes = nodes_of(lambda net, x: conv(net, x), SIZE)
    (rows,) = kept(nodes)
    records = [measured(nodes[0], rows, SECOND), measured(nodes[0], 2, SECOND / 2)]
    found, plan = chosen(nodes, records)
    assert found == [(rows, 2)]
    assert plan.produced(nodes[0].result).split == split_of(nodes[0], 2)


@pytest.mark.parametrize(("gain", "moves"), [(1e-12, False), (SECOND / 2, True)])
def test_what_a_split_gains_is_weighed_against_its_relayouts(gain, moves):
    nodes = nodes_of(lambda net, x: conv(net, conv(net, conv(net, x, 6), 5, 6), 3, 5), SIZE)
    rows = kept(nodes)
    records = [measured(n, r, SECOND) for n, r in zip(nodes, rows, strict=True)]
    records.append(measured(nodes[1], 2, SECOND - gain))
    found, plan = chosen(nodes, records)
    assert [after for _, after in found] == [rows[0], 2 if moves else rows[1], rows[2]]
    for producer, reader in ((0, 1), (1, 2)):
        (needed,) = plan.reads(nodes[reader])
        assert plan.is_produced(nodes[producer].result, needed.split) != moves


def test_layers_move_together_where_none_gains_enough_for_itself():
    def body(net, x):
        for filters, channels in ((5, 4), (6, 5), (7, 6), (9, 7)):
            x = conv(net, x, filters, channels)
        return x

    nodes = nodes_of(body, SIZE)
    records = [
        measured(node, rows, SECOND - (2e-9 if rows == 2 else 0))
        for node, own in zip(nodes, kept(nodes), strict=True)
        for rows in {own, 2}
    ]
    found, _ = chosen(nodes, records)
    assert [after for _, after in found] == [2] * 4


@pytest.mark.parametrize("gain", [1e-7, -1e-7])
def test_a_residual_sum_joins_branches(gain):
    """Poolings and sums follow the convolutions around them, without a relayout."""

    def body(net, x):
        y = net(relax.op.nn.max_pool2d(conv(net, x, 5), (3, 3), (1, 1), (1, 1)))
        return conv(net, net(relax.op.add(conv(net, y, 5, 5), y)), 6, 5)

    nodes = nodes_of(body, SIZE)
    records = [
        measured(node, rows, SECOND - (gain if rows == 2 else 0))
        for node, own in zip(nodes, kept(nodes), strict=True)
        if isinstance(node.operator, Convolution)
        for rows in {own, 2}
    ]
    found, plan = chosen(nodes, records)
    assert {after for _, after in found} == ({2} if gain > 0 else set(kept(nodes)))
    for node in nodes[1:]:
        for var, needed in zip(node.tensors, plan.reads(node), strict=True):
            assert plan.is_produced(var, needed.split)


def test_strides_and_enlarged_planes():
    def body(net, x):
        y = conv(net, x, 5, strides=2)
        return net(
            relax.op.image.resize2d(
                y,
                (14, 14),
                layout="NCHW",
                method="nearest_neighbor",
                coordinate_transformation_mode="asymmetric",
                rounding_method="floor",
            )
        )

    nodes = nodes_of(body, (14, 14))
    rows = kept(nodes)
    records = [measured(nodes[0], rows[0], SECOND), measured(nodes[0], 2, SECOND / 2)]
    found, plan = chosen(nodes, records)
    assert [after for _, after in found] == [2, 2]
    assert plan.reads(nodes[1])[0].split == split_of(nodes[0], 2)
    for node in nodes:
        (needed,) = input_layouts(node, plan.split(node.result))
        assert needed.split == plan.reads(node)[0].split
