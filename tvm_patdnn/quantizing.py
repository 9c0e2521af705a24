"""Quantises a float network after training, by onnxruntime.quantization, as our kernels like it.

Activations become uint8 with a scale for each tensor, weights int8 with one for each filter and
without a zero point, so that what was pruned stays zero. Batch norm is folded first. What has no
int8 kernel here stays on numbers. So do the results of fully connected layers until a layer reads
them: of scores that the range of the batches does not hold the largest would be clipped alike.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.version_converter

from tvm_patdnn.errors import PatDNNError, QuantizationError
from tvm_patdnn.importing.node_errors import first_line
from tvm_patdnn.importing.onnx_file import ModelSource, load_onnx
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.quantised_ops import is_quantised

__all__ = ["QUANTIZED_OPS", "quantize_onnx"]

Batch = Mapping[str, np.ndarray]

# Those that have int8 kernels here, and the views between them.
QUANTIZED_OPS = (
    "Add",
    "AveragePool",
    "Clip",
    "Concat",
    "Conv",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Relu",
    "Reshape",
    "Resize",
    "Squeeze",
)
FIRST_WITH_AXES = 13  # operator set
_PRODUCTS = ("Gemm", "MatMul")
_LAYERS = frozenset({"Conv", *_PRODUCTS})


def quantize_onnx(onnx_model: ModelSource, batches: Iterable[Batch]) -> onnx.ModelProto:
    """Returns the model in int8, with QuantizeLinear and DequantizeLinear around operators.

    Args:
        onnx_model: a path, the bytes of a file, or a ModelProto, of a float network.
        batches: inputs of the network by name, such as it will see; a hundred images are
            usually enough. The range of each tensor over all of them gives its scale.

    Raises:
        ModelError: the model cannot be read.
        QuantizationError: there is nothing to quantise, the model is quantised, onnxruntime is
            not installed, or it cannot run the model on the batches.
    """
    quantization = _onnxruntime_quantization()
    model = load_onnx(onnx_model)
    _check(model)
    model = _with_axes(model)
    with tempfile.TemporaryDirectory() as folder, _told_by_error():
        source, prepared, target = (Path(folder) / f"{i}.onnx" for i in range(3))
        onnx.save(model, source)
        quantization.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            target,
            _reader(quantization, batches),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=list(QUANTIZED_OPS),
            extra_options={"OpTypesToExcludeOutputQuantization": list(_PRODUCTS)},
        )
        quantised = onnx.load(target)
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(model.metadata_props)  # means, deviations, names of classes
    return quantised


def _onnxruntime_quantization() -> Any:
    try:
        import onnxruntime.quantization
    except ImportError as error:
        raise QuantizationError(
            "quantising needs onnxruntime, which is not installed: pip install '.[quantize]'"
        ) from error
    return onnxruntime.quantization


def _check(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        if is_quantised(node):
            raise QuantizationError(f"{describe_node(node)}: the model is quantised already")
    if any(t.data_type == onnx.TensorProto.FLOAT16 for t in model.graph.initializer):
        raise QuantizationError("the model is in float16; export it in float32, and quantise that")
    if not any(node.op_type in _LAYERS for node in model.graph.node):
        raise QuantizationError(
            f"the model has nothing to quantise: none of {', '.join(sorted(_LAYERS))}"
        )


def _with_axes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model in an operator set in which each filter can have a scale."""
    version = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if version >= FIRST_WITH_AXES:
        return model
    try:
        return onnx.version_converter.convert_version(model, FIRST_WITH_AXES)
    except Exception as error:  # the converter raises RuntimeError and others
        raise QuantizationError(
            f"the model is of operator set {version}, in which filters have no scales of their "
            f"own, and cannot be converted: {first_line(error)}; export it with operator set "
            f"{FIRST_WITH_AXES} or later"
        ) from error


def _reader(quantization: Any, batches: Iterable[Batch]) -> Any:
    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> Batch | None:
            return next(self._batches, None)

    return Reader()


@contextmanager
def _told_by_error() -> Iterator[None]:
    """Silences advice that was followed, and turns what onnxruntime raises into our error."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    except PatDNNError:  # of what reads the data
        raise
    except Exception as error:  # onnxruntime raises whatever it meets
        raise QuantizationError(
            f"onnxruntime cannot quantise the model: {first_line(error)}; check that the data "
            "are inputs of this network"
        ) from error
    finally:
        logging.disable(disabled)
