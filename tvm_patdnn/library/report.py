"""What became of each convolution of a model: the layerwise report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["NONE_OF_OURS", "LayerReport", "Report"]

NONE_OF_OURS = (
    "WARNING: no convolution of our kernels is reported, so pruning gains nothing here: all is "
    "left to TVM's plain kernels, which are slow. Ours compute two-dimensional convolutions in "
    "float32 or int8; a model in float16 is best exported as float32"
)


class Report(Sequence[LayerReport]):
    """The layers in the order of computation; prints as a table.

    Attributes:
        inputs, outputs: shape and dtype of each of the model's, by name and in order.
    """

    def __init__(
        self,
        layers: Sequence[LayerReport],
        *,
        inputs: Mapping[str, TensorSpec] | None = None,
        outputs: Mapping[str, TensorSpec] | None = None,
    ) -> None:
        self._layers = tuple(layers)
        self.inputs, self.outputs = dict(inputs or {}), dict(outputs or {})

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._layers[index]

    def __str__(self) -> str:
        if not self:
            return NONE_OF_OURS
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
                layer.kernel if layer.dtype == "float32" else f"{layer.kernel}, {layer.dtype}",
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
