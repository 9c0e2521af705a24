"""The few numbers about a CPU that schedules depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tvm_ffi
from tvm.target import Target

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.cpu_caches import cache_sizes
from tvm_patdnn.machine.dot_instructions import DotInstructions, best_dot_instructions
from tvm_patdnn.machine.host_cpu import host_cache_bytes, host_cpu, host_triple
from tvm_patdnn.machine.triples import architecture, is_host_platform

__all__ = ["CpuModel"]

_DEFAULT_CORES = 4
_L1_SHARE = 0.875  # of L1 that inputs may take if they are to stay there
_L2_SHARE = 0.46  # the same of L2, through which weights and outputs pass, too
_COUNTS = ("lanes", "registers", "l1_bytes", "l2_bytes", "num_cores", "passes")
_HALF_WIDE = ("znver4",)  # their AVX-512 goes through units of 256 bits
_AMD = "znver"
_LINE_LANES = 16  # a vector is a line of the caches


@dataclass(frozen=True, kw_only=True)
class CpuModel:
    """A CPU as a schedule sees it.

    Attributes:
        lanes: float32 values in a vector: 16 with AVX-512, 8 with AVX, 4 with SSE and NEON.
        registers: vector registers a kernel can use.
        l1_bytes: first-level data cache of a core.
        l2_bytes: second-level cache that a core can count on.
        num_cores: cores that share the work.
        dots: instructions that multiply and add bytes.
        passes: of a vector through the units, which are 1/passes as wide.
        l1_parts: of inputs that overflow L1 a part is there.
        streams: rows of inputs in L2 begin to come early.
        name: LLVM's name of it, by which measurements are filed.
    """

    lanes: int
    registers: int
    l1_bytes: int
    l2_bytes: int
    num_cores: int
    dots: DotInstructions = "plain"
    passes: int = 1
    l1_parts: bool = False
    streams: bool = False
    name: str = "generic"

    def __post_init__(self) -> None:
        for name in _COUNTS:
            value = getattr(self, name)
            if value < 1:
                raise TargetError(f"CpuModel.{name}: got {value}, expected a positive number")

    @property
    def as_ranked(self) -> CpuModel:
        """The same in simpler numbers, by which the ways to compute a 1x1 layer are ranked.

        On a Zen 4 they choose what takes 0.7 to 0.8 of the time of what the others choose. How the
        best of the pruned ways compares with the best of the dense ones is for the others to say.
        """
        return replace(self, passes=1, l1_parts=False, streams=False)

    @property
    def l1_room(self) -> float:
        """Bytes of inputs that stay in L1 while they are used again and again."""
        return self.l1_bytes * _L1_SHARE

    @property
    def l2_room(self) -> float:
        """The same of L2."""
        return self.l2_bytes * _L2_SHARE

    @classmethod
    def from_target(cls, target: Target) -> CpuModel:
        """Describes the CPU of an LLVM target, best one made by ``resolve_target``.

        Raises:
            TargetError: the target is not a CPU that LLVM compiles for.
        """
        if target.kind.name != "llvm":
            raise TargetError(
                f"target kind '{target.kind.name}': CPUs only; expected 'llvm', or a preset such "
                "as 'raspberry-pi-4'"
            )
        triple = str(target.attrs.get("mtriple", host_triple()))
        lanes, registers = _vectors(target, triple)
        name = str(target.attrs.get("mcpu", "generic"))
        l1_bytes, l2_bytes = _caches(name, triple)
        whole_lines = lanes == _LINE_LANES
        return cls(
            lanes=lanes,
            registers=registers,
            l1_bytes=l1_bytes,
            l2_bytes=l2_bytes,
            num_cores=int(target.attrs.get("num-cores", _DEFAULT_CORES)),
            dots=best_dot_instructions(architecture(triple), _features(target)),
            passes=2 if whole_lines and name in _HALF_WIDE else 1,
            l1_parts=whole_lines,
            streams=whole_lines and name.startswith(_AMD),
            name=name,
        )


def _vectors(target: Target, triple: str) -> tuple[int, int]:
    """Returns the lanes and the number of the widest vector registers."""
    arch = architecture(triple)
    if arch == "aarch64":
        return 4, 32  # NEON; SVE's length is not known when we compile
    if arch not in ("x86_64", "i386"):
        return 4, 16  # 32-bit NEON, and a modest guess for everything else
    features = _features(target)
    small = 8 if arch == "i386" else 16
    if "avx512f" in features:
        return 16, 32 if arch == "x86_64" else small
    return (8 if "avx" in features else 4), small


def _features(target: Target) -> set[str]:
    return {str(name) for name in tvm_ffi.get_global_func("target.llvm_get_cpu_features")(target)}


def _caches(cpu: str, triple: str) -> tuple[int, int]:
    known = cache_sizes(cpu)
    if cpu != host_cpu() or not is_host_platform(triple):
        return known.l1, known.l2
    return host_cache_bytes(1) or known.l1, host_cache_bytes(2) or known.l2
