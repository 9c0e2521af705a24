"""Data caches of well-known CPUs, for machines that we cannot ask."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CacheSizes", "cache_sizes"]

_KB = 1 << 10
_MB = 1 << 20


class CacheSizes(NamedTuple):
    """Bytes of data cache one core can count on; a shared cache divided by its cores."""

    l1: int
    l2: int


_SMALL = CacheSizes(32 * _KB, 256 * _KB)  # true of, or below, nearly every CPU since 2010

# By LLVM's name. From the makers' technical reference manuals; where a core's licensee
# chooses (Arm), the sizes of the boards most people have.
_BY_CPU = {
    "cortex-a7": CacheSizes(32 * _KB, 128 * _KB),
    "cortex-a53": CacheSizes(32 * _KB, 128 * _KB),  # Raspberry Pi 3, Zero 2: 512 KB for four
    "cortex-a55": CacheSizes(32 * _KB, 128 * _KB),
    "cortex-a57": CacheSizes(32 * _KB, 512 * _KB),  # Jetson Nano: 2 MB for four
    "cortex-a72": CacheSizes(32 * _KB, 256 * _KB),  # Raspberry Pi 4: 1 MB for four
    "cortex-a73": CacheSizes(64 * _KB, 256 * _KB),
    "cortex-a76": CacheSizes(64 * _KB, 512 * _KB),  # Raspberry Pi 5
    "cortex-a78ae": CacheSizes(64 * _KB, 256 * _KB),  # Jetson Orin
    "neoverse-n1": CacheSizes(64 * _KB, 1 * _MB),
    "neoverse-n2": CacheSizes(64 * _KB, 1 * _MB),
    "neoverse-v1": CacheSizes(64 * _KB, 1 * _MB),
    "neoverse-v2": CacheSizes(64 * _KB, 2 * _MB),
    "apple-m1": CacheSizes(128 * _KB, 3 * _MB),  # 12 MB for four
    "apple-m2": CacheSizes(128 * _KB, 4 * _MB),
    "apple-m3": CacheSizes(128 * _KB, 4 * _MB),
    "apple-m4": CacheSizes(128 * _KB, 4 * _MB),
    "skylake-avx512": CacheSizes(32 * _KB, 1 * _MB),
    "cascadelake": CacheSizes(32 * _KB, 1 * _MB),
    "icelake-server": CacheSizes(48 * _KB, 1280 * _KB),
    "rocketlake": CacheSizes(48 * _KB, 512 * _KB),
    "alderlake": CacheSizes(48 * _KB, 1280 * _KB),
    "sapphirerapids": CacheSizes(48 * _KB, 2 * _MB),
    "emeraldrapids": CacheSizes(48 * _KB, 2 * _MB),
    "graniterapids": CacheSizes(48 * _KB, 2 * _MB),
    "znver1": CacheSizes(32 * _KB, 512 * _KB),
    "znver2": CacheSizes(32 * _KB, 512 * _KB),
    "znver3": CacheSizes(32 * _KB, 512 * _KB),
    "znver4": CacheSizes(32 * _KB, 1 * _MB),
    "znver5": CacheSizes(48 * _KB, 1 * _MB),
    "x86-64-v4": CacheSizes(32 * _KB, 1 * _MB),  # what servers with AVX-512 have
}


def cache_sizes(cpu: str) -> CacheSizes:
    """Returns the caches of LLVM's ``cpu``, or a safe guess for one not listed."""
    return _BY_CPU.get(cpu, _SMALL)
