"""Torch's exporters, in the forms that people use."""

from __future__ import annotations

import io
import logging
import warnings
from functools import cache
from unittest import mock

import onnx
import torch
from torch.onnx._internal.exporter import _registration

from tests.importing.idioms.idiom import Idiom

__all__ = ["EXPORTERS", "export"]

EXPORTERS = ("legacy-11", "legacy-17", "dynamo")


def export(idiom: Idiom, exporter: str) -> onnx.ModelProto:
    """Exports a network; its inputs are called x0, x1, ...

    Args:
        exporter: one of EXPORTERS; "legacy-11" writes operator set 11, "dynamo" its default.
    """
    network, inputs = idiom.network(), idiom.inputs()
    names = [f"x{number}" for number in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is deprecated, and shapes that become constants
        if exporter == "dynamo":
            return _dynamo(network, inputs, names)
        file = io.BytesIO()
        torch.onnx.export(
            network,
            inputs,
            file,
            input_names=names,
            opset_version=int(exporter.removeprefix("legacy-")),
            dynamo=False,
        )
    return onnx.load_from_string(file.getvalue())


@cache
def _table() -> object:
    """What the exporter makes from the sources of 500 functions, each time anew."""
    return _registration.onnxscript_apis.get_torchlib_ops()


def _dynamo(
    network: torch.nn.Module, inputs: tuple[torch.Tensor, ...], names: list[str]
) -> onnx.ModelProto:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    apis = _registration.onnxscript_apis
    with mock.patch.object(apis, "get_torchlib_ops", return_value=_table()):
        program = torch.onnx.export(network, inputs, input_names=names, dynamo=True, verbose=False)
    return program.model_proto
