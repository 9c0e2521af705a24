import json

import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.tirx import PrimFunc

from relay_passes.pipeline import PipelineOptions, run_pipeline
from relay_passes.relax_ir.reported_layers import LAYERS_ATTRIBUTE
from relay_passes.schedule_fallback import ScheduleFallback
from tests.bench.dense_tuning.tuned_traces import any_schedule, any_trace
from tests.relay_passes.relax_modules import (
    CPU,
    Net,
    assert_same_numbers,
    const,
    random_array,
    rewritten,
)
from tvm_patdnn.bench.dense_tuning.apply_tuned_schedules import (
    ApplyTunedSchedules,
    is_scheduled,
    scheduled,
    trace_to_json,
)
from tvm_patdnn.bench.dense_tuning.extension import tuned_extension
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape, channels_last
from tvm_patdnn.machine.targets import resolve_target

SHAPE = ConvShape(
    in_shape=(1, 8, 10, 10),
    weight_shape=(8, 8, 3, 3),
    stride=(1, 1),
    dilation=(1, 1),
    padding=(1, 1, 1, 1),
    groups=1,
)
BIAS = const(random_array(1, 8, 1, 1, seed=5))


@pytest.fixture(scope="module")
def tuned():
    return {SHAPE: any_trace(SHAPE)}


def weight(seed: int) -> np.ndarray:
    return random_array(8, 8, 3, 3, seed=seed)


def conv(net: Net, data: relax.Expr, seed: int = 1, **options: object) -> relax.Var:
    return net.conv(data, weight(seed), padding=options.pop("padding", 1), **options)


EPILOGUES = {
    "a bias": lambda net, x: net(relax.op.add(conv(net, x), BIAS)),
    "the tuned one": lambda net, x: net(relax.op.nn.relu(net(relax.op.add(conv(net, x), BIAS)))),
    "a residual": lambda net, x: net(relax.op.add(net(relax.op.add(conv(net, x), BIAS)), x)),
    "a sigmoid": lambda net, x: net(relax.op.sigmoid(conv(net, x))),
}


def fused(body) -> tvm.IRModule:
    """A module of the functions that TVM makes for ``body(net, x)``."""
    net = Net(SHAPE.in_shape)
    passes = [
        *channels_last(),
        relax.transform.LegalizeOps(),
        relax.transform.AnnotateTIROpPattern(),
        relax.transform.FuseOps(),
        relax.transform.FuseTIR(),
    ]
    return tvm.transform.Sequential(passes)(net.module(lambda x: body(net, x)))


def schedules(mod: tvm.IRModule) -> list[bool]:
    """Whether each function with a convolution is scheduled."""
    return [is_scheduled(f) for v, f in mod.functions.items() if "conv2d" in v.name_hint]


@pytest.mark.parametrize("body", EPILOGUES.values(), ids=EPILOGUES)
def test_a_tuned_convolution_is_scheduled_whatever_follows_it(tuned, body):
    with resolve_target():
        new = rewritten(ApplyTunedSchedules(tuned=tuned), fused(body))
    assert schedules(new) == [True]


def test_its_weight_is_a_constant_in_the_layout_of_the_schedule(tuned):
    with resolve_target():
        mod = ApplyTunedSchedules(tuned=tuned)(fused(EPILOGUES["the tuned one"]))
    (func,) = (f for v, f in mod.functions.items() if "conv2d" in v.name_hint)
    text = func.script()
    assert "layout_rewrite_preproc" not in text
    assert "T.parallel(" in text
    assert not any("preproc" in v.name_hint for v in mod.functions)


def test_other_convolutions_are_left(tuned):
    first = EPILOGUES["the tuned one"]
    mod = fused(lambda net, x: conv(net, first(net, x), 2, strides=2))
    with resolve_target():
        new = rewritten(ApplyTunedSchedules(tuned=tuned), mod)
    assert sorted(schedules(new)) == [False, True]


def test_without_records_nothing_is_done():
    mod = fused(EPILOGUES["a bias"])
    assert ApplyTunedSchedules(tuned={})(mod).same_as(mod)


def test_the_fallback_leaves_what_is_scheduled(tuned):
    with resolve_target():
        mod = ApplyTunedSchedules(tuned=tuned)(fused(EPILOGUES["a bias"]))
    (var,) = (v for v, f in mod.functions.items() if is_scheduled(f))
    tvm.ir.assert_structural_equal(ScheduleFallback(cpu=CPU)(mod)[var], mod[var])


def test_a_trace_survives_json():
    schedule = any_schedule(SHAPE)
    trace = json.loads(json.dumps(trace_to_json(schedule.trace)))
    replayed = scheduled(SHAPE, trace)
    tvm.ir.assert_structural_equal(replayed.mod["main"].body, schedule.mod["main"].body)


def test_a_trace_of_another_function_is_an_error():
    trace = [[["GetSBlock", [], ["no_such_block", "main"], ["b0"]]], []]
    with pytest.raises(RuntimeError, match="no_such_block"):
        scheduled(SHAPE, trace)


def test_what_a_schedule_cannot_be_carried_to_is_left(tuned):
    mod = fused(conv)  # without the block into which the schedule writes its results
    with resolve_target():
        new = rewritten(ApplyTunedSchedules(tuned=tuned), mod)
    assert schedules(new) == [False]


def test_tuned_and_our_convolutions_stand_side_by_side(tuned):
    net = Net(SHAPE.in_shape)

    def body(x: relax.Expr) -> relax.Expr:
        first = net(relax.op.nn.relu(conv(net, x, 1)))
        ours = net(relax.op.nn.relu(conv(net, first, 2, padding=2, dilation=2)))
        return net(relax.op.add(net(relax.op.add(conv(net, ours, 3), BIAS)), first))

    mod = net.module(body)
    with resolve_target():
        new = run_pipeline(mod, PipelineOptions(cpu=CPU, extension=tuned_extension(tuned)))
        assert_same_numbers(mod, new)
    assert len(json.loads(new.attrs[LAYERS_ATTRIBUTE])) == 1
    functions = {v.name_hint: f for v, f in new.functions.items() if isinstance(f, PrimFunc)}
    assert sum(map(is_scheduled, functions.values())) == 2
    assert sum(name.startswith("dense_conv2d") for name in functions) == 1
