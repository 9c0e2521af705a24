"""Code that does nothing but multiply and add, as fast as a CPU can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["PEAKS"]

# By the instruction that ends a product: as many independent ones as hide their latency, and
# before each what else makes the product.
PEAKS: Mapping[str, Sequence[str]] = {
    "fmla": [f"fmla v{i}.4s, v30.4s, v31.4s" for i in range(24)],
    "vfmadd231ps": [f"vfmadd231ps %ymm14, %ymm15, %ymm{i}" for i in range(14)],
    "sdot": [f"sdot v{i}.4s, v30.16b, v31.16b" for i in range(24)],
    "usdot": [f"usdot v{i}.4s, v30.16b, v31.16b" for i in range(24)],
    "sadalp": [
        line
        for i in range(12)
        for line in (
            f"smull v{i + 12}.8h, v30.8b, v31.8b",
            f"smlal2 v{i + 12}.8h, v30.16b, v31.16b",
            f"sadalp v{i}.4s, v{i + 12}.8h",
        )
    ],
    "vpdpbusd": [f"vpdpbusd %zmm30, %zmm31, %zmm{i}" for i in range(24)],
    "vpmaddubsw": [
        line
        for i in range(12)
        for line in (
            "vpmaddubsw %ymm15, %ymm14, %ymm13",
            "vpmaddwd %ymm15, %ymm13, %ymm12",
            f"vpaddd %ymm12, %ymm{i}, %ymm{i}",
        )
    ],
}
