import tvm

from relay_passes.relax_ir.reported_layers import reported_layers
from relay_passes.rewrite_to_int8 import RewriteToInt8, is_quantised
from tests.relay_passes.int8.int8_modules import QuantisedNet, random_weight
from tests.relay_passes.relax_modules import CPU, Net, operators

W = random_weight(4, 3, 3, 3)


def quantised_module() -> tvm.IRModule:
    net = QuantisedNet((1, 3, 8, 8))
    return net.module(lambda x: net.integers(net.quantised_conv(net.numbers(x), W)))


def test_rewrites_and_leaves_its_input():
    mod = quantised_module()
    before = tvm.ir.load_json(tvm.ir.save_json(mod))
    new = RewriteToInt8(cpu=CPU)(mod)
    tvm.ir.assert_structural_equal(mod, before, map_free_vars=True)
    assert "dequantize" not in operators(new)
    assert [row.dtype for row in reported_layers(new)] == ["int8"]


def test_twice_is_once():
    once = RewriteToInt8(cpu=CPU)(quantised_module())
    assert not is_quantised(once)
    assert operators(RewriteToInt8(cpu=CPU)(once)) == operators(once)


def test_a_network_of_numbers_is_not_quantised():
    net = Net((1, 3, 8, 8))
    assert not is_quantised(net.module(lambda x: net.conv(x, W.astype("float32"))))
    assert is_quantised(quantised_module())
