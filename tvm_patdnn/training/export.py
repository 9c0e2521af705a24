"""Writes a torch network as ONNX."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from tvm_patdnn.whole_file import write_whole

__all__ = ["export_onnx"]

_OPSET = 17


def export_onnx(
    model: nn.Module,
    example: Tensor,
    path: str | os.PathLike[str],
    notes: Mapping[str, str] | None = None,
) -> None:
    """Writes ``model`` in inference mode, batch norms unfolded, whole or not at all.

    Args:
        model: takes one tensor ("x") and gives one ("y"); its mode is left as it was.
        example: an input; its shape is fixed in the file.
        notes: become the file's metadata properties.

    Raises:
        BuildError: the file cannot be written.
    """
    modes = {module: module.training for module in model.modules()}
    try:
        with write_whole(Path(path)) as partial:
            _export(model.eval(), example, partial)
            exported = onnx.load(partial)
            onnx.checker.check_model(exported)
            if notes:
                onnx.helper.set_model_props(exported, dict(notes))
                onnx.save(exported, partial)
    finally:
        for module, training in modes.items():
            module.training = training


def _export(model: nn.Module, example: Tensor, path: Path) -> None:
    device = next(model.parameters()).device
    with warnings.catch_warnings():  # the newer exporter needs onnxscript
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (example.to(device),),
            path,
            input_names=["x"],
            output_names=["y"],
            opset_version=_OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
