"""Exports a network with random, reproducible weights as ONNX.

``python -m models.export models.resnet:resnet18 -o resnet18.onnx --prune``
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from tvm_patdnn.pruning import PruneOptions, format_table, prune_onnx_with_report

__all__ = ["export_onnx", "make_network", "settle_batch_norm"]


def make_network(factory: str, *, input_shape: Sequence[int], seed: int = 0) -> nn.Module:
    """Builds ``module:factory`` with weights drawn from ``seed``, ready for inference.

    Args:
        factory: such as ``models.resnet:resnet18``; called without arguments, but for
            ``input_size``, the height of the image, if it takes that.
        input_shape: (n, c, h, w), for the batch norms; see :func:`settle_batch_norm`.
        seed: decides all weights; the global random state stays as it is.

    Raises:
        ValueError: the factory cannot be found.
    """
    module_name, _, name = factory.partition(":")
    try:
        build = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"no network {factory!r} ({error}); expected module:factory, "
            "such as models.resnet:resnet18"
        ) from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sized = "input_size" in inspect.signature(build).parameters
        network: nn.Module = build(input_size=input_shape[2]) if sized else build()
        settle_batch_norm(network, input_shape)
    return network.eval()


def settle_batch_norm(network: nn.Module, input_shape: Sequence[int]) -> None:
    """Gives batch norms statistics of random images, and weights away from 1 and 0.

    So activations keep their scale, and a batch norm that is folded wrongly shows.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0.0, 0.1)
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(max(2, input_shape[0]), *input_shape[1:]))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def export_onnx(
    network: nn.Module,
    input_shape: Sequence[int],
    path: str | os.PathLike[str] | None = None,
    *,
    opset: int = 17,
) -> onnx.ModelProto:
    """Exports ``network`` in inference mode, batch norms unfolded.

    Args:
        network: any module with one tensor in (``x``) and one out (``y``).
        input_shape: (n, c, h, w), fixed in the file.
        path: where to write the file; None to only return the model.
        opset: of the default ONNX domain.
    """
    network.eval()
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
    ):  # the newer exporter needs onnxscript
        warnings.simplefilter("ignore", DeprecationWarning)
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (torch.zeros(*input_shape),),
            file,
            input_names=["x"],
            output_names=["y"],
            opset_version=opset,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
        model = onnx.load(file)
    onnx.checker.check_model(model)
    if path is not None:
        onnx.save(model, path)
    return model


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m models.export", description=__doc__)
    parser.add_argument("network", help="module:factory, such as models.resnet:resnet18")
    parser.add_argument("-o", "--output", required=True, help="the ONNX file to write")
    parser.add_argument("--input", default="1,3,224,224", help="input shape (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default 0)")
    parser.add_argument("--prune", action="store_true", help="prune with the default options")
    args = parser.parse_args(argv)
    try:
        shape = [int(extent) for extent in args.input.split(",")]
        network = make_network(args.network, input_shape=shape, seed=args.seed)
    except ValueError as error:
        parser.error(str(error))
    model = export_onnx(network, shape)
    if args.prune:
        model = _prune(model)
    onnx.save(model, args.output)
    return 0


def _prune(model: onnx.ModelProto) -> onnx.ModelProto:
    """Prunes ``model`` and prints what was done to each layer on stderr."""
    pruned, rows = prune_onnx_with_report(model, PruneOptions())
    print(format_table(rows), file=sys.stderr)
    return pruned


if __name__ == "__main__":
    sys.exit(main())
