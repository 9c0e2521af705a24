import numpy as np
from tvm import relax

from relay_passes.relax_ir.values import (
    constant,
    constant_value,
    count_uses,
    operator_name,
    shape_of,
)
from tests.relay_passes.relax_modules import Net, bindings_of


def test_names_of_operators():
    x = relax.Var("x", relax.TensorType((2, 3), "float32"))
    assert operator_name(relax.op.add(x, x)) == "relax.add"
    assert operator_name(x) == ""
    assert operator_name(relax.Call(relax.GlobalVar("f"), [x])) == ""


def test_only_fixed_float32_tensors_have_a_shape():
    n = relax.Var("n", relax.ShapeType(ndim=1))
    shapes = {
        (2, 3): relax.TensorType((2, 3), "float32"),
        (): relax.TensorType((), "float32"),
    }
    for shape, ty in shapes.items():
        assert shape_of(relax.Var("x", ty)) == shape
    assert shape_of(relax.Var("x", relax.TensorType((2, 3), "float16"))) is None
    assert shape_of(relax.Var("x", relax.TensorType(dtype="float32", ndim=2))) is None
    assert shape_of(n) is None


def test_symbolic_sizes_are_not_fixed():
    from tvm.tirx import Var

    symbolic = relax.TensorType((Var("n", "int64"), 3), "float32")
    assert shape_of(relax.Var("x", symbolic)) is None


def test_constants_keep_their_type_and_value():
    for dtype in ("float64", "int64", "float32", "uint8", "bool"):
        value = np.array([[0, 1], [2, 3]]).astype(dtype)
        read = constant_value(constant(value))
        assert read.dtype == dtype
        assert np.array_equal(read, value)
    assert constant_value(relax.Var("x", relax.TensorType((2,), "float32"))) is None


def test_every_reading_counts():
    net = Net((2, 2))

    def body(x):
        a = net(relax.op.add(x, x))
        b = net(relax.op.multiply(a, x))
        return net(relax.op.add(b, a)), a

    mod = net.module(body)
    bindings = bindings_of(mod)
    uses = count_uses(bindings, [mod["main"].body.body])
    assert uses[mod["main"].params[0]] == 3
    a, b = bindings[0].var, bindings[1].var
    assert uses[a] == 3  # the product, the sum, and the result's alias
    assert uses[b] == 1
