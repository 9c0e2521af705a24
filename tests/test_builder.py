import numpy as np
import onnxruntime
import pytest
from tvm import relax

from tests.built import inputs, library, pruned_network
from tests.onnx_models import conv_model
from tvm_patdnn.builder import build
from tvm_patdnn.errors import BuildError, ModelError, TargetError
from tvm_patdnn.optimizations import Optimizations


def reference():
    session = onnxruntime.InferenceSession(pruned_network().SerializeToString())
    return session.run(None, inputs())[0]


def test_computes_what_onnx_runtime_does():
    expected = reference()
    found = library().run(inputs())
    assert list(found) == ["y"]
    assert np.abs(found["y"] - expected).max() < 1e-5 * np.abs(expected).max()


def test_phases_are_announced_and_the_module_is_dumped(tmp_path):
    phases = []
    dense = build(
        pruned_network(),
        optimizations=Optimizations(sparse=False),
        dump=tmp_path / "passes",
        progress=phases.append,
    )
    assert phases == ["import", "canonical form", "our kernels", "the rest", "code generation"]
    names = sorted(path.name for path in (tmp_path / "passes").iterdir())
    assert names[0].startswith("01-FoldConstantViews")
    assert any("RewriteToLanes" in name for name in names)
    assert [layer.kernel for layer in dense.report] == ["dense", "dense"]
    assert "switched off" in dense.report[1].reason
    expected = reference()
    assert np.abs(dense.run(inputs())["y"] - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_metadata_tells_the_interface():
    metadata = library().metadata
    assert metadata.inputs == {"x": ((1, 3, 16, 16), "float32")}
    assert metadata.outputs == {"y": ((1, 8, 16, 16), "float32")}
    assert {"apache-tvm", "onnx", "numpy"} <= set(metadata.versions)
    assert '"llvm"' in metadata.target


def test_dynamic_inputs_need_a_shape():
    with pytest.raises(ModelError, match="input 'x' has shape"):
        build(conv_model(["N", 3, 8, 8]))
    fixed = build(conv_model(["N", 3, 8, 8]), input_shapes={"x": (2, 3, 8, 8)})
    assert fixed.run({"x": np.zeros((2, 3, 8, 8), "float32")})["y"].shape == (2, 4, 6, 6)


def test_unknown_targets_are_refused_before_the_model_is_read():
    with pytest.raises(TargetError, match="target 'raspberry': unknown"):
        build("no such file.onnx", "raspberry")
    with pytest.raises(TargetError, match="target kind 'vulkan': expected 'llvm' for CPUs"):
        build("no such file.onnx", "vulkan")


def test_what_tvm_cannot_compile_is_a_build_error(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("Traceback\nCheck failed: something inside")

    monkeypatch.setattr(relax, "build", fail)
    with pytest.raises(
        BuildError, match="TVM cannot compile the model for .*: Check failed: something inside; ple"
    ):
        build(conv_model())
