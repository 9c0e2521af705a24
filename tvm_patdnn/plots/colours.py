"""One colour for each system, in every plot of the project."""

from __future__ import annotations

__all__ = ["colour_of"]

# Ours stands out; its dense twin is a paler shade; the others are told apart by anyone.
_COLOURS = {
    "tvm-patdnn": "#d55e00",
    "tvm-dense": "#f2b48c",
    "tvm-untuned": "#c9c9c9",
    "onnxruntime": "#0072b2",
    "openvino": "#56b4e9",
    "ncnn": "#009e73",
    "MNN": "#8fc97a",
    "torch": "#cc79a7",
    # Searches.
    "genetic": "#d55e00",
    "random": "#0072b2",
    "default": "#4d4d4d",
    # The rungs of the ladder, ever closer to ours.
    "dense": "#f0c4a6",
    "csr": "#4d4d4d",
    "no-opt": "#bfd3e6",
    "+reorder": "#9ebcda",
    "+LRE": "#8c6bb1",
    "+tune": "#c85200",
}
_UNKNOWN = "#7f7f7f"


def colour_of(system: str) -> str:
    """Returns the colour of a system, as #rrggbb."""
    return _COLOURS.get(system, _UNKNOWN)
