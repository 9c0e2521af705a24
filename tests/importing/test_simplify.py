import subprocess
import sys
import textwrap

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.importing.importer import import_onnx
from tvm_patdnn.importing.simplify import simplify


def node(op, inputs, output, **given):
    return helper.make_node(op, inputs.split(), [output], **given)


def attention():
    """Self-attention of 12 tokens, with the shapes computed as PyTorch's exporter writes them."""
    random = np.random.default_rng(0)
    weights = {
        "w": random.standard_normal((8, 24)).astype("f4"),
        "v": random.standard_normal((8, 8)).astype("f4"),
        "three": np.array([8, 8, 8]),
        "zero": np.array([0]),
        "one": np.array(1),
        "none": np.array(0),
        "heads": np.array([2]),
        "rest": np.array([-1]),
        "low": np.array(-1e9, "f4"),
        "unit": np.ones(1, "f4"),
        "four": np.array([4]),
        "ones4": np.array([1, 1, -1, -1]),
    }
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape none", "b"),
        node("Gather", "shape one", "n"),
        node("Unsqueeze", "b zero", "b1"),
        node("Unsqueeze", "n zero", "n1"),
        node("Concat", "b1 n1 heads rest", "split", axis=0),
        node("MatMul", "x w", "qkv"),
        helper.make_node("Split", ["qkv", "three"], ["q0", "k0", "v0"], axis=2),
    ]
    for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes.append(node("Reshape", f"{name}0 split", f"{name}1"))
        nodes.append(node("Transpose", f"{name}1", f"{name}2", perm=order))
    nodes += [
        node("MatMul", "q2 k2", "scores"),
        # the mask: Expand(Where(asked == -1, size, asked)), Range compared with itself
        node("Range", "none n one", "range"),
        node("Unsqueeze", "range zero", "row"),
        node("Unsqueeze", "range one1", "column"),
        node("LessOrEqual", "row column", "keep"),
        node("ConstantOfShape", "four", "fill", value=numpy_helper.from_array(np.ones(1, "i8"))),
        node("Mul", "fill rest", "free"),
        node("Equal", "ones4 free", "open"),
        node("Where", "open fill ones4", "target"),
        node("Expand", "low target", "lows"),
        node("Where", "keep scores lows", "masked"),
        node("Softmax", "masked", "p", axis=-1),
        node("MatMul", "p v2", "mixed"),
        node("Transpose", "mixed", "back", perm=[0, 2, 1, 3]),
        node("Concat", "b1 n1 rest", "joined", axis=0),
        node("Reshape", "back joined", "flat"),
        node("MatMul", "flat v", "y"),
    ]
    weights["one1"] = np.array([1])
    return model_of(nodes, inputs={"x": [2, 12, 8]}, weights=weights)


def recogniser():
    """A text recogniser's end: height is squeezed away if it is 1, as torch.squeeze exports."""
    yes = helper.make_graph(
        [node("Squeeze", "c axis", "s1")],
        "yes",
        [],
        [helper.make_tensor_value_info("s1", TensorProto.FLOAT, None)],
    )
    no = helper.make_graph(
        [node("Identity", "c", "s1")],
        "no",
        [],
        [helper.make_tensor_value_info("s1", TensorProto.FLOAT, None)],
    )
    random = np.random.default_rng(0)
    weights = {
        "w": random.standard_normal((6, 3, 4, 1)).astype("f4"),
        "axis": np.array([2]),
        "two": np.array(2),
        "one": np.array(1),
        "sizes": np.array([1, 6]),
        "m": random.standard_normal((6, 5)).astype("f4"),
        "none": np.array([0]),
    }
    nodes = [
        node("Conv", "x w", "c"),
        node("Shape", "c", "shape"),
        node("Gather", "shape two", "height"),
        node("Equal", "height one", "flat"),
        helper.make_node("If", ["flat"], ["s"], then_branch=yes, else_branch=no),
        node("Transpose", "s", "t", perm=[0, 2, 1]),
        node("Shape", "t", "tshape"),
        node("Slice", "tshape none axis", "outer"),
        node("Concat", "outer minus", "flat_shape", axis=0),
        node("Reshape", "t flat_shape", "r"),
        node("MatMul", "r m", "z"),
        node("Softmax", "z", "y", axis=-1),
    ]
    weights["minus"] = np.array([-1])
    return model_of(nodes, inputs={"x": [1, 3, 4, 20]}, weights=weights)


HIDDEN = """
    import sys
    sys.modules["onnxruntime"] = None  # as if it were not installed
    import importlib.util
    find = importlib.util.find_spec
    importlib.util.find_spec = lambda n, *more: None if n == "onnxruntime" else find(n, *more)
    from tvm_patdnn.importing.importer import import_onnx
    print(import_onnx(sys.argv[1]).module.script(show_meta=True))
"""


@pytest.mark.parametrize("model", [attention, recogniser, conv_model])
def test_the_import_is_the_same_without_onnx_runtime(model, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(model(), path)
    command = [sys.executable, "-c", textwrap.dedent(HIDDEN), str(path)]
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert child.returncode == 0, child.stderr
    expected = import_onnx(path).module.script(show_meta=True)
    assert child.stdout.splitlines() == expected.splitlines()


@pytest.mark.parametrize("model", [attention, recogniser])
def test_shape_computations_are_gone(model):
    left = {node.op_type for node in simplify(model()).graph.node}
    assert not left & {"Shape", "Gather", "Range", "If", "ConstantOfShape", "Equal"}


def test_local_functions_are_inlined():
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 17)]
    )
    model = model_of([helper.make_node("Twice", ["x"], ["y"], domain="mine")], inputs={"x": [3]})
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.functions.append(function)
    assert [node.op_type for node in simplify(model).graph.node] == ["Add"]
    assert model.graph.node[0].op_type == "Twice"
