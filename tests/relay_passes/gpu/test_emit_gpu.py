from dataclasses import replace

import tvm
from tvm import relax

from relay_passes.gpu.emit_gpu import emit_gpu
from relay_passes.gpu.plan_gpu import GpuPlanOptions, plan_gpu
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.gpu.opencl_modules import GPU
from tests.relay_passes.relax_modules import Net, bindings_of, operators, random_array

W = random_array(4, 3, 3, 3)


def emitted(mod, change=lambda planned: planned):
    main = MainRebuilder(mod)
    plan = plan_gpu(main.bindings, main.result, GpuPlanOptions(gpu=GPU))
    plan = {var: change(planned) for var, planned in plan.items()}
    new = main.rebuild(lambda: emit_gpu(main, plan))
    return relax.transform.DeadCodeElimination()(new)


def test_kernels_take_tensors_as_they_are():
    net = Net((1, 3, 8, 6))
    new = emitted(net.module(lambda x: net.conv(x, W, padding=1)))
    assert operators(new) == ["dense_conv2d"]


def test_equal_layers_share_a_kernel():
    net = Net((1, 4, 8, 8))
    one, two = random_array(4, 4, 3, 3, seed=1), random_array(4, 4, 3, 3, seed=2)
    new = emitted(net.module(lambda x: net.conv(net.conv(x, one, padding=1), two, padding=1)))
    assert len([f for f in new.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]) == 1


def test_a_kernel_of_parts_is_followed_by_their_sum_which_takes_the_epilogue():
    net = Net((1, 9, 8, 8), (1, 4, 1, 1))

    def body(x, scale):
        return net(relax.op.multiply(net.conv(x, random_array(4, 9, 3, 3), padding=1), scale))

    def in_parts(planned):
        schedule = replace(planned.choice.schedule, window=3, splits=3)
        chosen = replace(planned.choice.chosen, schedule=schedule)
        return replace(planned, choice=replace(planned.choice, chosen=chosen))

    new = emitted(net.module(body), in_parts)
    names = [name for name in operators(new) if name != "reshape"]
    assert names == ["dense_conv2d", "dense_conv2d_sum"]
    parts, result = [b.value for b in bindings_of(new) if "call_tir" in str(b.value)]
    assert tuple(int(n) for n in parts.ty.shape.values) == (3, 1, 4, 8, 8)
    assert len(result.args[1].fields) == 2
