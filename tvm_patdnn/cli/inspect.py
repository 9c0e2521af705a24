"""``tvm-patdnn inspect``: what is in a model, and what would become of it."""

from __future__ import annotations

import argparse
from typing import Any

from tvm_patdnn.cli.arguments import (
    add_command,
    add_logs,
    add_model,
    add_output_options,
    add_target,
)
from tvm_patdnn.cli.device_options import add_device, given_device
from tvm_patdnn.cli.without_torch import without_torch
from tvm_patdnn.progress import BUILD_PHASES, INSPECT_PHASES, PhaseBar

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "say which patterns are in a model, what each layer would become, and why"
    parser = add_command(commands, "inspect", text, _run)
    add_model(parser)
    add_target(parser)
    add_logs(parser)
    add_device(parser, "Say what a device is, inspect for it, and time each layer there")
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    device = given_device(args)
    phases = 1 + INSPECT_PHASES if device is None else 2 + BUILD_PHASES
    with PhaseBar(phases, quiet=args.quiet) as progress:
        progress("loading TVM")
        from tvm_patdnn.cli.show_report import (
            interface_facts,
            interface_text,
            report_json,
            report_text,
        )

        with without_torch():
            from tvm_patdnn.compilation import Request
            from tvm_patdnn.inspection import inspect

        shapes = dict(args.input_shape)
        if device is None:
            report = inspect(
                args.model, args.target, input_shapes=shapes, logs=args.logs, progress=progress
            )
            there = None
        else:
            from tvm_patdnn.cli.inspect_device import inspect_on_device

            request = Request(
                onnx_model=args.model, target=args.target, input_shapes=shapes, logs=args.logs
            )
            there = inspect_on_device(request, device, progress)
            report = there.report
    if args.json:
        print(report_json(report, **interface_facts(report), **(there.values() if there else {})))
    else:
        parts = [interface_text(report), report_text(report), *([there.text()] if there else [])]
        print("\n\n".join(parts))
