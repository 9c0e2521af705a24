"""``tvm-patdnn run``: runs a built library on arrays or images."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tvm_patdnn.cli.arguments import add_command, add_output_options, input_file, positive
from tvm_patdnn.cli.device_options import add_device, given_device
from tvm_patdnn.cli.image_options import add_image_options, normalisation
from tvm_patdnn.cli.seen_warnings import seen_warnings
from tvm_patdnn.cli.without_torch import without_torch
from tvm_patdnn.progress import PhaseBar

__all__ = ["add_parser"]

_PHASES = 3


def add_parser(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "run", "run a built library on arrays or images", _run)
    parser.add_argument("library", metavar="OUT.so")
    parser.add_argument(
        "--input",
        metavar="NAME=FILE",
        action="append",
        type=input_file,
        default=[],
        help=".npy as it is, or an image, resized to the input's height and width, or a folder of "
        "images; once per input (default: made-up numbers)",
    )
    parser.add_argument("--output", metavar="FILE.npz", type=Path, help="write the outputs here")
    parser.add_argument(
        "--repeats", metavar="N", type=positive, help="measure the latency of N runs"
    )
    parser.add_argument(
        "--threads",
        metavar="N",
        type=positive,
        help="that compute (default: one for each physical core)",
    )
    add_device(parser, "Run the library there; it is one of TVM's, as `build --kind vm` writes it")
    add_image_options(parser)
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    results = []
    with PhaseBar(_PHASES, quiet=args.quiet) as progress:
        progress("loading")
        from tvm_patdnn.cli.run_inputs import given_inputs
        from tvm_patdnn.cli.show_outputs import describe_outputs, save_outputs, stacked
        from tvm_patdnn.library.image_facts import image_facts
        from tvm_patdnn.whole_file import check_writable

        if args.output:
            check_writable(args.output)
        with without_torch(), seen_warnings(quiet=args.quiet):
            model = _loaded(args)
        facts = image_facts(model.metadata.properties)
        if args.input:
            model.check_names(dict(args.input))
        progress("running")
        for name, inputs in given_inputs(args.input, model.inputs, normalisation(args, facts)):
            results.append((name, model.run(inputs)))
        progress("measuring")
        latencies = model.time(inputs, args.repeats) if args.repeats else []
        if args.output:
            all_outputs = [outputs for _, outputs in results]
            save_outputs(stacked(all_outputs) if _has_folder(args) else results[0][1], args.output)
    described = {name: describe_outputs(outputs, latencies) for name, outputs in results}
    _show(args, described, facts.classes)


def _loaded(args: argparse.Namespace) -> Any:
    device = given_device(args)
    if device is not None:
        from tvm_patdnn.library.load_on_device import load_on_device

        return load_on_device(args.library, device, args.threads)
    from tvm_patdnn.library.loading import load

    return load(args.library, args.threads)


def _show(
    args: argparse.Namespace, described: dict[str, dict[str, Any]], classes: Sequence[str]
) -> None:
    from tvm_patdnn.cli.show_outputs import file_line, outputs_text

    if _has_folder(args):
        lines = [file_line(name, each, classes) for name, each in described.items()]
        print(json.dumps({"files": described}, indent=2) if args.json else "\n".join(lines))
        return
    ((name, found),) = described.items()
    if not (args.input or args.json):
        print(f"computed from {name}")
    print(json.dumps(found, indent=2) if args.json else outputs_text(found, classes))


def _has_folder(args: argparse.Namespace) -> bool:
    return any(Path(path).is_dir() for _, path in args.input)
