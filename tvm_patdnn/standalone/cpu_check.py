"""A C expression that tells whether the CPU it runs on has what the kernels were compiled for."""

from __future__ import annotations

import tvm_ffi
from tvm.target import Target

from tvm_patdnn.machine.triples import architecture, operating_system

__all__ = ["cpu_check"]

# What code generators use on their own, by LLVM's names; GCC and clang know the same.
_X86 = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni")
# Linux's HWCAP bits of AArch64.
_AARCH64 = {"lse": 1 << 8, "fullfp16": 1 << 10, "dotprod": 1 << 20, "sve": 1 << 22}


def cpu_check(target: Target) -> str:
    """Returns the expression; "1" where nothing is known to check."""
    triple = str(target.attrs["mtriple"])
    features = tvm_ffi.get_global_func("target.llvm_get_cpu_features")(target)
    present = {str(feature) for feature in features}
    if architecture(triple) == "x86_64":
        checks = [f'__builtin_cpu_supports("{name}")' for name in _X86 if name in present]
    elif architecture(triple) == "aarch64" and operating_system(triple) in ("linux", "android"):
        wanted = sum(bit for name, bit in _AARCH64.items() if name in present)
        checks = [f"(getauxval(AT_HWCAP) & {wanted}ul) == {wanted}ul"] if wanted else []
    else:
        checks = []
    return " && ".join(checks) or "1"
