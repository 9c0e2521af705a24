"""What became of each convolution of a model: the layerwise report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LayerReport", "Report"]


@dataclass(frozen=True, kw_only=True)
class LayerReport:
    """One convolution.

    Attributes:
        in_shape, out_shape: (n, c, height, width).
        kernel_shape, stride: (y, x).
        patterns: pictures of the distinct patterns, rows joined by "/"; the most frequent first.
        pattern_counts: number of kernels of each.
        kept_kernels, kernels: (out_c, in_c) kernels with a weight, and all of them.
        compression: dense weights over kept weights; None where no weight is left.
        dense_macs, kept_macs: multiply-accumulates before and after pruning.
        kernel: "pattern", "connectivity", "dense" or "depthwise".
        joined: it is computed in one kernel with the layer before it.
        reason: why this kernel was chosen.
        schedule: its tile and how its work is shared out.
        input_loads, products: vectors of activations that the kernel loads, and vectors that
            it multiplies and adds, counted from its generated code.
        bytes: the packed weight, of which ``structure_bytes`` are not weights.
        dense_bytes, csr_bytes: the weight as a dense array, and in compressed sparse rows
            with 32-bit indices.
    """

    name: str
    in_shape: Sequence[int]
    out_shape: Sequence[int]
    kernel_shape: Sequence[int]
    stride: Sequence[int]
    groups: int
    patterns: Sequence[str]
    pattern_counts: Sequence[int]
    kept_kernels: int
    kernels: int
    compression: float | None
    dense_macs: int
    kept_macs: int
    kernel: str
    joined: bool
    reason: str
    schedule: Mapping[str, Any]
    input_loads: int
    products: int
    bytes: int
    structure_bytes: int
    dense_bytes: int
    csr_bytes: int


class Report(Sequence[LayerReport]):
    """The layers in the order of computation; prints as a table."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._layers = tuple(LayerReport(**row) for row in rows)

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._layers[index]

    def __str__(self) -> str:
        rows = [_HEADER, *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER) - 1)]
        return "\n".join(
            "  ".join([*map(str.ljust, row[:-1], widths), row[-1]]).rstrip() for row in rows
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for layer in self._layers:
            yield (
                layer.name,
                "x".join(map(str, layer.out_shape[1:])),
                f"{layer.kernel_shape[0]}x{layer.kernel_shape[1]}/{layer.stride[0]}",
                f"{layer.compression:.1f}x" if layer.compression else "all zero",
                layer.kernel,
                f"{layer.bytes / 1024:.0f}",
                layer.reason,
            )
        yield self._total()

    def _total(self) -> tuple[str, ...]:
        dense = sum(layer.dense_macs for layer in self._layers)
        kept = sum(layer.kept_macs for layer in self._layers)
        packed = sum(layer.bytes for layer in self._layers)
        dense_kib = sum(layer.dense_bytes for layer in self._layers) / 1024
        csr_kib = sum(layer.csr_bytes for layer in self._layers) / 1024
        saved = (
            f"{dense / 1e6:.0f} MMAC dense, {kept / 1e6:.0f} kept; "
            f"{dense_kib:.0f} KiB dense, {csr_kib:.0f} as CSR"
        )
        ratio = f"{dense / kept:.1f}x" if kept else "all zero"
        return ("total", "", "", ratio, "", f"{packed / 1024:.0f}", saved)


_HEADER = ("layer", "output", "kernel", "compression", "computed as", "KiB", "why")
