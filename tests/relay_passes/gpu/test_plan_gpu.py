from tvm import relax

from relay_passes.gpu.plan_gpu import GpuPlanOptions, plan_gpu
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.gpu.epilogue import OperandSpec
from tests.gpu.opencl_modules import GPU
from tests.relay_passes.relax_modules import Net, random_array
from tvm_patdnn.sparse.weight_key import weight_key

W = random_array(4, 3, 3, 3)


def plan_of(mod, **options):
    main = MainRebuilder(mod)
    return list(plan_gpu(main.bindings, main.result, GpuPlanOptions(gpu=GPU, **options)).values())


def test_kernels_are_convolutions_with_what_is_fused_into_them():
    net = Net((2, 3, 8, 8), (2, 4, 8, 8), (2, 4, 1, 1))

    def body(x, residual, scale):
        y = net(relax.op.add(net.conv(x, W, padding=1), relax.const(random_array(1, 4, 1, 1))))
        y = net(relax.op.multiply(net(relax.op.add(y, residual)), scale))
        return net(relax.op.nn.max_pool2d(net(relax.op.nn.relu(y)), (2, 2), (2, 2)))

    (planned,) = plan_of(net.module(body))
    steps = planned.kernel.steps
    assert [step.name for step in steps] == ["add", "add", "multiply", "relu"]
    assert [step.operand for step in steps] == [
        OperandSpec(batch=1),
        OperandSpec(tensor=True, batch=2),
        OperandSpec(batch=2),
        None,
    ]


def test_layers_have_the_names_of_the_model():
    net = Net((1, 3, 8, 8))
    (planned,) = plan_of(net.module(lambda x: net.conv(x, W)), names={weight_key(W): "features.0"})
    assert planned.layer.name == "features.0"


def test_layers_that_are_left_have_no_kernel():
    net = Net((1, 3, 8, 8))
    mod = net.module(lambda x: net.conv(x, W))
    assert plan_of(mod, leaves=lambda layer: True) == []
