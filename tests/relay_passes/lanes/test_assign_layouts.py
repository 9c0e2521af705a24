import pytest
from tvm import relax

from relay_passes.lanes.assign_layouts import assign_layouts
from te_schedules.cpu.lane_layout import Halo
from te_schedules.cpu.lane_split import best_split
from te_schedules.window import Window
from tests.relay_passes.lanes.recognized_nodes import nodes_of
from tests.relay_passes.relax_modules import Net, random_array

SAME = Halo(top=1, left=1, bottom=1, right=1)


def planned(size: tuple[int, int], body, lanes: int = 16):
    """The nodes of ``body(net, x)``, x of 4 channels, and the plan of their layouts."""
    nodes = nodes_of(body, size)
    return nodes, assign_layouts(nodes, lanes)


def conv(net: Net, x: relax.Expr, size: int = 3, **options) -> relax.Var:
    return net.conv(x, random_array(4, 4, size, size), padding=size // 2, **options)


def splits(nodes, plan) -> list[tuple[int, int, int, int]]:
    found = [plan.split(node.result) for node in nodes]
    return [(at.lanes_y, at.lanes_x, at.vectors_y, at.vectors_x) for at in found]


def test_the_first_convolution_takes_the_best_split():
    nodes, plan = planned((56, 56), lambda net, x: conv(net, x))
    assert splits(nodes, plan) == [(4, 4, 14, 14)]
    (read,) = plan.reads(nodes[0])
    assert read.halo == SAME
    assert not plan.is_produced(nodes[0].inputs[0], read.split)
    assert plan.split(nodes[0].inputs[0]) is None


def test_a_stride_keeps_the_lanes_where_it_halves_the_steps():
    nodes, plan = planned((56, 56), lambda net, x: conv(net, conv(net, x), strides=2))
    assert splits(nodes, plan) == [(4, 4, 14, 14), (4, 4, 7, 7)]
    assert plan.is_produced(nodes[0].result, plan.reads(nodes[1])[0].split)


def test_other_strides_take_the_best_split_and_a_relayout():
    # 28 x 28 has 7 x 7 steps, which no stride of 2 can halve.
    nodes, plan = planned((28, 28), lambda net, x: conv(net, conv(net, x), strides=2))
    best = best_split(14, 14, 16)
    assert splits(nodes, plan)[1] == (best.lanes_y, best.lanes_x, best.vectors_y, best.vectors_x)
    (read,) = plan.reads(nodes[1])
    assert not plan.is_produced(nodes[0].result, read.split)
    assert (read.vectors_y, read.vectors_x) == (2 * best.vectors_y, 2 * best.vectors_x)
    assert (read.height, read.width) == (28, 28)


@pytest.mark.parametrize(("filters", "moved"), [(8, True), (4, False), (2, False)])
def test_a_tensor_is_laid_out_anew_before_it_is_widened(filters, moved):
    # 14 x 14 is best in 7 x 2 steps, which a stride of 2 cannot halve.
    def body(net, x):
        y = net.conv(conv(net, x), random_array(filters, 4, 1, 1))
        return net.conv(y, random_array(4, filters, 3, 3), padding=1, strides=2)

    nodes, plan = planned((14, 14), body)
    narrow, wide, last = nodes
    assert plan.is_produced(wide.result, plan.reads(last)[0].split) == moved
    assert plan.is_produced(narrow.result, plan.reads(wide)[0].split) != moved


def test_a_wide_tensor_with_other_readers_keeps_its_split():
    def body(net, x):
        y = net.conv(conv(net, x), random_array(8, 4, 1, 1))
        strided = net.conv(y, random_array(4, 8, 3, 3), padding=1, strides=2)
        return strided, net.conv(y, random_array(4, 8, 1, 1))

    nodes, plan = planned((14, 14), body)
    assert plan.is_produced(nodes[0].result, plan.reads(nodes[1])[0].split)
    assert not plan.is_produced(nodes[1].result, plan.reads(nodes[2])[0].split)


def test_lanes_that_would_be_wasted_are_not_kept():
    """VALID convolutions shrink a plane until another split has fewer vectors."""

    def body(net, x):
        for _ in range(3):
            x = net.conv(x, random_array(4, 4, 3, 3))
        return net.conv(x, random_array(4, 4, 9, 9))

    nodes, plan = planned((32, 32), body)
    for node in nodes:
        split = plan.split(node.result)
        best = best_split(split.height, split.width, 16)
        (read,) = plan.reads(node)
        # Never fewer steps than hold the input, and few more vectors than the best has.
        assert split.lanes_y * split.vectors_y >= read.height
        assert split.vectors_y * split.vectors_x <= 2 * best.vectors_y * best.vectors_x


def test_a_halo_holds_what_all_readers_need():
    def body(net, x):
        y = conv(net, x)
        wide = conv(net, y, 7)
        dilated = net.conv(y, random_array(4, 4, 1, 3), padding=(0, 4), dilation=(1, 4))
        return net(relax.op.add(wide, dilated))

    nodes, plan = planned((32, 32), body)
    assert plan.produced(nodes[0].result).halo == Halo(top=3, left=4, bottom=3, right=4)
    for node in nodes[1:3]:
        (read,) = plan.reads(node)
        stored = plan.stored(nodes[0].result, read.split)
        assert stored.halo.covers(read.halo)
    # What is read of the sum's terms is not a stencil.
    assert plan.produced(nodes[1].result).halo == Halo()


def test_a_relayout_has_the_halo_of_its_own_readers():
    def body(net, x):
        y = conv(net, x)
        return conv(net, y, strides=2), net(relax.op.nn.relu(y))

    nodes, plan = planned((28, 28), body)
    (read,) = plan.reads(nodes[1])
    assert plan.stored(nodes[0].result, read.split).halo == Halo(top=1, left=1)
    assert plan.produced(nodes[0].result).halo == Halo()


def test_strided_windows_need_less_after_the_last_row():
    nodes, plan = planned((56, 56), lambda net, x: conv(net, x, strides=2))
    assert plan.reads(nodes[0])[0].halo == Halo(top=1, left=1, bottom=0, right=0)


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (9, 30), (56, 56)])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_tap_is_stored(size, stride, lanes):
    nodes, plan = planned(size, lambda net, x: conv(net, x, 5, strides=stride), lanes)
    (node,) = nodes
    output, (read,) = plan.produced(node.result), plan.reads(node)
    stored = plan.stored(node.inputs[0], read.split)
    for steps, step, top, bottom in (
        (output.vectors_y, stored.vectors_y, stored.halo.top, stored.halo.bottom),
        (output.vectors_x, stored.vectors_x, stored.halo.left, stored.halo.right),
    ):
        assert step == steps * stride
        assert -top <= -2
        assert (steps - 1) * stride + 4 - 2 < step + bottom


def test_steps_and_joined_planes_keep_the_split():
    def body(net, x):
        y = conv(net, x)
        z = net(relax.op.nn.relu(y))
        return net(relax.op.concat([y, z], axis=1))

    nodes, plan = planned((14, 28), body)
    assert len(set(splits(nodes, plan))) == 1
    assert all(read.split == plan.split(nodes[0].result) for read in plan.reads(nodes[2]))


def test_enlarged_planes_have_as_many_times_the_steps():
    def body(net, x):
        return net(
            relax.op.image.resize2d(
                conv(net, x),
                (28, 56),
                layout="NCHW",
                method="nearest_neighbor",
                coordinate_transformation_mode="asymmetric",
                rounding_method="floor",
            )
        )

    nodes, plan = planned((14, 28), body)
    first, second = splits(nodes, plan)
    assert second == (first[0], first[1], 2 * first[2], 2 * first[3])


def test_a_mean_is_not_in_lanes():
    def body(net, x):
        return net(relax.op.mean(conv(net, x), axis=[2, 3], keepdims=True))

    nodes, plan = planned((14, 14), body)
    assert plan.split(nodes[1].result) is None
    assert plan.is_produced(nodes[0].result, plan.reads(nodes[1])[0].split)


def test_windows_of_convolutions_and_poolings():
    def body(net, x):
        y = net.conv(x, random_array(4, 4, 3, 5), strides=(1, 2), dilation=(2, 1), padding=(2, 1))
        y = net(relax.op.nn.max_pool2d(y, (2, 3), (2, 1), (1, 0, 0, 1)))
        return net(relax.op.nn.relu(y))

    nodes, _ = planned((20, 20), body)
    assert nodes[0].window == Window((3, 5), (1, 2), (2, 1), (2, 1))
    assert nodes[1].window == Window((2, 3), (2, 1), (1, 1), (1, 0))
    assert nodes[2].window is None


def test_tensors_are_inputs_and_operands_of_the_same_shape():
    def body(net, x):
        y = conv(net, x)
        biased = net(relax.op.add(y, relax.const(random_array(4, 1, 1))))
        return net(relax.op.add(y, biased))

    nodes, _ = planned((8, 8), body)
    assert len(nodes[1].tensors) == 1
    assert len(nodes[2].tensors) == 2
