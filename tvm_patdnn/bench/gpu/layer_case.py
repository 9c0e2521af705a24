"""What is raced on a GPU: one layer, pruned in one way, computed by one schedule.

Cases are prepared where TVM is and run where the GPU is, which need not be the same machine. So
they are plain data, and weights are made anew from a seed by both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["LAYERS", "Layer", "LayerCase", "LayerLaunch", "Variant", "layer_weight"]

Variant = Literal["free", "blocks of 4", "dense"]

PICTURES = (
    "##./##./...", ".##/.##/...", ".../##./##.", ".../.##/.##",
    ".#./##./.#.", ".#./.##/.#.", ".#./###/...", ".../###/.#.",
)  # fmt: skip
CONNECTIVITY = 3.6


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A 3x3 convolution of stride 1, as large as its input, with bias and ReLU."""

    name: str
    in_c: int
    out_c: int
    side: int

    @property
    def dense_macs(self) -> int:
        """Multiply-accumulates of an image before pruning."""
        return 9 * self.in_c * self.out_c * self.side**2


# VGG-16's distinct convolutions but the first, by the names that PatDNN gives them.
LAYERS = (
    Layer(name="L2", in_c=64, out_c=64, side=224),
    Layer(name="L3", in_c=64, out_c=128, side=112),
    Layer(name="L4", in_c=128, out_c=128, side=112),
    Layer(name="L5", in_c=128, out_c=256, side=56),
    Layer(name="L6", in_c=256, out_c=256, side=56),
    Layer(name="L7", in_c=256, out_c=512, side=28),
    Layer(name="L8", in_c=512, out_c=512, side=28),
    Layer(name="L9", in_c=512, out_c=512, side=14),
)


@dataclass(frozen=True, kw_only=True)
class LayerLaunch:
    """One launch: the kernel, the names of its arguments in order, and the sizes."""

    kernel: str
    arguments: tuple[str, ...]
    grid: tuple[int, int, int]
    block: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class LayerCase:
    """A kernel of a layer.

    Attributes:
        storage: of tensors: "float32" or "float16".
        schedule: the fields of a ``GpuSchedule``.
        channel: how far apart channels lie in shared memory, in the schedule's columns.
        micros: what the cost model says.
        module: the file with its machine code, in the bundle.
        launches: in order.
    """

    layer: Layer
    batch: int
    variant: Variant
    storage: str
    schedule: dict[str, Any]
    channel: int
    micros: float
    module: str
    launches: tuple[LayerLaunch, ...]

    @property
    def name(self) -> str:
        """That no other case of a bundle has."""
        return f"{self.module}:{self.launches[0].kernel}"

    def as_json(self) -> dict[str, Any]:
        """Returns what ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> LayerCase:
        """Returns the case that was written."""
        launches = tuple(
            LayerLaunch(
                kernel=each["kernel"],
                arguments=tuple(each["arguments"]),
                grid=tuple(each["grid"]),
                block=tuple(each["block"]),
            )
            for each in fields["launches"]
        )
        return cls(**{**fields, "layer": Layer(**fields["layer"]), "launches": launches})


def layer_weight(
    layer: Layer, variant: Variant
) -> tuple[np.ndarray, np.ndarray, tuple[Pattern, ...], int]:
    """Returns a random weight as it is pruned: always the same for a layer.

    Returns:
        The weight (out_c, in_c, 3, 3) float32, the pattern of each kernel (out_c, in_c) int32
        or -1, the patterns, and how many filters share a list.
    """
    rng = np.random.default_rng(0)
    shape = (layer.out_c, layer.in_c)
    scale = np.float32(1 / np.sqrt(4 * layer.in_c))
    weight = rng.standard_normal((*shape, 3, 3), np.float32) * scale
    if variant == "dense":
        full = Pattern(kernel_shape=(3, 3), taps=tuple(np.ndindex(3, 3)))
        return weight, np.zeros(shape, np.int32), (full,), 4
    patterns = tuple(Pattern.from_picture(picture) for picture in PICTURES)
    block = 4 if variant == "blocks of 4" else 1
    lists = (-(-layer.out_c // block), layer.in_c)
    ids = rng.integers(0, len(patterns), lists).astype(np.int32)
    # Every filter keeps as many kernels: the smallest random numbers of its row.
    rank = rng.random(lists).argsort(axis=1).argsort(axis=1)
    ids[rank >= round(layer.in_c / CONNECTIVITY)] = -1
    ids = np.repeat(ids, block, axis=0)[: layer.out_c]
    masks = np.array([pattern.mask() for pattern in patterns] + [np.zeros((3, 3), bool)])
    return weight * masks[ids], ids, patterns, block
