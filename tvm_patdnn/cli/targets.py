"""``tvm-patdnn targets``: what models can be compiled for."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tvm_patdnn.cli.arguments import add_command

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "targets", "list the names that --target knows", _run)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _run(args: argparse.Namespace) -> None:
    from tvm_patdnn.machine.target_presets import PRESETS

    if args.json:
        print(json.dumps(PRESETS, indent=2))
        return
    width = max(map(len, PRESETS))
    print(f"{'native':{width}}  this machine (the default)")
    for name, config in PRESETS.items():
        print(f"{name:{width}}  {_text(config)}")
    print("others: 'llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72'")
    print("GPUs:   opencl, metal, 'cuda -arch=sm_80', and TVM's tags such as nvidia/nvidia-a100")


def _text(config: dict[str, Any]) -> str:
    words = [f"-{name}={value}" for name, value in config.items() if name not in ("kind", "host")]
    host = [f"(host: {_text(config['host'])})"] if "host" in config else []
    return " ".join([str(config["kind"]), *words, *host])
