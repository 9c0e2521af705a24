"""What torch's exporters do not export, and what the compiler declines."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DECLINED", "EXPORTED_OTHERWISE", "NOT_EXPORTED"]

_LEGACY = {
    "AdaptiveAvgPool odd": "output size that are not factor",
    "ChannelShuffle layer": "aten::channel_shuffle",
    "RMSNorm layer": "aten::rms_norm",
    "TransformerEncoderLayer": "'is_causal'",
    "affine_grid": "aten::affine_grid_generator",
    "fold": "aten::col2im",
    "interpolate antialias": "aten::_upsample_bilinear2d_aa",
    "interpolate nearest-exact": "aten::_upsample_nearest_exact2d",
    "rot90": "aten::rot90",
}

# By exporter and idiom: part of what the exporter says.
NOT_EXPORTED: Mapping[str, Mapping[str, str]] = {
    "legacy-11": _LEGACY
    | {
        "CELU": "aten::celu",
        "MultiheadAttention": "aten::unflatten",
        "einsum attention": "aten::einsum",
        "einsum channels": "aten::einsum",
        "grid_sample": "aten::grid_sampler",
        "masked_fill": "aten::triu",
        "rotary positions": "aten::outer",
        "scaled_dot_product_attention": "aten::scaled_dot_product_attention",
        "split by halves of a view": "aten::tensor_split",
        "tril": "aten::tril",
    },
    "legacy-17": _LEGACY,
    "dynamo": {},
}

# Idioms whose files, run by ONNX Runtime, do not give torch's numbers or its types, either: these
# exporters write a quotient that is rounded to zero, and numbers of 64 bits.
_LEGACY_OTHERWISE = frozenset(
    {"YOLO with DFL", "casts", "floor_divide and remainder", "pad by shape"}
)
EXPORTED_OTHERWISE: Mapping[str, frozenset[str]] = {
    "legacy-11": _LEGACY_OTHERWISE,
    "legacy-17": _LEGACY_OTHERWISE,
    "dynamo": frozenset(),
}

# The operator that TVM's importer does not have, by idiom.
DECLINED: Mapping[str, str] = {
    "GRU": "GRU",
    "LSTM": "LSTM",
    "fold": "Col2Im",
}
