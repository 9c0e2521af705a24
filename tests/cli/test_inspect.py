import json

import onnx
import pytest

from relay_passes.pipeline import plan_pipeline
from tests.built import library
from tests.onnx_models import conv_model, model_of
from tests.records.samples import record
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.library.report import NONE_OF_OURS
from tvm_patdnn.records.record_files import append_records


def test_says_what_the_build_will_do(files, printed):
    report = json.loads(printed("inspect", files / "pruned.onnx", "--json"))
    assert [layer["name"] for layer in report["layers"]] == ["conv1", "conv2"]
    assert report["layers"] == [vars(layer) for layer in library().report]
    conv2 = report["layers"][1]
    assert report["pattern_counts"] == dict(zip(conv2["patterns"], conv2["pattern_counts"]))
    assert len(report["pattern_counts"]) == 4
    assert sum(report["pattern_counts"].values()) == 32
    assert report["inputs"] == {"x": {"shape": [1, 3, 16, 16], "dtype": "float32"}}
    assert report["outputs"] == {"y": {"shape": [1, 8, 16, 16], "dtype": "float32"}}
    assert report["total"]["kept_macs"] == sum(la["kept_macs"] for la in report["layers"])


def test_text(files, printed):
    text = printed("inspect", files / "pruned.onnx")
    assert text.startswith(
        "input   x: float32 [1, 3, 16, 16]\noutput  y: float32 [1, 8, 16, 16]\n\nlayer "
    )
    assert str(library().report) in text
    assert "patterns in 3x3 kernels (4):\n" in text
    assert "convolution weights: 3 KiB dense" in text


def test_a_model_without_convolutions(tmp_path, printed):
    path = tmp_path / "relu.onnx"
    onnx.save(model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 4)}), path)
    *interface, said = printed("inspect", path).splitlines()
    assert interface == ["input   x: float32 [1, 4]", "output  y: float32 [1, 4]", ""]
    assert said == NONE_OF_OURS
    assert said.startswith("WARNING: no convolution of our kernels")


def test_dynamic_inputs(tmp_path, printed, failing, misused):
    path = tmp_path / "dynamic.onnx"
    onnx.save(conv_model(["N", 3, "H", "W"]), path)
    assert "(on the command line: --input-shape x:1,3,224,224)" in failing("inspect", path)
    assert "4x30x30" in printed("inspect", path, "--input-shape", "x:1,3,32,32")
    assert "'x=1' is not an input shape" in misused("inspect", path, "--input-shape", "x=1")


def test_for_another_target(files, printed, failing):
    chosen = json.loads(
        printed("inspect", files / "pruned.onnx", "--target", "raspberry-pi-4", "--json")
    )
    assert chosen["layers"][1]["patterns"] == list(library().report[1].patterns)
    assert "target 'pi': unknown; " in failing("inspect", files / "pruned.onnx", "--target", "pi")


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "no such file"), (b"", "is empty"), (b"nonsense", "is not an ONNX model")],
)
def test_what_is_no_model(tmp_path, failing, data, message):
    path = tmp_path / "model.onnx"
    if data is not None:
        path.write_bytes(data)
    assert f"{path}: {message}" in failing("inspect", path)


def test_with_a_log(files, tmp_path, printed, failing):
    log = tmp_path / "log.jsonl"
    planned = plan_of(files / "pruned.onnx").convolutions[1]
    schedule = {**vars(planned.choice.schedule), "chunks": 3}
    append_records(log, [record(1e-6, planned.key, sparse=True, schedule=schedule)])
    layers = json.loads(printed("inspect", files / "pruned.onnx", "--logs", log, "--json"))[
        "layers"
    ]
    assert layers[1]["schedule"]["chunks"] == 3
    assert layers[1]["reason"].endswith("scheduled as measured")
    assert "no such file" in failing("inspect", files / "pruned.onnx", "--logs", tmp_path / "none")


def plan_of(path):
    compilation = Compilation.of(Request(onnx_model=path), lambda phase: None)
    with compilation.target:
        return plan_pipeline(compilation.model.module, compilation.options)
