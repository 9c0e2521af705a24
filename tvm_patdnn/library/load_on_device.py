"""Loads a library of the kind that runs in TVM's virtual machine on a device."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.connect import connect
from tvm_patdnn.device.device_facts import facts_of
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.elf import built_for
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.seal import VM, check_seal

__all__ = ["compute_on", "load_on_device", "send"]

_FAST_CORES = 1  # TVM's word for where threads are put, and its default


def load_on_device(
    path: str | os.PathLike[str], address: DeviceAddress, num_threads: int | None = None
) -> RunnableModel:
    """Sends a library that ``Library.export_library`` wrote to a device, and loads it there.

    Args:
        num_threads: that compute there; as its server was started by default.

    Raises:
        DeviceError: nobody is there, or it is of another architecture or version.
        LibraryError: the file is no such library, or the device cannot load it.
    """
    file = Path(path)
    architecture = built_for(file)
    if check_seal(file).kind != VM:
        raise LibraryError(
            f"{path}: is standalone, and devices run libraries of TVM's virtual machine; build it "
            "with --kind vm, or copy it to the device and run it there"
        )
    session = connect(address)
    facts = facts_of(session)
    if facts is not None:
        facts.check_target(f"{architecture}-linux-gnu")
    if num_threads is not None:
        compute_on(session, num_threads)
    return send(session, file)


def compute_on(session: Any, num_threads: int) -> None:
    """Lets what runs in a session use so many threads there."""
    session.get_function("runtime.config_threadpool")(_FAST_CORES, num_threads)


def send(session: Any, file: Path) -> RunnableModel:
    """Sends a library through a session and loads it on the other side.

    Raises:
        LibraryError: the device goes away, or cannot load the library.
    """
    name = f"model-{uuid.uuid4().hex}.so"  # another than that of any library it has loaded
    try:
        session.upload(str(file), name)
        return RunnableModel(session.load_module(name), session.cpu(0), session=session)
    except (RuntimeError, OSError) as error:
        raise LibraryError(
            f"the device did not load the library: {last_line(error)}; "
            "check that its server runs and that the target fits its CPU"
        ) from error
