from dataclasses import replace

import numpy as np
import pytest
import torch

from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_depthwise import (
    can_precede_depthwise,
    conv2d_depthwise,
    is_depthwise,
)
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.generic_sparse_products import TableProducts
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    assert_stored,
    pattern_weight,
    random_array,
    run_kernel,
)

RELU = (Step("relu"),)
PLANES = {"rows": 2, "vectors": 2, "outer": Outer.PLANE}


def depthwise_case(channels: int = 6, **options) -> ConvCase:
    options.setdefault("schedule", Conv2dSchedule(rows=2, vectors=1))
    return ConvCase(
        weight=random_array(channels, 1, 3, 3, seed=3), groups=channels, dense=True, **options
    )


def first_case(second: ConvCase, weight: np.ndarray, dense: bool = True, **schedule) -> ConvCase:
    """A convolution whose result has the layout that the depthwise one reads."""
    pad = weight.shape[2] // 2
    return ConvCase(
        weight=weight,
        size=second.size,
        batch=second.batch,
        padding=(pad,) * 4,
        dense=dense,
        steps=RELU,
        schedule=Conv2dSchedule(**{**PLANES, **schedule}),
    )


def in_layout_of(first: ConvCase, second: ConvCase) -> Conv2d:
    """The first kernel, storing what the second reads."""
    window, in_shape = first.window, (first.batch, first.channels, *first.size)
    between = second.in_layout()
    geometry = Conv2dGeometry.of(window, in_shape, len(first.weight), between)
    return replace(first.kernel(), geometry=geometry)


def check(first: ConvCase, second: ConvCase) -> None:
    one, two = in_layout_of(first, second), second.kernel()
    packed = one.geometry.in_layout.pack(first.data)
    constants = [*one.constants.values(), *two.constants.values()]
    layout = second.out_layout()
    shape = layout.shape(second.batch, second.channels)
    got = run_kernel(conv2d_depthwise(one, two), [packed, *constants], shape)
    between = torch.relu(torch.from_numpy(first.reference()))
    expected = torch.nn.functional.conv2d(
        between,
        torch.from_numpy(second.weight),
        stride=second.stride,
        padding=second.padding[:2],
        groups=second.channels,
    )
    assert_stored(got, layout, expected.numpy())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"chunks": 3},
        {"group": 2, "hold": Hold.INPUTS, "chunks": 2},
        {"group": 4},  # does not divide the filters
        {"rows": 4, "vectors": 3},  # tiles that overlap
    ],
)
def test_planes_are_consumed_as_they_come(schedule, stride):
    second = depthwise_case(stride=(stride, stride), size=(10, 22))
    check(first_case(second, random_array(6, 3, 1, 1), **schedule), second)


@pytest.mark.parametrize(
    ("weight", "dense"),
    [
        (random_array(6, 3, 3, 3), True),
        (pattern_weight(6, 5), False),
        (pattern_weight(6, 7, ["#"]), False),
    ],
    ids=["dense 3x3", "patterns", "connectivity"],
)
def test_any_convolution_may_come_first(weight, dense):
    second = depthwise_case(batch=2)
    check(first_case(second, weight, dense, chunks=2), second)


def test_only_a_convolution_of_whole_planes_may_come_first():
    second = depthwise_case()
    for schedule in (
        {"outer": Outer.TILE},
        {"outer": Outer.ROW},
        {"outer": Outer.TILE, "band": 2},
    ):
        first = first_case(second, random_array(6, 3, 1, 1), **schedule)
        assert not can_precede_depthwise(first.kernel())
        with pytest.raises(ValueError, match=r"first: expected .* a plane at a time, got Outer\."):
            conv2d_depthwise(in_layout_of(first, second), second.kernel())
    assert can_precede_depthwise(first_case(second, random_array(6, 3, 1, 1)).kernel())


def test_only_a_depthwise_convolution_may_come_second():
    assert is_depthwise(depthwise_case().kernel())
    others = [
        ConvCase(weight=random_array(6, 6, 3, 3), dense=True),
        ConvCase(weight=random_array(6, 1, 3, 3), groups=3, dense=True),  # two filters a channel
        ConvCase(weight=pattern_weight(6, 1), groups=6),  # several patterns
        replace(depthwise_case(), products=TableProducts()),  # no taps in its code
    ]
    first = in_layout_of(first_case(depthwise_case(), random_array(6, 3, 1, 1)), depthwise_case())
    for other in others:
        assert not is_depthwise(other.kernel())
        with pytest.raises(ValueError, match="depthwise: expected one kernel of one pattern for"):
            conv2d_depthwise(first, other.kernel())
