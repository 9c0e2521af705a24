"""The dense models that sweeps prune."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from tvm_patdnn.bench.resize import resize_images
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.errors import BenchError
from tvm_patdnn.importing.onnx_file import load_onnx
from tvm_patdnn.importing.onnx_shapes import InputShapes, fix_input_shapes
from tvm_patdnn.pruning import prune_onnx

__all__ = ["DenseSource", "layer_source", "model_source"]

_IMAGE = 224
_SHRUNK = 4  # the layer's input is a quarter as wide as the image


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseSource:
    """A dense model, and how it is pruned.

    Attributes:
        name: in rows.
        at: makes it for images of a height and width; None for its own.
        single_layer: its first layer is all there is, and is pruned.
    """

    name: str
    at: Callable[[int | None], onnx.ModelProto]
    single_layer: bool = False

    def subject(self, size: int | None = None, **options: float) -> Subject:
        """Prunes it, with ``options`` of ``prune_onnx``."""
        dense = self.at(size)
        pruned = prune_onnx(dense, first_layer=self.single_layer, **options)  # type: ignore[arg-type]
        return Subject(model=self.name, pruned=pruned, dense=dense)


def layer_source() -> DenseSource:
    """Returns VGG's convolution 256->256, at 56x56 where the image is 224x224."""
    layer = SampleLayer(in_c=256, out_c=256, side=_IMAGE // _SHRUNK)

    def at(size: int | None) -> onnx.ModelProto:
        if size is not None and size % _SHRUNK:
            raise BenchError(
                f"image-size: got the value {size}, expected a multiple of {_SHRUNK}, as the "
                f"layer's input is 1/{_SHRUNK} as wide as the image"
            )
        side = (size or _IMAGE) // _SHRUNK
        return SampleLayer(in_c=layer.in_c, out_c=layer.out_c, side=side).dense()

    return DenseSource(name=f"VGG-16 {layer}", at=at, single_layer=True)


def model_source(path: Path, input_shapes: InputShapes | None) -> DenseSource:
    """Reads a model.

    Raises:
        ModelError: it cannot be read, or a dynamic input has no shape.
    """
    dense = fix_input_shapes(load_onnx(path), input_shapes)

    def at(size: int | None) -> onnx.ModelProto:
        return dense if size is None else resize_images(dense, size, path.stem)

    return DenseSource(name=path.stem, at=at)
