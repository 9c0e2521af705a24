"""The options that name a device."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tvm_patdnn.device.address import DeviceAddress

__all__ = ["add_device", "given_device"]


def add_device(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds the options.

    Args:
        text: what is done there.
    """
    group = parser.add_argument_group("devices", f"{text}. `tvm-patdnn serve` runs there.")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--device", metavar="HOST:PORT", help="a device")
    where.add_argument(
        "--tracker", metavar="HOST:PORT", help="TVM's tracker, which knows devices by their key"
    )
    group.add_argument(
        "--key", metavar="K", default="", help="that the device's server was started with"
    )


def given_device(args: argparse.Namespace) -> DeviceAddress | None:
    """Returns the device that was named, if any.

    Raises:
        DeviceError: it is not HOST:PORT; a tracker without a key; or TVM is not here.
    """
    from tvm_patdnn.errors import DeviceError

    if not (args.device or args.tracker):
        return None
    if args.tracker and not args.key:
        raise DeviceError("--tracker: give the --key of the devices, too")
    try:
        from tvm_patdnn.device.address import DeviceAddress
    except ImportError as error:
        raise DeviceError(
            "--device: this distribution only runs libraries here; install tvm-patdnn"
        ) from error
    return DeviceAddress.parse(args.device or args.tracker, args.key, tracked=bool(args.tracker))
