import pytest
from onnx import helper

from tests.onnx_models import model_of
from tvm_patdnn.importing import culprit as module
from tvm_patdnn.importing.culprit import culprit

OPS = ["Relu", "Neg", "Abs", "Exp", "Sin"]


def chain():
    """A chain of all of them, with a Cos beside each that only an output reads."""
    nodes = []
    for before, op in zip(["x", *OPS], OPS):
        nodes.append(helper.make_node(op, [before], [op]))
        nodes.append(helper.make_node("Cos", [before], [f"{op}_side"]))
    return model_of(nodes, inputs={"x": [3]}, outputs=["Sin", *(f"{op}_side" for op in OPS)])


@pytest.mark.parametrize("bad", ["Relu", "Relu_side", "Exp", "Exp_side", "Sin_side"])
def test_the_node_is_found_wherever_it_is(bad):
    tried = []

    def fails(model):
        tried.append(model)
        read = {name for node in model.graph.node for name in node.input}
        ends = {output.name for output in model.graph.output}
        made = [name for node in model.graph.node for name in node.output]
        assert all(name in read or name in ends for name in made)
        return bad in made

    model = chain()
    assert list(culprit(model, fails).output) == [bad]
    assert model == chain()
    assert len(tried) <= 5


def test_no_node_is_to_blame_if_everything_fails():
    assert culprit(chain(), lambda _: True) is None


def test_no_node_is_named_that_was_not_found_in_time(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", -1)
    assert culprit(chain(), lambda model: len(model.graph.node) > 1) is None
