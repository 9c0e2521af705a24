"""Gives every input of an ONNX model a fixed shape."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from copy import deepcopy

import onnx

from tvm_patdnn.errors import ModelError

__all__ = ["InputShapes", "fix_input_shapes"]

InputShapes = Mapping[str, Sequence[int]]
Dim = int | str  # a size, or the name of a size that is not known ("?": without a name)

_TYPICAL_SIDE = 224  # what the example in an error message proposes for height and width


def fix_input_shapes(
    model: onnx.ModelProto, input_shapes: InputShapes | None, *, in_place: bool = False
) -> onnx.ModelProto:
    """Returns a copy of ``model`` whose inputs all have the sizes asked for.

    Initializers are no longer listed as inputs in it, and shapes of inner tensors are
    forgotten, as they may have been computed for other sizes.

    Args:
        model: left as it is.
        input_shapes: sizes by input name; needed for inputs with a dynamic dimension.
        in_place: change ``model`` and return it, rather than a copy.

    Raises:
        ModelError: a name is unknown, a shape contradicts the model, or one is missing.
    """
    fixed = model if in_place else deepcopy(model)
    _drop_initializer_inputs(fixed)
    del fixed.graph.value_info[:]
    inputs = {value.name: value for value in fixed.graph.input}
    wanted = {name: _sizes(name, shape) for name, shape in (input_shapes or {}).items()}
    for name, shape in wanted.items():
        if name not in inputs:
            raise ModelError(f"input_shapes: no input '{name}'; the inputs are {_listed(inputs)}")
        _set_shape(inputs[name], shape)
    _require_fixed(inputs)
    return fixed


def _drop_initializer_inputs(model: onnx.ModelProto) -> None:
    stored = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in stored]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.ir_version = max(model.ir_version, 4)  # before 4 an initializer had to be an input


def _sizes(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ModelError(f"input_shapes['{name}']: got {shape!r}, expected positive whole numbers")
    return sizes


def _set_shape(value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    declared = _dims(value)
    agrees = declared is None or (
        len(declared) == len(shape)
        and all(isinstance(dim, str) or dim == size for dim, size in zip(declared, shape))
    )
    if not agrees:
        raise ModelError(
            f"input_shapes['{value.name}']: got {list(shape)}, but the model says "
            f"{_pretty(declared)}; only dynamic dimensions can be chosen, export the model "
            "again for other sizes"
        )
    tensor_type = value.type.tensor_type
    tensor_type.ClearField("shape")
    for size in shape:
        tensor_type.shape.dim.add().dim_value = size


def _require_fixed(inputs: Mapping[str, onnx.ValueInfoProto]) -> None:
    shapes = {name: _dims(value) for name, value in inputs.items()}
    dynamic = {name: dims for name, dims in shapes.items() if not _is_fixed(dims)}
    if not dynamic:
        return
    found = "; ".join(f"input '{name}' has shape {_pretty(d)}" for name, d in dynamic.items())
    example = {name: _example(dims) for name, dims in dynamic.items()}
    options = " ".join(
        f"--input-shape {name}:{','.join(map(str, shape))}" for name, shape in example.items()
    )
    raise ModelError(
        f"{found}: expected fixed sizes, kernels are made for them; give the ones you run with, "
        f"for example input_shapes={example} (on the command line: {options})"
    )


def _dims(value: onnx.ValueInfoProto) -> list[Dim] | None:
    if not value.type.HasField("tensor_type"):
        raise ModelError(f"input '{value.name}': is not a tensor; only tensors are supported")
    if not value.type.tensor_type.HasField("shape"):
        return None
    return [
        dim.dim_value if dim.dim_value > 0 else dim.dim_param or "?"
        for dim in value.type.tensor_type.shape.dim
    ]


def _is_fixed(dims: list[Dim] | None) -> bool:
    return dims is not None and all(isinstance(dim, int) for dim in dims)


def _example(dims: list[Dim] | None) -> list[int]:
    dims = ["N", 3, "H", "W"] if dims is None else dims
    unknown = [1, *[_TYPICAL_SIDE] * len(dims)]
    return [dim if isinstance(dim, int) else unknown[axis] for axis, dim in enumerate(dims)]


def _pretty(dims: list[Dim] | None) -> str:
    return "unknown" if dims is None else f"[{', '.join(map(str, dims))}]"


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(f"'{name}'" for name in names)
