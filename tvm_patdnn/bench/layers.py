"""Cuts a model down to its distinct convolutions."""

from __future__ import annotations

from typing import Any

import onnx

from tvm_patdnn.bench.cut_convolutions import CutConvolution, cut_convolutions
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.errors import BenchError

__all__ = ["layer_subjects"]


def layer_subjects(
    model: str, pruned: onnx.ModelProto, dense: onnx.ModelProto | None = None
) -> list[Subject]:
    """Makes a subject of each distinct convolution; of equal ones, the first stands for all.

    Args:
        model: its name.
        pruned: with fixed input shapes.
        dense: the same network before pruning.

    Raises:
        BenchError: there is no convolution, or the two networks differ in more than weights.
    """
    found = cut_convolutions(pruned)
    if not found:
        raise BenchError(f"{model}: has no convolution with constant weights to cut out")
    twins = cut_convolutions(dense) if dense is not None else found
    if [each.key for each in twins] != [each.key for each in found]:
        raise BenchError(
            f"{model}: its convolutions are not those of the dense model; give the model that "
            "was pruned"
        )
    counts: dict[tuple[Any, ...], int] = {}
    for each in found:
        counts[each.key] = counts.get(each.key, 0) + 1
    firsts = {each.key: i for i, each in reversed(list(enumerate(found)))}
    return [
        Subject(
            model=model,
            layer=_describe(found[i], counts[key]),
            pruned=found[i].as_model(pruned),
            dense=twins[i].as_model(dense) if dense is not None else None,
        )
        for key, i in sorted(firsts.items(), key=lambda item: item[1])
    ]


def _describe(layer: CutConvolution, count: int) -> str:
    out_c, in_c, *kernel = layer.weight_shape
    size = "x".join(map(str, kernel))
    side = "x".join(map(str, layer.in_shape[2:]))
    strides = [each.ints[0] for each in layer.node.attribute if each.name == "strides"]
    stride = f"/{strides[0]}" if strides and strides[0] > 1 else ""
    times = f", {count} times" if count > 1 else ""
    channels = in_c * (layer.in_shape[1] // in_c)
    return f"{layer.name} ({size}{stride}, {channels}->{out_c}@{side}{times})"
