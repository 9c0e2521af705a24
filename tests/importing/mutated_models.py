"""Damages ONNX files as transfers, exporters and attackers do: at random, the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import onnx
from google.protobuf.message import Message
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import conv_model, model_of

__all__ = ["SOUND", "mutated"]

_NUMBERS = (0, 1, -1, 2, 3, 7, 100, -100, 255, 2**16, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62)
_TEXTS = ("", "x", "y", "Conv", "Relu", "w", " z", "a/b/../c", "SAME_UPPER", "linear", "é")
_BYTES = (b"", b"\xff\xfe", b"\0" * 64, b"linear", b"NOTSET")
_FLOATS = (0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"))


def _node(op: str, inputs: str, output: str, **given: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], name=op.lower(), **given)


def _shapes() -> onnx.ModelProto:
    nodes = [
        _node("Pad", "x pads", "p"),
        _node("Conv", "p w", "c", auto_pad="SAME_UPPER", strides=[2, 2]),
        _node("BatchNormalization", "c s b m v", "n"),
        _node("HardSwish", "n", "h"),
        _node("ConvTranspose", "h wt", "t", strides=[2, 2]),
        _node("Shape", "t", "shape"),
        _node("Gather", "shape none", "rows"),
        _node("Concat", "rows rest", "flat", axis=0),
        _node("Reshape", "t flat", "r"),
        _node("Gemm", "r g", "y"),
    ]
    four = np.ones(4, "f4")
    weights = {
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "w": np.ones((4, 3, 3, 3), "f4"),
        **dict.fromkeys("sbmv", four),
        "wt": np.ones((4, 4, 2, 2), "f4"),
        "none": np.array([0]),
        "rest": np.array([-1]),
        "g": np.ones((400, 5), "f4"),
    }
    return model_of(nodes, inputs={"x": [1, 3, 8, 8]}, weights=weights)


def _pools() -> onnx.ModelProto:
    nodes = [
        _node("MaxPool", "x", "a", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        _node("AveragePool", "a", "b", kernel_shape=[2, 2], ceil_mode=1),
        _node("Resize", "b none scales", "c", mode="linear"),
        _node("ConstantOfShape", "sizes", "d", value=numpy_helper.from_array(np.ones(1, "f4"))),
        _node("Add", "c d", "e"),
        _node("Clip", "e low", "f"),
        _node("Softmax", "f", "y", axis=1),
    ]
    weights = {
        "none": np.zeros(0, "f4"),
        "scales": np.array([1, 1, 2, 2], "f4"),
        "sizes": np.array([1, 2, 1, 1]),
        "low": np.array(0, "f4"),
    }
    return model_of(nodes, inputs={"x": [1, 2, 9, 9]}, weights=weights)


SOUND = (conv_model, _shapes, _pools)


def mutated(seed: int) -> bytes:
    """Returns a small network with one to three fields of the file changed, or bytes damaged."""
    chance = random.Random(seed)
    model = chance.choice(SOUND)()
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _damage(chance.choice(list(_messages(model))), chance)
    data = model.SerializePartialToString()
    if chance.random() < 0.1:
        position = chance.randrange(len(data))
        data = data[:position] + bytes([chance.randrange(256)]) + data[position + 1 :]
    return data


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)


def _damage(message: Message, chance: random.Random) -> None:
    field, value = chance.choice(message.ListFields() or [(None, None)])
    if field is None:
        return
    if field.is_repeated:
        _damage_list(value, field, chance)
    elif chance.random() < 0.2 or field.type == field.TYPE_MESSAGE:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _other(field, chance))


def _damage_list(values: Message, field: Message, chance: random.Random) -> None:
    position = chance.randrange(len(values))
    action = chance.choice(("drop", "repeat", "change", "change"))
    if action == "drop":
        del values[position]
    elif action == "repeat":
        values.append(values[position])
    elif field.type == field.TYPE_MESSAGE:
        _damage(values[position], chance)
    else:
        values[position] = _other(field, chance)


def _other(field: Message, chance: random.Random) -> object:
    if field.type == field.TYPE_ENUM:
        return chance.choice(list(field.enum_type.values_by_number))
    if field.type == field.TYPE_STRING:
        return chance.choice(_TEXTS)
    if field.type == field.TYPE_BYTES:
        return chance.choice(_BYTES)
    if field.type == field.TYPE_FLOAT:
        return chance.choice(_FLOATS)
    largest = 2**31 - 1 if field.type == field.TYPE_INT32 else 2**63 - 1
    return min(chance.choice((*_NUMBERS, *TensorProto.DataType.values())), largest)
