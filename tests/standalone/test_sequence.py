import numpy as np
import onnx
import pytest
import tvm
from onnx import TensorProto, helper

from relay_passes.pipeline import lowering_passes, run_pipeline
from tests.built import inputs, pruned_network
from tests.onnx_models import model_of
from tvm_patdnn.builder import build
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.loading import load
from tvm_patdnn.standalone.sequence import Ref, read_sequence


def typed_model(nodes, out_type, weights=None):
    """A model of x (1, 3, 4, 4) whose output y has a type and a shape to be found."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 4, 4))],
        [helper.make_tensor_value_info("y", out_type, None)],
        [onnx.numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_the_sequence_of_a_network():
    compilation = Compilation.of(Request(onnx_model=pruned_network()), lambda phase: None)
    with compilation.target:
        mod = run_pipeline(compilation.model.module, compilation.options)
        mod = tvm.transform.Sequential(lowering_passes())(mod)
    sequence = read_sequence(mod["main"])
    assert [(t.shape, t.dtype) for t in sequence.inputs] == [((1, 3, 16, 16), "float32")]
    assert sequence.outputs[0].bytes == 8 * 16 * 16 * 4
    names = [call.kernel for call in sequence.calls]
    assert "pattern_conv2d" in names
    assert sequence.calls[0].args[0] == Ref("input", 0)
    assert sequence.calls[-1].args[-1] == Ref("output", 0)
    assert sequence.copies == []


@pytest.mark.parametrize(
    ("node", "out_type", "what"),
    [
        (helper.make_node("NonZero", ["x"], ["y"]), TensorProto.INT64, "NonZero"),
        (
            helper.make_node("NonMaxSuppression", ["boxes", "scores", "most"], ["y"], name="nms"),
            TensorProto.INT64,
            r"NonMaxSuppression \('nms'\)",
        ),
    ],
)
def test_sizes_that_depend_on_the_data_are_declined_by_name(node, out_type, what, tmp_path):
    weights = {
        "boxes": np.random.default_rng(0).random((1, 6, 4), np.float32),
        "most": np.array([3], np.int64),
    }
    nodes = [node]
    if node.op_type == "NonMaxSuppression":
        weights |= {"shape": np.array([1, 8, 6], np.int64)}
        nodes = [helper.make_node("Reshape", ["x", "shape"], ["scores"]), node]
    used = {name for each in nodes for name in each.input}
    model = typed_model(nodes, out_type, {k: v for k, v in weights.items() if k in used})
    with pytest.raises(
        BuildError, match=rf"standalone: the model has {what}.*, whose result's size depends on"
    ):
        build(model, lazy=True).export_standalone(tmp_path / "model.so")


def outputs_of(model, tmp_path, feed):
    path = tmp_path / "model.so"
    lib = build(model)
    lib.export_standalone(path)
    found, expected = load(path, num_threads=2).run(feed), lib.run(feed)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert (found[name] == value).all()
    return found


def test_outputs_that_no_kernel_writes(tmp_path):
    """The same output twice, an input, a constant; and an output that a later kernel reads."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Identity", ["r"], ["again"]),
        helper.make_node("Identity", ["x"], ["input"]),
        helper.make_node("Identity", ["c"], ["constant"]),
        helper.make_node("Neg", ["r"], ["turned"]),
    ]
    outputs = ("turned", "r", "again", "input", "constant")
    constant = np.array([[7, 8, 9]], np.float32)
    model = model_of(nodes, inputs={"x": (1, 5)}, outputs=outputs, weights={"c": constant})
    x = np.array([[-1, 0, 1, 2, np.inf]], np.float32)
    found = outputs_of(model, tmp_path, {"x": x})
    assert (found["input"] == x).all()
    assert (found["again"] == np.maximum(x, 0)).all()
    assert (found["constant"] == constant).all()


def test_an_input_that_nothing_reads(tmp_path):
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    model = model_of(nodes, inputs={"unused": (2, 3), "x": (1, 5)})
    x = np.arange(5, dtype=np.float32)[None]
    found = outputs_of(model, tmp_path, {"x": x, "unused": np.ones((2, 3), np.float32)})
    assert (found["y"] == -x).all()


def test_other_types_than_float(tmp_path):
    nodes = [helper.make_node("ArgMax", ["x"], ["y"], axis=1)]
    found = outputs_of(
        typed_model(nodes, TensorProto.INT64), tmp_path, {"x": inputs()["x"][..., :4, :4]}
    )
    assert found["y"].dtype == np.int64
