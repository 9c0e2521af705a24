"""Writes a built model as the kind of library that was asked for, or the best that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvm_patdnn.cli.written import Written
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import c_compiler, describe_c_compilers, export_compiler
from tvm_patdnn.library.library import Library
from tvm_patdnn.machine.targets import TargetLike, resolve_target
from tvm_patdnn.standalone.export import check_standalone_path
from tvm_patdnn.whole_file import check_writable

__all__ = ["WriteOptions"]


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """What to write.

    Attributes:
        kind: "standalone" or "vm"; None: the former where it can be.
        name: of a standalone model.
    """

    output: Path
    kind: str | None
    name: str

    @property
    def may_be_standalone(self) -> bool:
        """Whether it is worth trying."""
        return self.kind == "standalone" or (self.kind is None and self.output.suffix == ".so")

    def check(self, target: TargetLike) -> None:
        """Checks, before long work, that the output can be written.

        Raises:
            BuildError: it cannot, or there is no linker for the target.
        """
        if self.kind == "standalone":
            check_standalone_path(self.output, self.name, resolve_target(target))
            return
        check_writable(self.output)
        resolved = resolve_target(target)
        if not self.may_be_standalone or c_compiler(resolved) is None:
            export_compiler(resolved)

    def write(self, library: Library) -> Written:
        """Writes the library.

        Raises:
            BuildError: it cannot be compiled, linked or written.
        """
        if self.kind == "standalone":
            library.export_standalone(self.output, self.name)
            header = [self.output.with_name(f"{self.name}.h")] if self.output.suffix else []
            return self._written(library, "standalone", more=header)
        reason = self._not_standalone(library) if self.may_be_standalone else ""
        if self.may_be_standalone and not reason:
            return self._written(library, "standalone")
        library.export_library(self.output)
        return self._written(library, "vm", reason=reason)

    def _written(
        self, library: Library, kind: str, more: Sequence[Path] = (), reason: str = ""
    ) -> Written:
        target, layers = library.metadata.target, library.metadata.layers
        return Written.at(self.output, kind, target, layers, more=more, reason=reason)

    def _not_standalone(self, library: Library) -> str:
        """Tries; returns why it cannot be."""
        if c_compiler(library.target) is None:
            return describe_c_compilers(library.target)
        try:
            library.export_standalone(self.output, self.name, header=False)
        except BuildError as error:
            return str(error)
        return ""
