"""What the report says of a convolution, however it is computed."""

from __future__ import annotations

from typing import Any

from relay_passes.recognition.analyze_convolutions import ConvLayer
from tvm_patdnn.layer_report import LayerReport

__all__ = ["report_row"]

_INDEX_BYTES = 4  # of compressed sparse rows


def report_row(layer: ConvLayer, *, value_bytes: int, **computed: Any) -> LayerReport:
    """Returns the row of a layer.

    Args:
        value_bytes: of a weight.
        computed: the fields that say how the layer is computed, and from what.
    """
    found = layer.found
    filters = layer.weight.shape[0]
    return LayerReport(
        name=layer.name,
        in_shape=list(layer.in_shape),
        out_shape=list(layer.out_shape),
        kernel_shape=list(layer.kernel_shape),
        stride=list(layer.stride),
        groups=layer.groups,
        patterns=[str(pattern) for pattern in found.patterns],
        pattern_counts=list(found.counts),
        kept_kernels=found.kept_kernels,
        kernels=int(found.ids.size),
        compression=found.compression if found.kept_weights else None,
        dense_macs=layer.dense_macs,
        kept_macs=layer.kept_macs,
        dense_bytes=value_bytes * layer.weight.size,
        csr_bytes=(value_bytes + _INDEX_BYTES) * found.kept_weights + _INDEX_BYTES * (filters + 1),
        **computed,
    )
