"""``tvm-patdnn serve``: lets others run and tune models on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tvm_patdnn.cli.arguments import add_command, add_positive

__all__ = ["add_parser"]

_PORT = 9090


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "let others run and tune models on this machine, one at a time; never where strangers"
    parser = add_command(commands, "serve", f"{text} can reach it", _run)
    parser.add_argument(
        "--host", default="0.0.0.0", help="address to listen on (default: all of this machine)"
    )
    add_positive(parser, "--port", _PORT, "to listen on")
    parser.add_argument(
        "--key", metavar="K", default="", help="that clients must give (default: none)"
    )
    parser.add_argument(
        "--tracker", metavar="HOST:PORT", help="TVM's tracker that hands this machine out"
    )


def _run(args: argparse.Namespace) -> None:
    print("tvm-patdnn: loading TVM", file=sys.stderr, flush=True)
    from tvm_patdnn.device.address import DeviceAddress
    from tvm_patdnn.device.device_facts import DeviceFacts
    from tvm_patdnn.device.serve import facts_here, start_server

    tracker = DeviceAddress.parse(args.tracker, args.key, tracked=True) if args.tracker else None
    server = start_server(args.host, args.port, args.key, tracker)
    facts = DeviceFacts.from_json(facts_here())
    print(
        f"tvm-patdnn: serving on {args.host}:{server.port}, key '{args.key}': {facts}; "
        "Ctrl-C ends it",
        file=sys.stderr,
        flush=True,
    )
    try:
        server.proc.join()
    finally:
        server.terminate()
