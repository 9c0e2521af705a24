import pytest
import tvm
from onnx import helper
from tvm import relax

from relay_passes import pipeline
from tests.onnx_models import model_of
from tvm_patdnn import blame
from tvm_patdnn.builder import build
from tvm_patdnn.errors import BuildError, ModelError
from tvm_patdnn.inspection import inspect


def network():
    nodes = [
        helper.make_node("Exp", ["x"], ["e"], name="first"),
        helper.make_node("Sin", ["e"], ["s"], name="second"),
        helper.make_node("Tanh", ["s"], ["y"], name="third"),
    ]
    return model_of(nodes, inputs={"x": [1, 4]})


def failing(real, word):
    def fail(mod, *rest, **more):
        if word in str(mod):
            raise IndexError("Traceback\nsomething inside")
        return real(mod, *rest, **more)

    return fail


def test_what_cannot_be_lowered_is_named(monkeypatch):
    monkeypatch.setattr(relax, "build", failing(relax.build, "T.sin"))
    message = r"^'second' \(Sin\): TVM cannot compile it for .*: something inside; rewrite this"
    with pytest.raises(ModelError, match=message):
        build(network())


def test_what_passes_fail_on_is_named(monkeypatch):
    def fail(mod, _):
        if "R.sin" in str(mod):
            raise IndexError("something inside")
        return mod

    passes = [tvm.transform.module_pass(fail, opt_level=0, name="Fail")]
    monkeypatch.setattr(pipeline, "canonical_passes", lambda: passes)
    for function in (build, inspect):
        with pytest.raises(ModelError, match=r"^'second' \(Sin\): TVM cannot compile it"):
            function(network())


def test_what_fails_on_every_model_is_not_the_models_fault(monkeypatch):
    monkeypatch.setattr(relax, "build", failing(relax.build, "main"))
    with pytest.raises(BuildError, match="cannot compile the model for .*: something inside"):
        build(network())


def test_a_contradiction_in_the_model_explains_best(monkeypatch):
    monkeypatch.setattr(relax, "build", failing(relax.build, "T.sin"))
    monkeypatch.setattr(blame, "contradiction", lambda _: "node name: second: wrong")
    with pytest.raises(ModelError, match="cannot be compiled: node name: second: wrong; correct"):
        build(network())
