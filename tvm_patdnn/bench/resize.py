"""Gives a model images of another size."""

from __future__ import annotations

import onnx

from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import BenchError

__all__ = ["resize_images"]

_IMAGE_RANK = 4


def resize_images(model: onnx.ModelProto, size: int, name: str) -> onnx.ModelProto:
    """Returns the model for square images.

    Args:
        model: whose image inputs are (n, c, height, width); it is not changed.
        size: the new height and width.
        name: of the model, for messages.

    Raises:
        BenchError: there is no image input, or the layers do not fit the new size.
    """
    resized = onnx.ModelProto()
    resized.CopyFrom(model)
    shapes = [value.type.tensor_type.shape.dim for value in resized.graph.input]
    images = [shape for shape in shapes if len(shape) == _IMAGE_RANK]
    if not images:
        raise BenchError(f"{name}: has no input (n, c, height, width) to give another size")
    for shape in images:
        shape[2].dim_value = shape[3].dim_value = size
    del resized.graph.value_info[:]
    for value in resized.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(resized, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        said = last_line(error)
        raise BenchError(
            f"{name}: does not work on images of {size}x{size} ({said}); give a network that "
            "takes any size, such as one without fully connected layers"
        ) from error
