"""MNN: converted by its own converter, high precision (float32), Winograd where it chooses."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.system import Inputs, Job, Loaded, Prepared, System

__all__ = ["SYSTEM"]


def _prepare(job: Job) -> Prepared:
    """Converts with the compiled module alone.

    Its wrapper MNN.tools.mnnconvert must not be imported: it runs `pip install` with whatever
    pip is on the path, for a client that sends statistics.
    """
    path = job.folder / "model.mnn"
    files = ["--modelFile", str(job.model), "--MNNModel", str(path)]
    import_module("_tools").mnnconvert(
        ["mnnconvert", "-f", "ONNX", *files, "--bizCode", "tvm-patdnn"]
    )
    if not path.exists():
        raise RuntimeError("mnnconvert wrote no file")
    return Prepared(path=path)


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    mnn: Any = import_module("MNN")
    config = {"backend": "CPU", "precision": "high", "numThread": job.threads}
    manager = mnn.nn.create_runtime_manager((config,))
    network = mnn.nn.load_module_from_file(
        str(path), list(inputs), list(job.outputs), runtime_manager=manager
    )
    variables = [_variable(mnn, array) for array in inputs.values()]

    def run() -> list[np.ndarray]:  # reading is what makes sure that all is computed
        return [output.read() for output in network.forward(variables)]

    return Loaded(run=run, outputs=lambda results: [np.array(each) for each in results])


def _variable(mnn: Any, array: np.ndarray) -> Any:
    kinds = {"float32": mnn.expr.float, "int32": mnn.expr.int, "uint8": mnn.expr.uint8}
    if str(array.dtype) not in kinds:
        raise RuntimeError(f"an input of {array.dtype}; this adapter knows {sorted(kinds)}")
    variable = mnn.expr.placeholder(list(array.shape), mnn.expr.NCHW, kinds[str(array.dtype)])
    variable.write(array)
    return variable


SYSTEM = System(
    name="MNN",
    packages=("MNN",),
    imports=lambda: import_module("MNN"),
    requirements=("MNN", "numpy"),
    prepare=_prepare,
    load=_load,
)
