import numpy as np
import pytest

from relay_passes.lanes.assign_layouts import LayoutPlan
from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.plan import LanePlan, PlannedConvolution, PlannedNode, PlannedPair
from relay_passes.lanes.tuning_keys import conv2d_key
from relay_passes.recognition.graph import ChannelOperand, Convolution, LaneNode, TensorOperand
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.relay_passes.recognition.test_graph import RESIDUAL, X, Y
from tests.relay_passes.relax_modules import CPU, random_array
from tests.te_schedules.cpu.lane_kernels import ConvCase

WIDE = ConvCase(weight=random_array(4, 4, 1, 1), size=(8, 8), padding=(0,) * 4, lanes=CPU.lanes)
DEEP = ConvCase(weight=random_array(4, 1, 3, 3), groups=4, size=(8, 8), lanes=CPU.lanes)


def planned(case: ConvCase, steps=(), planes: bool = False) -> PlannedConvolution:
    geometry, layer = case.geometry(), layer_of(case)
    residuals = sum(isinstance(step.operand, TensorOperand) for step in steps)
    return PlannedConvolution(
        node=LaneNode(result=Y, operator=Convolution(layer), inputs=(X,), steps=steps),
        sources=(geometry.in_layout, *residuals * [geometry.out_layout]),
        output=geometry.out_layout,
        geometry=geometry,
        choice=choose_kernel(layer, geometry, CPU, planes=planes),
        key=conv2d_key(layer, geometry, CPU),
    )


def test_operands_become_what_the_kernel_must_know_of_them():
    steps = (
        Step("add", ChannelOperand(np.ones(4, np.float32))),
        Step("relu"),
        Step("add", TensorOperand(RESIDUAL)),
    )
    kernel = planned(WIDE, steps).kernel
    residual = OperandSpec(batch=1, layout=WIDE.geometry().out_layout)
    assert kernel.steps == (Step("add", OperandSpec()), Step("relu"), Step("add", residual))


def test_a_kernel_is_what_was_chosen():
    wide = planned(WIDE)
    assert wide.layer is wide.choice.layer
    assert (wide.kernel.schedule, wide.kernel.geometry) == (wide.choice.schedule, wide.geometry)
    assert wide.loads.products * CPU.lanes >= wide.layer.dense_macs


@pytest.mark.parametrize("planes", [False, True])
def test_a_pair_needs_whole_planes_and_a_depthwise_convolution(planes):
    wide, deep = planned(WIDE, planes=planes), planned(DEEP)
    assert PlannedPair(first=wide, depthwise=deep).is_possible == planes
    assert not PlannedPair(first=wide, depthwise=wide).is_possible


def test_convolutions_are_found_in_the_order_of_computation():
    wide, deep, last = planned(WIDE, planes=True), planned(DEEP), planned(WIDE)
    copy = PlannedNode(node=last.node, sources=last.sources, output=last.output)
    items = [PlannedPair(first=wide, depthwise=deep), copy, last]
    assert LanePlan(items=items, layouts=LayoutPlan()).convolutions == [wide, deep, last]
