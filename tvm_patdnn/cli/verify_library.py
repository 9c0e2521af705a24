"""``tvm-patdnn build --verify``: whether the file that was written computes the same."""

from __future__ import annotations

from pathlib import Path

import tvm

from tvm_patdnn.errors import BuildError
from tvm_patdnn.evaluation.verification import require_reference, verify
from tvm_patdnn.library.loading import load
from tvm_patdnn.machine.targets import TargetLike, host_of, resolve_target
from tvm_patdnn.machine.triples import is_host_platform

__all__ = ["check_verifiable", "verify_library"]

_BY_TVM = ("cuda", "metal")  # GPUs that a model is run on by TVM's virtual machine alone


def check_verifiable(output: Path, target: TargetLike) -> None:
    """Checks, before long work, that the library can be run here and compared.

    Raises:
        BuildError: it cannot.
    """
    require_reference()
    resolved = resolve_target(target)
    triple = str(host_of(resolved).attrs["mtriple"])
    if not is_host_platform(triple):
        raise BuildError(
            f"verify: this machine does not run what is built for '{triple}'; build without "
            "--verify, and compare on the device"
        )
    kind = resolved.kind.name
    if kind in _BY_TVM and not tvm.device(kind).exist:
        raise BuildError(
            f"verify: this machine has no GPU that TVM can use by {kind}; build without --verify, "
            "and compare where there is one"
        )
    if output.suffix in ("", ".a", ".o"):
        raise BuildError(f"verify: {output}: only a shared library can be run; write OUT.so")


def verify_library(path: Path, model: str, storage: str) -> dict[str, float]:
    """Returns the relative difference of each output; raises ``BuildError`` at a large one.

    Args:
        storage: of the tensors between inputs and outputs: "float32" or "float16".
    """
    return verify(load(path), model, storage)
