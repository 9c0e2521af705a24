"""What a built library knows about itself, stored inside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.tensor_spec import TensorSpec

if TYPE_CHECKING:
    import tvm

__all__ = ["METADATA_FUNCTION", "Metadata", "embed_metadata", "read_metadata"]

METADATA_FUNCTION = "tvm_patdnn_metadata"
FORMAT = 2  # raised when an older reader could misread what is stored


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The interface of a library and what became of its layers.

    Attributes:
        target: as JSON.
        inputs, outputs: in the order of the function "main"; a size that is not known is -1.
        layers: rows of the report.
        versions: of what built it.
        properties: what the ONNX file said about itself; see ``image_facts``.
    """

    target: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    layers: tuple[LayerReport, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


def embed_metadata(mod: tvm.IRModule, metadata: Metadata) -> tvm.IRModule:
    """Returns ``mod`` with a function that returns the metadata as bytes of JSON."""
    from tvm import relax  # here: what reads metadata does not need TVM

    text = json.dumps(asdict(metadata)).encode()
    builder = relax.BlockBuilder(mod)
    with builder.function(METADATA_FUNCTION, []):
        builder.emit_func_output(relax.const(np.frombuffer(text, np.uint8)))
    return builder.finalize()


def read_metadata(stored: bytes) -> Metadata:
    """Reads what ``embed_metadata`` stored.

    Raises:
        ValueError: it is of a newer format, or no metadata at all.
    """
    values = json.loads(stored)
    if values.get("format") != FORMAT:
        raise ValueError(f"metadata of format {values.get('format')}, expected {FORMAT}")
    return Metadata(
        target=values["target"],
        inputs=_specs(values["inputs"]),
        outputs=_specs(values["outputs"]),
        layers=tuple(LayerReport(**row) for row in values["layers"]),
        versions=values["versions"],
        properties=values.get("properties", {}),
    )


def _specs(stored: Mapping[str, list]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(tuple(shape), dtype) for name, (shape, dtype) in stored.items()}
