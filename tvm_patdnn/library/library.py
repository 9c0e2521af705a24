"""A built model: write it to a file, run it here or on a device, load it again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import tvm

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.device import Device
from tvm_patdnn.device.device_facts import facts_of
from tvm_patdnn.errors import BuildError, LibraryError
from tvm_patdnn.library.constant_file import ConstantFile
from tvm_patdnn.library.cross_compile import export_compiler
from tvm_patdnn.library.interface import ModelInterface
from tvm_patdnn.library.load_on_device import send
from tvm_patdnn.library.load_vm import load
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.library.object_files import check_file_size, objects_in_memory
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.seal import VM, seal
from tvm_patdnn.library.standalone_model import StandaloneModel
from tvm_patdnn.machine.targets import host_of, is_gpu
from tvm_patdnn.machine.triples import is_host_platform
from tvm_patdnn.native_warnings import without_native_warnings
from tvm_patdnn.whole_file import write_whole

__all__ = ["Library", "load"]

AnyDevice: TypeAlias = "Device | tvm.rpc.RPCSession | DeviceAddress | str"

_OBJECTS = ("lib0.o", "devc.o")  # as TVM names its kernels, and what it packs beside them


class Library(ModelInterface):
    """What ``build`` returns.

    Attributes:
        target: what it was built for.
        metadata: its inputs, outputs and layers.
    """

    def __init__(
        self,
        executable: tvm.relax.VMExecutable | Callable[[], tvm.relax.VMExecutable],
        target: tvm.target.Target,
        metadata: Metadata,
        constants: ConstantFile | None = None,
        write_standalone: Callable[..., None] | None = None,
    ) -> None:
        """Keeps what was built.

        Args:
            executable: the program of TVM's virtual machine, or what compiles it when it is
                needed.
            target: what it was built for.
            metadata: goes with it.
            constants: of its kernels, which LLVM reads when it writes them.
            write_standalone: what ``export_standalone`` calls with its arguments.
        """
        self._compiled = executable
        self._constants = constants
        self._write_standalone = write_standalone
        self.target = target
        self.metadata = metadata

    @cached_property
    def _executable(self) -> tvm.relax.VMExecutable:
        if isinstance(self._compiled, tvm.relax.VMExecutable):
            return self._compiled
        return self._compiled()

    def export_library(self, path: str | os.PathLike[str]) -> None:
        """Writes a shared library for the target, whole or not at all.

        Raises:
            BuildError: there is no linker for the target, or the file cannot be written.
        """
        linker = export_compiler(self.target)
        check_file_size(self._largest_file)
        with write_whole(Path(path)) as partial:
            folder = partial.parent
            try:
                with without_native_warnings(), objects_in_memory(folder, _OBJECTS):
                    self._executable.export_library(
                        str(partial), fcompile=linker, workspace_dir=str(folder)
                    )
                seal(partial, VM)
            except OSError as error:
                raise BuildError(f"{path}: cannot be written: {error}") from error

    def export_standalone(
        self,
        path: str | os.PathLike[str],
        name: str = "model",
        *,
        header: bool = True,
        report: bool = True,
    ) -> None:
        """Writes the model for programs without TVM: C functions and a header for them.

        A model for a GPU finds its device by OpenCL when it runs.

        Args:
            path: a shared library (.so), a static one (.a) or an object file (.o), for which
                this machine needs a C compiler for the target, with the header beside it; or
                a folder (no suffix) of C files, which is compiled elsewhere.
            name: prefix of the functions and name of the header; a C identifier. Models of
                different names can be in one program.
            header: write the header, never over another file.
            report: store what became of each layer in the library.

        Raises:
            BuildError: the model has what is not known before it runs, such as sizes that
                depend on the data; it is for a GPU that is not reached by OpenCL; there is no
                compiler; or the file cannot be written.
        """
        if self._write_standalone is None:
            raise BuildError("standalone: this library was not made by build(), which can do it")
        self._write_standalone(Path(path), name, header=header, report=report)

    def _largest_file(self) -> int:
        """Returns bytes that no file of the library exceeds: text is longer than its code."""
        return len(self.assembly()) + (self._constants.size if self._constants else 0)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Computes the outputs on this machine; see ``RunnableModel.run``.

        Raises:
            LibraryError: the library is for another platform, there is no such GPU, or an input
                is wrong.
        """
        return self.runnable.run(inputs)

    def _about(self) -> list[str]:
        triple = host_of(self.target).attrs["mtriple"]
        return [
            f"for {self.target.kind.name} on {triple}" if is_gpu(self.target) else f"for {triple}"
        ]

    def assembly(self) -> str:
        """Returns the generated kernels in the target's assembly language; a GPU's as source."""
        if is_gpu(self.target):
            return "\n".join(self._device_sources())
        return "\n".join(
            str(module.inspect_source("asm"))
            for module in self._executable.mod.imports
            if module.kind == "llvm"
        )

    def _device_sources(self) -> Iterator[str]:
        for module in self._executable.mod.imports:
            yield from (str(imported.inspect_source()) for imported in module.imports)

    @cached_property
    def runnable(self) -> RunnableModel | StandaloneModel:
        """The model, loaded on this machine."""
        triple = str(host_of(self.target).attrs["mtriple"])
        if not is_host_platform(triple):
            raise LibraryError(
                f"the library is built for '{triple}', which this machine does not run; "
                "write it with export_library and run it there, or use on_device"
            )
        if self.target.kind.name == "opencl":
            return self._loaded_standalone()
        return RunnableModel(self._executable)

    def _loaded_standalone(self) -> StandaloneModel:
        """The model without TVM, whose wheels have no OpenCL."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.so"
            self.export_standalone(path, header=False)
            return StandaloneModel(path)

    def on_device(self, device: AnyDevice) -> RunnableModel:
        """Sends the library to a device and loads it there.

        Args:
            device: "host:port" of a device on which `tvm-patdnn serve` runs; a ``Device``; or a
                session of TVM's, from ``tvm.rpc.connect`` or a tracker's ``request``, whose calls
                have no time limit.

        Raises:
            DeviceError: nobody is there, or it is of another architecture or version.
            LibraryError: the device goes away, or cannot load the library.
        """
        session = _session(device)
        facts = facts_of(session)
        if facts is not None:
            facts.check_target(str(self.target.attrs["mtriple"]))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.so"
            self.export_library(path)
            return send(session, path)


def _session(device: AnyDevice) -> tvm.rpc.RPCSession:
    if isinstance(device, tvm.rpc.RPCSession):
        return device
    return (device if isinstance(device, Device) else Device(device)).session
