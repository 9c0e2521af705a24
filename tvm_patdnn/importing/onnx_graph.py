"""What rewrites of an ONNX graph need: shapes, constants, readers, and new names."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvm_patdnn.importing.onnx_constants import array_of, constant_tensors
from tvm_patdnn.importing.onnx_inference import (
    Types,
    element_type,
    infer_types,
    static_shape,
)
from tvm_patdnn.importing.onnx_nodes import all_nodes

__all__ = ["OnnxGraph", "attributes"]


class OnnxGraph:
    """The main graph of a model that is being rewritten in place.

    Attributes:
        opset: version of the default operator set; 0 if the model has none.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model, self._graph = model, model.graph
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
        self._stored = constant_tensors(self._graph)
        self._names = set(self._stored) | {
            name for node in self._graph.node for name in node.output
        }

    @cached_property
    def producers(self) -> dict[str, onnx.NodeProto]:
        """The node that computes each value, as the graph was at first."""
        return {name: node for node in self._graph.node for name in node.output}

    @cached_property
    def uses(self) -> Counter[str]:
        """How often each value is read, as the graph was at first."""
        found = Counter(output.name for output in self._graph.output)
        found.update(name for node in all_nodes(self._graph) for name in node.input)
        return found

    @cached_property
    def _types(self) -> Types:
        return infer_types(self._model)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Returns the shape of a value; None if it is not fixed or not known."""
        if name in self._stored:
            return tuple(self._stored[name].dims)
        return static_shape(self._types, name)

    def element_type(self, name: str) -> int:
        """Returns ONNX's number of the type of a value's elements; 0 if it is not known."""
        if name in self._stored:
            return self._stored[name].data_type
        return element_type(self._types, name)

    def constant(self, name: str) -> np.ndarray | None:
        """Returns the value of a constant; None if ``name`` is not one."""
        tensor = self._stored.get(name)
        return array_of(tensor) if tensor is not None else None

    def fresh(self, name: str) -> str:
        """Returns ``name``, or a variant of it that nothing is called yet."""
        unused = name
        while unused in self._names:
            unused += "_"
        self._names.add(unused)
        return unused

    def add_constant(self, value: np.ndarray, name: str) -> str:
        """Stores a constant under a fresh name, and returns that."""
        tensor = numpy_helper.from_array(value.copy(order="C"), self.fresh(name))
        self._graph.initializer.append(tensor)
        self._stored[tensor.name] = tensor
        return tensor.name


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Returns the attributes of a node by name; strings are bytes."""
    return {attr.name: helper.get_attribute_value(attr) for attr in node.attribute}
