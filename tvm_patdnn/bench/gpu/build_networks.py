"""Builds networks for a CUDA device that is elsewhere: folders that run there without TVM.

``python -m tvm_patdnn.bench.gpu.build_networks NET.onnx ... -o FOLDER --arch sm_90``
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tvm_patdnn.bench.gpu.compile_cuda import compile_cuda
from tvm_patdnn.bench.gpu.network_program import BINARY, SOURCE
from tvm_patdnn.bench.gpu.race_networks import EXPECTED, made_inputs
from tvm_patdnn.bench.gpu.write_network import write_network
from tvm_patdnn.builder import source_model
from tvm_patdnn.compilation import Request
from tvm_patdnn.standalone.write_folder import compile_device_program

__all__ = [
    "BATCHES",
    "LEVELS",
    "build_network",
    "coarse",
    "convolutions_only",
    "expected_outputs",
    "with_batch",
]

BATCHES = (1, 8)
LEVELS = 7  # of a coarse weight, to either side of zero

_LOG = logging.getLogger(__name__)


def build_network(model: onnx.ModelProto, target: str, folder: Path, **facts: object) -> None:
    """Writes one network with its binary, an input and what ONNX Runtime makes of it.

    Raises:
        ModelError, TargetError, BuildError: as ``build``.
        BenchError: nvcc is missing, or does not compile the kernels.
    """
    storage = str(facts.get("storage", "float32"))
    source = source_model(Request(onnx_model=model, target=target, storage=storage))
    write_network(compile_device_program(source), source.metadata, folder, **facts)
    arch = str(source.target.attrs["arch"])
    compile_cuda((folder / SOURCE).read_text(), folder / BINARY, arch)
    np.savez_compressed(folder / EXPECTED, allow_pickle=False, **expected_outputs(model))


def coarse(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model with few distinct weights, which compress well; zeros are the same."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for stored in made.graph.initializer:
        array = numpy_helper.to_array(stored)
        if array.ndim < 2 or array.dtype != np.float32 or not array.any():
            continue
        step = np.abs(array).max() / LEVELS
        levels = np.sign(array) * np.maximum(1, np.round(np.abs(array) / step))
        stored.CopyFrom(numpy_helper.from_array((levels * step).astype(np.float32), stored.name))
    return made


def with_batch(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    """Returns the model for ``batch`` images at a time."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for tensor in made.graph.input:
        tensor.type.tensor_type.shape.dim[0].dim_value = batch
    for tensor in made.graph.output:
        tensor.type.tensor_type.ClearField("shape")
    made.graph.ClearField("value_info")
    return made


def convolutions_only(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model up to where it flattens its planes."""
    nodes = list(model.graph.node)
    cut = next((i for i, n in enumerate(nodes) if n.op_type in ("Flatten", "Reshape")), None)
    if cut is None:
        return model
    kept, result = nodes[:cut], nodes[cut].input[0]
    read = {name for node in kept for name in node.input}
    stored = [each for each in model.graph.initializer if each.name in read]
    output = onnx.helper.make_tensor_value_info(result, onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(kept, "convolutions", model.graph.input, [output], stored)
    return onnx.helper.make_model(
        graph, ir_version=model.ir_version, opset_imports=model.opset_import
    )


def expected_outputs(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Returns what ONNX Runtime makes of ``made_inputs``, by output."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString())
    inputs = made_inputs({tensor.name: tensor.shape for tensor in session.get_inputs()})
    names = [tensor.name for tensor in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def main(words: Sequence[str] | None = None) -> None:
    """Builds every network for every batch size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", nargs="+", type=Path, metavar="NET.onnx")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--batch", type=int, action="append", metavar="N")
    parser.add_argument("--storage", choices=("float32", "float16"), default="float32")
    parser.add_argument(
        "--convolutions", action="store_true", help="cut the models where planes are flattened"
    )
    args = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for path in args.models:
        model = onnx.load(path)
        model = coarse(convolutions_only(model) if args.convolutions else model)
        for batch in args.batch or BATCHES:
            network, _, variant = path.stem.partition("-")
            facts = {"network": network, "variant": variant or "dense", "batch": batch}
            folder = args.output / f"{path.stem}-{batch}-{args.storage}"
            _LOG.info("%s", folder)
            build_network(
                with_batch(model, batch),
                f"cuda -arch={args.arch}",
                folder,
                **facts,
                storage=args.storage,
            )


if __name__ == "__main__":
    main()
