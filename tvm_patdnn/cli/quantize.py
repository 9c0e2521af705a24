"""``tvm-patdnn quantize``: a float network in int8, without training."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import (
    add_command,
    add_input_shape,
    add_model,
    add_output_options,
    positive,
)
from tvm_patdnn.cli.image_options import (
    add_image_options,
    normalisation,
    warn_of_guessed_scale,
)
from tvm_patdnn.cli.plain_warnings import plain_warnings
from tvm_patdnn.errors import QuantizationError
from tvm_patdnn.progress import PhaseBar

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["add_parser"]

_PHASES = 3
_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".npy", ".png", ".webp"})


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "quantise a float network to int8, without training, by onnxruntime.quantization"
    parser = add_command(commands, "quantize", text, _run)
    add_model(parser)
    add = parser.add_argument
    add("-o", "--output", metavar="OUT.onnx", type=Path, required=True)
    add(
        "--data",
        metavar="FOLDER",
        type=Path,
        required=True,
        help="images such as the network will see, or .npy files of its input, in folders of any "
        "depth; their values give the scales",
    )
    add(
        "--limit",
        metavar="N",
        type=positive,
        default=128,
        help="N of the files, spread over all (%(default)s)",
    )
    add_input_shape(add)
    add_image_options(parser)
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    with (
        PhaseBar(_PHASES, quiet=args.quiet) as progress,
        plain_warnings(quiet=args.quiet),
    ):
        progress("loading")
        from tvm_patdnn.quantizing import quantize_onnx
        from tvm_patdnn.whole_file import check_writable, write_whole

        check_writable(args.output)
        paths = _chosen(args.data, args.limit)
        batches = _batches(args, paths)
        progress("quantising")
        model = quantize_onnx(args.model, batches)
        progress("writing")
        with write_whole(args.output) as partial:
            partial.write_bytes(model.SerializeToString())
    print(_json(model, paths) if args.json else _text(model, paths))


def _chosen(folder: Path, limit: int) -> list[Path]:
    """Returns ``limit`` files of a folder, spread over all of them."""
    if not folder.is_dir():
        raise QuantizationError(f"{folder}: no such folder; give one with inputs of the network")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise QuantizationError(
            f"{folder}: there is no file in it to quantise by ({', '.join(sorted(_SUFFIXES))})"
        )
    return found[:: max(1, len(found) // limit)][:limit]


def _batches(args: argparse.Namespace, paths: list[Path]) -> Iterator[Mapping[str, np.ndarray]]:
    """Reads the files as inputs of the model: the first at once, the others when needed."""
    from tvm_patdnn.cli.read_input import read_input
    from tvm_patdnn.importing.importer import fixed_model, input_specs
    from tvm_patdnn.library.image_facts import image_facts

    model = fixed_model(args.model, dict(args.input_shape))
    specs = input_specs(model)
    if len(specs) != 1:
        raise QuantizationError(
            f"{args.model}: has inputs {', '.join(specs)}; expected one: quantise it from Python, "
            "by tvm_patdnn.quantize_onnx"
        )
    ((name, spec),) = specs.items()
    properties = {entry.key: entry.value for entry in model.metadata_props}
    facts = image_facts(properties)
    if any(path.suffix.lower() != ".npy" for path in paths):
        warn_of_guessed_scale(args, facts)
    values = normalisation(args, facts)
    first, *others = ({name: path} for path in paths)

    def read(batch: Mapping[str, Path]) -> Mapping[str, np.ndarray]:
        return {name: read_input(path, name, spec, values) for name, path in batch.items()}

    return chain([read(first)], map(read, others))


def _counts(model: onnx.ModelProto) -> dict[str, int]:
    nodes = model.graph.node
    made = {name: node for node in nodes for name in node.output}
    layers = [node for node in nodes if node.op_type in ("Conv", "Gemm", "MatMul")]
    quantised = [
        node
        for node in layers
        if node.input[1] in made and made[node.input[1]].op_type == "DequantizeLinear"
    ]
    return {"layers": len(layers), "int8": len(quantised)}


def _json(model: onnx.ModelProto, paths: list[Path]) -> str:
    return json.dumps({**_counts(model), "files": len(paths)})


def _text(model: onnx.ModelProto, paths: list[Path]) -> str:
    counts = _counts(model)
    return f"{counts['int8']} of {counts['layers']} layers in int8, by {len(paths)} files"
