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
from tvm_patdnn.progress import INSPECT_PHASES, PhaseBar

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "say which patterns are in a model, what each layer would become, and why"
    parser = add_command(commands, "inspect", text, _run)
    add_model(parser)
    add_target(parser)
    add_logs(parser)
    add_device(parser, "Ask a device what the target is")
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    with PhaseBar(INSPECT_PHASES + 1, quiet=args.quiet) as progress:
        progress("loading TVM")
        from tvm_patdnn.cli.show_report import (
            interface_facts,
            interface_text,
            report_json,
            report_text,
        )

        with without_torch():
            from tvm_patdnn.inspection import inspect

        report = inspect(
            args.model,
            args.target or _target_of(args),
            input_shapes=dict(args.input_shape),
            logs=args.logs,
            progress=progress,
        )
    if args.json:
        print(report_json(report, **interface_facts(report)))
    else:
        print(f"{interface_text(report)}\n\n{report_text(report)}")


def _target_of(args: argparse.Namespace) -> dict[str, Any] | None:
    device = given_device(args)
    if device is None:
        return None
    from tvm_patdnn.device.connect import known_facts

    return known_facts(device).target
