from dataclasses import replace

import tvm
from tvm import relax

from relay_passes.gpu.emit_gpu import emit_gpu
from relay_passes.gpu.plan_gpu import GpuPlanOptions, plan_gpu
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.gpu.opencl_modules import GPU
from tests.relay_passes.relax_modules import Net, bindings_of, operators, random_array

W = random_array(4, 3, 3, 3)


def emitted(mod, change=lambda planned: planned, storage="float32"):
    main = MainRebuilder(mod)
    plan = plan_gpu(main.bindings, main.result, GpuPlanOptions(gpu=GPU, storage=storage))
    plan = {var: change(planned) for var, planned in plan.items()}
    new = main.rebuild(lambda: emit_gpu(main, plan, storage))
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


def types_of(mod):
    return [str(b.value.ty.dtype) for b in bindings_of(mod) if "dtype" in dir(b.value.ty)]


def test_with_half_precision_tensors_between_kernels_are_stored_so():
    net = Net((1, 3, 8, 8), (1, 4, 1, 1))

    def body(x, scale):
        y = net(relax.op.multiply(net.conv(x, W, padding=1), scale))
        y = net(relax.op.nn.max_pool2d(y, (2, 2), (2, 2)))
        one = net.conv(y, random_array(4, 4, 1, 1))
        return net(relax.op.concat([one, y], axis=1))

    new = emitted(net.module(body), storage="float16")
    names = [name.rstrip("0123456789") for name in operators(new) if name != "reshape"]
    convolution = ["dense_conv2d", "max_pool2d", "dense_conv2d", "concat"]
    assert names == ["astype", "astype", *convolution, "astype"]
    assert set(types_of(new)[:-2]) == {"float16"}
    assert types_of(new)[-2:] == ["float32", "float32"]  # and what is returned
    kernel = next(f for f in new.functions.values() if isinstance(f, tvm.tirx.PrimFunc))
    assert str(kernel.params[0].ty.dtype) == "float16"


def test_with_half_precision_sums_of_others_are_float32():
    net = Net((1, 3, 8, 8))

    def body(x):
        y = net(relax.op.add(net.conv(x, W, padding=1), relax.const(random_array(1, 4, 1, 1))))
        return net(relax.op.mean(y, [2, 3])), y

    new = emitted(net.module(body), storage="float16")
    assert operators(new) == ["astype", "dense_conv2d", "astype", "mean"]
    assert types_of(new)[2:4] == ["float32", "float32"]
