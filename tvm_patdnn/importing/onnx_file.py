"""Reads ONNX models and says what is wrong with those it cannot read."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import uses_external_data

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_constants import check_stored, stored_tensors
from tvm_patdnn.importing.onnx_nodes import all_nodes

__all__ = ["ModelSource", "load_onnx"]

ModelSource = str | os.PathLike[str] | bytes | onnx.ModelProto

_IR_VERSION_TAG = b"\x08"  # the first byte of every ONNX file that a known exporter writes
_ZIP_MAGIC = b"PK\x03\x04"  # what torch.save writes
_CLIPPED = 60  # characters of a decoder's message worth showing


def load_onnx(model: ModelSource) -> onnx.ModelProto:
    """Reads a model and checks that there is something in it to compile.

    Args:
        model: a path (weights in external files are read too), the bytes of a file, or a
            ModelProto, which is returned as it is.

    Raises:
        ModelError: no such file, not ONNX, truncated, an empty graph, or missing weights.
    """
    if isinstance(model, onnx.ModelProto):
        return _checked(model, "the model")
    if isinstance(model, bytes):
        return _checked(_parse(model, "the model"), "the model")
    if not isinstance(model, str | os.PathLike):
        raise ModelError(
            f"the model: got {type(model).__name__}, expected a path, bytes or onnx.ModelProto"
        )
    path = Path(model)
    proto = _parse(_read(path), str(path))
    _load_weights_beside(proto, path)
    return _checked(proto, str(path))


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ModelError(f"{path}: is a directory; give the .onnx file in it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; give the path of an .onnx file") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(data: bytes, where: str) -> onnx.ModelProto:
    if not data:
        raise ModelError(f"{where}: is empty (0 bytes); expected an ONNX model")
    if data.startswith(_ZIP_MAGIC):
        raise ModelError(
            f"{where}: is a zip archive (a PyTorch checkpoint?), not an ONNX model; "
            "export the network with torch.onnx.export"
        )
    try:
        return onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise ModelError(_undecodable(data, where)) from error


def _undecodable(data: bytes, where: str) -> str:
    if data.startswith(_IR_VERSION_TAG):
        return (
            f"{where}: begins like an ONNX model but its {len(data):,} bytes do not decode: "
            "truncated or damaged; copy or export it again"
        )
    return f"{where}: is not an ONNX model (begins with {data[:8]!r}); give an .onnx file"


def _load_weights_beside(model: onnx.ModelProto, path: Path) -> None:
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(
            f"{path}: its weights are in another file that cannot be read "
            f"({str(error)[:_CLIPPED]}); keep that file beside the model"
        ) from error


def _checked(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    for node in all_nodes(model.graph):
        if not isinstance(node.op_type, str):  # bytes that are not UTF-8
            raise ModelError(
                f"{where}: a node's operator is {node.op_type!r}, which is not text; the file is "
                "damaged: export the model again"
            )
    if not model.HasField("graph") or not model.graph.node:
        raise ModelError(f"{where}: the graph has no nodes; expected a network to compile")
    if not model.opset_import:
        raise ModelError(
            f"{where}: no operator set is declared, the file is truncated or not a complete "
            "ONNX model; export it again"
        )
    if not any(each.domain in ("", "ai.onnx") for each in model.opset_import):
        found = ", ".join(f"'{each.domain}'" for each in model.opset_import)
        raise ModelError(
            f"{where}: declares operator sets of {found} only, expected one of ONNX itself, "
            "whose domain is ''; export it again"
        )
    if not model.graph.output:
        raise ModelError(f"{where}: the graph has no outputs; name at least one and export again")
    for tensor in stored_tensors(model.graph):
        if uses_external_data(tensor):
            raise ModelError(
                f"{where}: the weight '{tensor.name}' is in another file, which bytes and a "
                "ModelProto do not carry; give the path of the .onnx file instead"
            )
        check_stored(tensor)
    return model
