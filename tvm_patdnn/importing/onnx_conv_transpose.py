"""Writes a transposed convolution as a convolution and a pixel shuffle.

With stride s, the outputs s * q + e of one phase e read only every s-th tap of the kernel,
on consecutive inputs: each phase is a convolution with few taps. All phases together are
one convolution with s * s times the filters. Where phases read different inputs its kernels
hold zeros, in s * s patterns, which cost nothing. What the last phases compute beyond the output is
cut off.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["split_conv_transpose"]

_SLICE_OF_INPUTS = 10  # the operator set from which Slice takes its limits as inputs
_MOST_GROWTH = 16  # of the weight: with strides far beyond the kernel, phases are but zeros


@dataclass(frozen=True)
class _Axis:
    """How the phases of one axis read the input.

    Attributes:
        taps: (phase, offset of the input, tap of the kernel).
        size: of the convolution's kernel.
        before, after: zeros that the convolution needs around the input.
        blocks: outputs of each phase that the convolution computes.
    """

    taps: tuple[tuple[int, int, int], ...]
    size: int
    before: int
    after: int
    blocks: int


def split_conv_transpose(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: ConvTranspose(x, w). After: the pixel shuffle of Conv(x, the phases of w).

    It applies to stride s > 1, the same on both axes, if most phases read something.
    """
    if node.op_type != "ConvTranspose":
        return None
    given, weight = attributes(node), graph.constant(node.input[1])
    data, out = graph.shape(node.input[0]), graph.shape(node.output[0])
    biases = {name: graph.constant(name) for name in node.input[2:] if name}
    if weight is None or weight.ndim != 4 or any(bias is None for bias in biases.values()):
        return None
    if data is None or out is None:
        return None
    stride, *others = set(given.get("strides", [1, 1]))
    if others or stride == 1:
        return None
    plain = given.get("auto_pad", b"NOTSET") == b"NOTSET" and "output_shape" not in given
    if not plain or any(gap != 1 for gap in given.get("dilations", [1])):
        return None
    groups, pads = given.get("group", 1), given.get("pads", [0, 0, 0, 0])
    axes = [
        _axis(taps, stride, pad, sizes)
        for taps, pad, *sizes in zip(weight.shape[2:], pads, data[2:], out[2:], strict=False)
    ]
    if graph.opset < _SLICE_OF_INPUTS and _computed(axes, stride) != tuple(out[2:]):
        return None
    if math.prod(stride * axis.size for axis in axes) > _MOST_GROWTH * math.prod(weight.shape[2:]):
        return None
    phases = _phase_weight(weight, groups, stride, axes)
    inputs = [node.input[0], graph.add_constant(phases, _phases_of(node.input[1]))]
    for name, bias in biases.items():
        inputs.append(graph.add_constant(np.repeat(np.asarray(bias), stride**2), f"{name}_phases"))
    conv = helper.make_node(
        "Conv",
        inputs,
        [graph.fresh(f"{node.output[0]}_phases")],
        name=node.name,
        group=groups,
        kernel_shape=phases.shape[2:],
        pads=[axis.before for axis in axes] + [axis.after for axis in axes],
    )
    return [conv, *_outputs(graph, conv.output[0], node.output[0], out, axes, stride)]


def _phases_of(weight: str) -> str:
    """Names the new weight, so that the layer of up.weight is called up.phases."""
    layer = weight.removesuffix(".weight")
    return f"{layer}.phases" + weight[len(layer) :]


def _axis(taps: int, stride: int, padding: int, sizes: Sequence[int]) -> _Axis:
    """Returns how an axis is read; ``sizes`` are those of the input and of the output."""
    data, out = sizes
    read = tuple(
        (phase, (phase + padding) // stride - step, tap)
        for phase in range(stride)
        for step, tap in enumerate(range((phase + padding) % stride, taps, stride))
    )
    offsets = [0, *(offset for _, offset, _ in read)]
    first, last, needed = min(offsets), max(offsets), -(-out // stride)
    after = max(0, needed + last - data)
    return _Axis(
        taps=read,
        size=last - first + 1,
        before=-first,
        after=after,
        blocks=data + after - last,
    )


def _computed(axes: Sequence[_Axis], stride: int) -> tuple[int, ...]:
    """Returns the size of the plane that all phases compute."""
    return tuple(axis.blocks * stride for axis in axes)


def _phase_weight(
    weight: np.ndarray, groups: int, stride: int, axes: Sequence[_Axis]
) -> np.ndarray:
    """Turns (in_c, out_c per group, kh, kw) into (out_c * stride ** 2, in_c per group, ...)."""
    in_c, out_c, *kernel = weight.shape
    by_group = weight.reshape(groups, in_c // groups, out_c, *kernel).swapaxes(1, 2)
    filters = by_group.reshape(groups * out_c, in_c // groups, *kernel)
    size = [axis.size for axis in axes]
    phases = np.zeros((len(filters), stride, stride, in_c // groups, *size), weight.dtype)
    for (ey, oy, ky), (ex, ox, kx) in itertools.product(axes[0].taps, axes[1].taps):
        phases[:, ey, ex, :, oy + axes[0].before, ox + axes[1].before] = filters[:, :, ky, kx]
    return phases.reshape(-1, in_c // groups, *size)


def _outputs(
    graph: OnnxGraph,
    data: str,
    result: str,
    out: Sequence[int],
    axes: Sequence[_Axis],
    stride: int,
) -> list[onnx.NodeProto]:
    """The phases' pixel shuffle, as much of it as is the output."""
    computed = _computed(axes, stride)
    if computed == tuple(out[2:]):
        return _pixel_shuffle(graph, data, result, out, stride)
    whole = graph.fresh(f"{result}_whole")
    ranges = ([0, 0], list(out[2:]), [2, 3])
    limits = [graph.add_constant(np.array(each), f"{result}_cut") for each in ranges]
    return [
        *_pixel_shuffle(graph, data, whole, [*out[:2], *computed], stride),
        helper.make_node("Slice", [whole, *limits], [result]),
    ]


def _pixel_shuffle(
    graph: OnnxGraph, data: str, result: str, out: Sequence[int], stride: int
) -> list[onnx.NodeProto]:
    """DepthToSpace of the mode CRD, which older operator sets do not have."""
    n, c, height, width = out
    split, moved = graph.fresh(f"{result}_split"), graph.fresh(f"{result}_moved")
    shape = np.array([n, c, stride, stride, height // stride, width // stride])
    shapes = [
        graph.add_constant(shape, f"{result}_shape"),
        graph.add_constant(np.array(out), f"{result}_shape"),
    ]
    return [
        helper.make_node("Reshape", [data, shapes[0]], [split]),
        helper.make_node("Transpose", [split], [moved], perm=[0, 1, 4, 2, 5, 3]),
        helper.make_node("Reshape", [moved, shapes[1]], [result]),
    ]
