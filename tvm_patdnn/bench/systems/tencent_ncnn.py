"""ncnn: converted by pnnx, float32 throughout, Winograd and packed layouts on."""

from __future__ import annotations

import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.system import Inputs, Job, Loaded, Prepared, System

__all__ = ["SYSTEM"]

_FILES = ("pnnxparam", "pnnxbin", "pnnxpy", "pnnxonnx", "ncnnparam", "ncnnbin", "ncnnpy")
_HALF_PRECISION = (
    "use_fp16_packed",
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_bf16_packed",
    "use_bf16_storage",
)


def _prepare(job: Job) -> Prepared:
    """Converts with the program in the package: its Python wrapper imports torch.

    The program works out the input shapes by itself. All its by-products go to a scratch
    folder, and what ncnn needs to another one.
    """
    spec = find_spec("pnnx")
    program = Path(str(spec.origin)).parent / "pnnx" if spec else Path("pnnx")
    scratch, kept = job.folder / "scratch", job.folder / "ncnn"
    scratch.mkdir()
    kept.mkdir()
    targets = {name: scratch / name for name in _FILES}
    targets |= {"ncnnparam": kept / "model.param", "ncnnbin": kept / "model.bin"}
    arguments = [f"{name}={path}" for name, path in targets.items()]
    done = subprocess.run(
        [str(program), str(job.model), "fp16=0", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not targets["ncnnparam"].exists():
        raise RuntimeError(f"pnnx failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return Prepared(path=kept)


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    ncnn: Any = import_module("ncnn")
    net = ncnn.Net()
    net.opt.num_threads = job.threads
    net.opt.use_vulkan_compute = False
    for option in _HALF_PRECISION:
        if hasattr(net.opt, option):
            setattr(net.opt, option, False)
    for option in ("use_winograd_convolution", "use_sgemm_convolution", "use_packing_layout"):
        setattr(net.opt, option, True)
    if net.load_param(str(path / "model.param")) or net.load_model(str(path / "model.bin")):
        raise RuntimeError("ncnn does not load what pnnx wrote")
    if any(array.shape[0] != 1 for array in inputs.values()):
        raise RuntimeError("ncnn has no batches: it computes batch 1 only")
    # pnnx renames inputs and outputs to in0, in1, ... and out0, ...; ncnn has no batch axis.
    mats = {f"in{i}": ncnn.Mat(array[0]) for i, array in enumerate(inputs.values())}
    names = sorted(net.output_names(), key=lambda name: int(name.removeprefix("out")))

    def run() -> list[Any]:
        extractor = net.create_extractor()
        for name, mat in mats.items():
            extractor.input(name, mat)
        return [extractor.extract(name)[1] for name in names]

    return Loaded(run=run, outputs=lambda mats: [np.array(mat)[None] for mat in mats])


SYSTEM = System(
    name="ncnn",
    packages=("ncnn", "pnnx"),
    imports=lambda: import_module("ncnn"),
    requirements=("ncnn", "pnnx", "numpy"),
    without_dependencies=("pnnx",),  # torch, which only its wrapper needs
    prepare=_prepare,
    load=_load,
)
