import gc

import numpy as np
import onnx
import onnxslim
import pytest
import tvm
from onnx import TensorProto, helper, numpy_helper

from tests.model_zoo import ZOO, fetch
from tests.onnx_models import conv_model, conv_weight, model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.importer import import_onnx
from tvm_patdnn.sparse.weight_key import weight_key
from tvm_patdnn.tensor_spec import TensorSpec


def constants_of(module):
    found = []

    def visit(expr):
        if isinstance(expr, tvm.ir.GenericConst):
            found.append(expr.value.numpy())

    tvm.relax.analysis.post_order_visit(module["main"], visit)
    return found


def relu_then(op_type, name="odd", domain=""):
    """Relu, then a node of ``op_type`` named ``name``."""
    relu = helper.make_node("Relu", ["x"], ["r"])
    odd = helper.make_node(op_type, ["r"], ["y"], name=name, domain=domain)
    model = model_of([relu, odd], inputs={"x": [1, 3, 8, 8]})
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    return model


def test_weights_become_constants_and_keep_their_names():
    imported = import_onnx(conv_model())
    (weight,) = [c for c in constants_of(imported.module) if c.shape == (4, 3, 3, 3)]
    np.testing.assert_array_equal(weight, conv_weight())
    assert imported.weight_names[weight_key(weight)] == "features.0"
    assert len(imported.module["main"].params) == 1


def test_inputs_and_outputs_keep_their_names_and_order():
    nodes = [helper.make_node("Add", ["b:0", "a.1"], ["s"]), helper.make_node("Neg", ["s"], ["n"])]
    model = model_of(nodes, inputs={"b:0": [2, "N"], "a.1": [2, 1]}, outputs=["n", "s"])
    imported = import_onnx(model, {"b:0": [2, 3]})
    assert dict(imported.inputs) == {
        "b:0": TensorSpec((2, 3), "float32"),
        "a.1": TensorSpec((2, 1), "float32"),
    }
    assert list(imported.outputs) == ["n", "s"]


def test_an_output_that_is_listed_twice_is_one():
    model = conv_model()
    model.graph.output.add().CopyFrom(model.graph.output[0])
    assert list(import_onnx(model).outputs) == ["y"]
    assert len(model.graph.output) == 2


def test_initializers_listed_as_inputs():
    model = conv_model()
    model.ir_version = 3
    weight = helper.make_tensor_value_info("features.0.weight", TensorProto.FLOAT, [4, 3, 3, 3])
    model.graph.input.append(weight)
    assert list(import_onnx(model).inputs) == ["x"]


def test_weights_in_an_external_file(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(conv_model(), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert any((c == conv_weight()).all() for c in constants_of(import_onnx(path).module))


def test_computed_shapes_are_folded():
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["x", "flat"], ["y"]),
    ]
    weights = {"zero": np.array([0]), "rest": np.array([-1])}
    model = model_of(nodes, inputs={"x": ["N", 3, 8, 8]}, weights=weights)
    module = import_onnx(model, {"x": [2, 3, 8, 8]}).module
    assert [int(dim) for dim in module["main"].ret_ty.shape] == [2, 192]


def test_the_given_model_is_not_changed():
    model = conv_model(("N", 3, 8, 8))
    before = model.SerializeToString(deterministic=True)
    import_onnx(model, {"x": [1, 3, 8, 8]})
    assert model.SerializeToString(deterministic=True) == before


def test_goes_on_unsimplified_when_simplifying_fails(monkeypatch, caplog):
    def fail(model, **_):
        del model.graph.node[:]
        raise RuntimeError("boom")

    monkeypatch.setattr(onnxslim, "slim", fail)
    assert list(import_onnx(conv_model()).inputs) == ["x"]
    assert "onnxslim failed (boom)" in caplog.text


def test_nothing_is_printed(capfd):
    import_onnx(conv_model())
    assert capfd.readouterr() == ("", "")


def test_all_unsupported_operators_are_named_with_their_nodes():
    model = relu_then("FancyOp", name="n1")
    model.graph.node.append(helper.make_node("OtherOp", ["y"], ["z"]))
    model.graph.output[0].name = "z"
    with pytest.raises(ModelError) as caught:
        import_onnx(model)
    assert str(caught.value).startswith("operators that TVM cannot import: FancyOp ('n1'); ")
    assert "OtherOp (the node that computes 'z'); replace them" in str(caught.value)


def test_operators_of_a_foreign_domain_are_unsupported():
    with pytest.raises(ModelError, match=r"my.ops.Relu \('odd'\)"):
        import_onnx(relu_then("Relu", domain="my.ops"))


def test_many_nodes_are_counted():
    model = relu_then("FancyOp")
    for index in range(4):
        value = model.graph.output[0].name
        model.graph.node.append(
            helper.make_node("FancyOp", [value], [f"z{index}"], name=f"n{index}")
        )
        model.graph.output[0].name = f"z{index}"
    with pytest.raises(ModelError, match=r"FancyOp \('odd', 'n0', 'n1' and 2 more\)"):
        import_onnx(model)


def test_what_the_frontend_refuses_is_named(capfd):
    node = helper.make_node("GridSample", ["x", "g"], ["y"], name="warp", mode="cubic")
    model = model_of([node], inputs={"x": [1, 3, 4, 4, 4], "g": [1, 2, 2, 2, 3]})
    with pytest.raises(
        ModelError, match=r"^'warp' \(GridSample\): TVM cannot import it: .*cut the"
    ):
        import_onnx(model)
    gc.collect()  # with what the frontend had begun
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("op_type", ["DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"])
def test_dynamically_quantised_models_are_declined(op_type):
    message = rf"'odd' \({op_type}\): dynamically quantised models are not supported; quantise the"
    with pytest.raises(ModelError, match=message):
        import_onnx(relu_then(op_type))


def test_dynamically_quantised_branches_are_found():
    branch = relu_then("ConvInteger", name="inner").graph
    del branch.input[:]
    model = model_of(
        [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
        inputs={"x": [1, 3, 8, 8]},
        weights={"c": np.array(True)},
    )
    with pytest.raises(ModelError, match="'inner'"):
        import_onnx(model)


@pytest.mark.parametrize("name", ZOO)
def test_trained_networks(name):
    model = ZOO[name]
    imported = import_onnx(fetch(name), model.input_shapes)
    assert {key: spec.shape for key, spec in imported.inputs.items()} == model.input_shapes
    kernels = [c for c in constants_of(imported.module) if c.ndim == 4 and min(c.shape[:2]) > 2]
    assert kernels
    assert all(weight_key(kernel) in imported.weight_names for kernel in kernels)


def test_names_of_folded_layers_are_the_files():
    names = import_onnx(fetch("cifar-resnet8"), {"image": [1, 3, 32, 32]}).weight_names
    stored = onnx.load(fetch("cifar-resnet8")).graph.initializer
    convs = {t.name.removesuffix(".weight") for t in stored if numpy_helper.to_array(t).ndim == 4}
    assert convs <= set(names.values())
