"""Models are built for every kind of GPU on a machine without one."""

import re
import shutil
import subprocess
from functools import lru_cache

import numpy as np
import onnxruntime
import pytest

import tvm_patdnn
from models.export import export_onnx, make_network
from tests.built import pruned_network
from tests.gpu.networks import many_operators
from tests.gpu.opencl import require_opencl
from tvm_patdnn.errors import BuildError

TARGETS = ["opencl", "adreno", "mali", "cuda -arch=sm_80", "cuda -arch=sm_90", "metal"]
FOUR = {
    "vgg16": "models.vgg:vgg16",
    "resnet18": "models.resnet:resnet18",
    "resnet50": "models.resnet:resnet50",
    "mobilenet_v2": "models.mobilenet:mobilenet_v2",
}


@lru_cache(maxsize=1)
def four(name, pruned):
    shape = (1, 3, 224, 224)
    model = export_onnx(make_network(FOUR[name], input_shape=shape), shape)
    return tvm_patdnn.prune_onnx(model, filter_block=4) if pruned else model


def sources(model, target, **options):
    text = tvm_patdnn.build(model, target, **options).assembly()
    assert re.search(r"\b\w*conv2d\w*_kernel\(", text)
    return text


def check_by_nvcc(text, folder, arch):
    """Compiles CUDA; nothing may be kept in memory for want of registers.

    nvcc limits registers by itself where it is not told how many blocks shall fit, and spills.
    """
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc on this machine")
    (folder / "k.cu").write_text(text)
    line = ["nvcc", "-cubin", "-O3", f"-arch={arch}", "-Xptxas", "-v", "-o", "k.cubin", "k.cu"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"(\d+) bytes spill stores", done.stderr)) == {"0"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_small_network(target):
    sources(pruned_network(), target)


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_what_cuda_makes_of_many_operators(storage, tmp_path):
    text = sources(many_operators(), "cuda -arch=sm_80", storage=storage)
    assert ("half* __restrict__" in text) == (storage == "float16")
    check_by_nvcc(text, tmp_path, "sm_80")


@pytest.mark.parametrize("target", ["opencl", "metal"])
def test_half_precision_in_other_languages(target):
    text = sources(many_operators(), target, storage="float16")
    assert re.search(r"\bhalf\b", text)


def test_storages_that_are_not():
    with pytest.raises(BuildError, match="storage='int8': expected one of float32, float16"):
        tvm_patdnn.build(pruned_network(), "opencl", storage="int8")
    with pytest.raises(BuildError, match=r"storage='float16': is for GPUs; build for one \(target"):
        tvm_patdnn.build(pruned_network(), storage="float16")


def test_inspect_reports_what_build_does():
    report = tvm_patdnn.inspect(pruned_network(), "cuda -arch=sm_90")
    built = tvm_patdnn.build(pruned_network(), "cuda -arch=sm_90").report
    assert str(report) == str(built)


@pytest.mark.long
@pytest.mark.parametrize("target", ["opencl", "metal", "cuda -arch=sm_80", "cuda -arch=sm_90"])
@pytest.mark.parametrize("pruned", [True, False], ids=["pruned", "dense"])
@pytest.mark.parametrize("name", FOUR)
def test_the_four_networks(name, pruned, target, tmp_path):
    text = sources(four(name, pruned), target)
    if target.startswith("cuda"):
        check_by_nvcc(text, tmp_path, target[-5:])


@pytest.mark.long
@pytest.mark.parametrize("pruned", [True, False], ids=["pruned", "dense"])
@pytest.mark.parametrize("name", FOUR)
def test_the_four_networks_by_opencl(name, pruned):
    require_opencl()
    model = four(name, pruned)
    x = np.random.default_rng(0).standard_normal((1, 3, 224, 224), np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (input_name,) = (each.name for each in session.get_inputs())
    (expected,) = session.run(None, {input_name: x})
    (found,) = tvm_patdnn.build(model, "opencl", lazy=True).run({input_name: x}).values()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
