from tvm import relax

from relay_passes.int8.graph import Int8Node
from tests.relay_passes.int8.int8_modules import QuantisedNet, planned, random_weight
from tvm_patdnn.sparse.weight_key import weight_key

W = random_weight(4, 3, 3, 3)


def test_only_what_the_result_needs_is_planned():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        result = net.integers(net.quantised_conv(net.numbers(x), W))
        net(relax.op.tanh(net.numbers(result)))
        return result

    plan = planned(net.module(body))
    assert [item.result for item in plan.items if isinstance(item, Int8Node)] == list(plan.kernels)
    assert len(plan.items) == 2  # the kernel, and the output


def test_layers_have_the_names_of_their_weights():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(lambda x: net.integers(net.quantised_conv(net.numbers(x), W)))
    (kernel,) = planned(mod, **{weight_key(W): "stem"}).kernels.values()
    assert kernel.node.operator.layer.name == "stem"
    assert kernel.kernel is kernel.kernel


def test_what_is_quantised_for_none_of_our_kernels_is_left():
    net = QuantisedNet((1, 3, 8, 8), dtype="float32")
    mod = net.module(lambda x: net(relax.op.tanh(net.numbers(net.integers(x)))))
    assert not any(isinstance(item, Int8Node) for item in planned(mod).items)
