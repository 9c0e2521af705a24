"""``tvm-patdnn run``: runs a built library on arrays or images."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import add_command, add_output_options, input_file, numbers, positive
from tvm_patdnn.progress import PhaseBar

if TYPE_CHECKING:
    import numpy as np

    from tvm_patdnn.cli.read_input import Normalisation
    from tvm_patdnn.library.running import RunnableModel
    from tvm_patdnn.library.standalone_model import StandaloneModel

__all__ = ["add_parser"]

_PHASES = 3
_NUMBERS = "one, or one per channel (default: what the model says, or no change)"


def add_parser(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "run", "run a built library on arrays or images", _run)
    parser.add_argument("library", metavar="OUT.so")
    parser.add_argument(
        "--input",
        metavar="NAME=FILE",
        action="append",
        type=input_file,
        required=True,
        help=".npy as it is, or an image, resized to the input's height and width; once per input",
    )
    parser.add_argument("--output", metavar="FILE.npz", type=Path, help="write the outputs here")
    parser.add_argument(
        "--repeats", metavar="N", type=positive, help="measure the latency of N runs"
    )
    _add_image_options(parser)
    add_output_options(parser)


def _add_image_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("images", "Values are (pixel x scale - mean) / std.")
    add = group.add_argument
    add("--scale", type=float, default=1 / 255, help="of pixels 0..255 (default: 1/255)")
    add("--mean", metavar="M[,M,M]", type=numbers, help=_NUMBERS)
    add("--std", metavar="S[,S,S]", type=numbers, help=_NUMBERS)


def _run(args: argparse.Namespace) -> None:
    with PhaseBar(_PHASES, quiet=args.quiet) as progress:
        progress("loading")
        from tvm_patdnn.cli.read_input import Normalisation
        from tvm_patdnn.cli.show_outputs import describe_outputs, outputs_text, save_outputs
        from tvm_patdnn.library.image_facts import image_facts
        from tvm_patdnn.library.loading import load
        from tvm_patdnn.whole_file import check_writable

        if args.output:
            check_writable(args.output)
        model = load(args.library)
        facts = image_facts(model.metadata.properties)
        normalisation = Normalisation(
            scale=args.scale, mean=args.mean or facts.mean or [0], std=args.std or facts.std or [1]
        )
        inputs = _read_inputs(args.input, model, normalisation)
        progress("running")
        outputs = model.run(inputs)
        progress("measuring")
        latencies = model.time(inputs, args.repeats) if args.repeats else []
        if args.output:
            save_outputs(outputs, args.output)
    described = describe_outputs(outputs, latencies)
    print(json.dumps(described, indent=2) if args.json else outputs_text(described))


def _read_inputs(
    files: list[tuple[str, str]],
    model: StandaloneModel | RunnableModel,
    normalisation: Normalisation,
) -> dict[str, np.ndarray]:
    """Reads the files of known inputs; the model complains of unknown ones."""
    from tvm_patdnn.cli.read_input import read_input

    known = model.metadata.inputs
    names = dict(files)
    model.check_names(names)
    return {name: read_input(Path(names[name]), name, known[name], normalisation) for name in names}
