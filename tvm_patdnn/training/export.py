"""Writes a torch network as ONNX."""

from __future__ import annotations

import copy
import inspect
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from tvm_patdnn.training.example_run import (
    Example,
    in_inference_mode,
    input_values,
    run_example,
)
from tvm_patdnn.whole_file import write_whole

__all__ = ["export_onnx"]

_OPSET = 17
_HALF = (torch.float16, torch.bfloat16)


def export_onnx(
    model: nn.Module,
    example: Example,
    path: str | os.PathLike[str],
    notes: Mapping[str, str] | None = None,
) -> None:
    """Writes ``model`` in inference mode, batch norms unfolded, whole or not at all.

    Half precision is written as float32, which is what is compiled.

    Args:
        model: its mode is left as it was. One input is named "x", several by the arguments of
            ``forward``; the only output is "y".
        example: an input, or a tuple of several; their shapes are fixed in the file.
        notes: become the file's metadata properties.

    Raises:
        TrainingError: the model does not take the example.
        BuildError: the file cannot be written.
    """
    wide, values = _in_float32(model, input_values(model, example))
    run_example(wide, values)
    with in_inference_mode(wide), write_whole(Path(path)) as partial:
        _export(wide, values, partial)
        exported = onnx.load(partial)
        onnx.checker.check_model(exported)
        if notes:
            onnx.helper.set_model_props(exported, dict(notes))
            onnx.save(exported, partial)


def _in_float32(model: nn.Module, values: tuple[Any, ...]) -> tuple[nn.Module, tuple[Any, ...]]:
    """Returns both as they are, or copies in float32 where the model is of half precision."""
    if not any(value.dtype in _HALF for value in model.parameters()):
        return model, values
    wide = (v.float() if isinstance(v, Tensor) and v.dtype in _HALF else v for v in values)
    return copy.deepcopy(model).float(), tuple(wide)


def _export(model: nn.Module, values: tuple[Any, ...], path: Path) -> None:
    arguments = inspect.signature(model.forward).parameters
    with warnings.catch_warnings():  # the newer exporter needs onnxscript
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            values,
            path,
            input_names=["x"] if len(values) == 1 else list(arguments)[: len(values)],
            output_names=["y"],
            opset_version=_OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
