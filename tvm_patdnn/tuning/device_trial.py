"""A convolution's kernels for a GPU as a library that TVM calls, to be timed on OpenCL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tvm
from tvm.tirx import PrimFunc

from te_schedules.gpu.conv2d import conv2d, sum_parts
from te_schedules.gpu.conv2d_binding import GpuConv2d
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import c_compiler, describe_c_compilers
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.standalone.c_texts import fill, template
from tvm_patdnn.standalone.device_code import device_code
from tvm_patdnn.standalone.device_program import link_device_program
from tvm_patdnn.standalone.link import link_trial
from tvm_patdnn.standalone.sequence import Call, Ref, Sequence, Tensor
from tvm_patdnn.standalone.write_folder import write_device_program
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["DeviceTrial"]

_NAME = "trial"


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceTrial:
    """A model of one layer.

    Attributes:
        functions: its kernels.
        calls: in which order they are called with what.
    """

    functions: Mapping[str, PrimFunc]
    calls: Sequence

    @classmethod
    def of(cls, kernel: GpuConv2d) -> DeviceTrial:
        """Returns what computes a convolution without an epilogue, in one kernel or two."""
        geometry, constants = kernel.geometry, list(kernel.constants.values())
        stored = [Ref("constant", i) for i in range(len(constants))]
        result, parts = Ref("output", 0), Ref("temporary", 0)
        first = result if kernel.splits == 1 else parts
        calls = Sequence(
            inputs=[Tensor(geometry.in_shape, kernel.storage)],
            outputs=[Tensor(geometry.out_shape, kernel.storage)],
            constants=constants,
            calls=[Call("conv2d", (Ref("input", 0), *stored, first))],
        )
        functions = {"conv2d": conv2d(kernel)}
        if kernel.splits > 1:
            calls.temporaries.append(4 * int(np.prod(kernel.parts_shape)))
            calls.calls.append(Call("sum_parts", (parts, result)))
            functions["sum_parts"] = sum_parts(kernel)
        return cls(functions=functions, calls=calls)

    def write(self, target: tvm.target.Target, folder: Path, library: Path) -> None:
        """Compiles it.

        Args:
            folder: for what is made on the way.

        Raises:
            BuildError: there is no C compiler for the target's host, or it fails.
        """
        compiler = c_compiler(target)
        if compiler is None:
            raise BuildError(f"tune: {describe_c_compilers(target)}")
        program = link_device_program(self.calls, device_code(self.functions, target))
        texts = write_device_program(program, self._metadata(target), "", folder, _NAME)
        (folder / f"{_NAME}.h").write_text(texts.header())
        (folder / f"{_NAME}.c").write_text(texts.source())
        (folder / "main.c").write_text(fill(template("opencl_trial.c"), {"name": _NAME}))
        link_trial(compiler, folder, "main.c", library)

    def _metadata(self, target: tvm.target.Target) -> Metadata:
        def specs(kind: str, tensors: list[Tensor]) -> dict[str, TensorSpec]:
            return {
                f"{kind}{i}": TensorSpec(tuple(each.shape), each.dtype)
                for i, each in enumerate(tensors)
            }

        return Metadata(
            target=str(target),
            inputs=specs("input", self.calls.inputs),
            outputs=specs("output", self.calls.outputs),
        )
