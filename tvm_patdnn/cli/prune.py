"""``tvm-patdnn prune``: one-shot pruning of an ONNX file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import (
    add_command,
    add_model,
    add_output_options,
    layer_rate,
    pattern_choice,
)
from tvm_patdnn.progress import PhaseBar

if TYPE_CHECKING:
    from tvm_patdnn.pruning import PrunedLayer

__all__ = ["add_amounts", "add_layers", "add_parser"]

_PHASES = 3


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "prune a model in one shot, without training: patterns and connectivity"
    parser = add_command(commands, "prune", text, _run)
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT.onnx", type=Path, required=True)
    parser.add_argument("--overwrite", action="store_true", help="prune even onto the model itself")
    add_amounts(parser)
    add_layers(parser)
    parser.add_argument(
        "--fully-connected",
        metavar="R",
        type=float,
        default=1.0,
        help="the rate of fully connected layers, in groups of 16 outputs (%(default)s: all stay)",
    )
    add_output_options(parser)


def add_amounts(parser: argparse._ActionsContainer) -> None:
    """Adds how much to prune: patterns, entries and rates."""
    add = parser.add_argument
    add(
        "--patterns",
        metavar="N|all",
        type=pattern_choice,
        default=8,
        help="patterns to mine; all for every kernel's own best (%(default)s)",
    )
    add(
        "--entries",
        metavar="N",
        type=int,
        default=4,
        help="weights that a pattern keeps (%(default)s)",
    )
    add(
        "--connectivity",
        metavar="R",
        type=float,
        default=3.6,
        help="kernels before over kernels after; 1 for patterns only (%(default)s)",
    )
    add(
        "--connectivity-1x1",
        metavar="R",
        type=float,
        help="the same for 1x1 layers (default: that of --connectivity)",
    )


def add_layers(parser: argparse._ActionsContainer) -> None:
    """Adds which layers to prune, and where their kernels compete."""
    add = parser.add_argument
    add(
        "--scope",
        choices=["layer", "global", "balanced"],
        default="layer",
        help="where kernels compete: in their layer, over all layers, or per filter and block "
        "of input channels (%(default)s)",
    )
    add(
        "--filter-block",
        metavar="N",
        type=int,
        default=1,
        help="filters that keep the same kernels and patterns: faster, and a harder constraint "
        "(%(default)s)",
    )
    add(
        "--filter-grouping",
        choices=["neighbours", "similar"],
        default="neighbours",
        help="which filters form such a block; of quantised models build finds neighbours only "
        "(%(default)s)",
    )
    add("--first-layer", action="store_true", help="prune the first layer too")
    add(
        "--skip",
        metavar="NAME",
        action="append",
        default=[],
        help="a layer to leave alone, or a wildcard such as 'head.*'; may be repeated",
    )
    add(
        "--rate",
        metavar="NAME=R",
        action="append",
        type=layer_rate,
        default=[],
        help="the connectivity rate of a layer, or of all that a wildcard fits; may be repeated",
    )


def _check_not_the_model(output: Path, model: str) -> None:
    from tvm_patdnn.errors import PruningError

    if output.exists() and Path(model).exists() and output.samefile(model):
        raise PruningError(
            f"{output}: is the model to prune, which would be lost; give another output, or "
            "--overwrite"
        )


def _run(args: argparse.Namespace) -> None:
    with PhaseBar(_PHASES, quiet=args.quiet) as progress:
        progress("loading")
        from tvm_patdnn.pruning import PruneOptions, format_table, prune_onnx_with_report
        from tvm_patdnn.whole_file import check_writable, write_whole

        check_writable(args.output)
        if not args.overwrite:
            _check_not_the_model(args.output, args.model)
        options = PruneOptions(
            patterns=args.patterns,
            entries=args.entries,
            connectivity=args.connectivity,
            per_layer=dict(args.rate),
            connectivity_scope=args.scope,
            filter_block=args.filter_block,
            filter_grouping=args.filter_grouping,
            first_layer=args.first_layer,
            connectivity_1x1=args.connectivity_1x1,
            skip_layers=args.skip,
            fully_connected=args.fully_connected,
        )
        progress("pruning")
        model, rows = prune_onnx_with_report(args.model, options)
        progress("writing")
        with write_whole(args.output) as partial:
            partial.write_bytes(model.SerializeToString())
    print(_json(rows) if args.json else format_table(rows))


def _json(rows: Sequence[PrunedLayer]) -> str:
    layers = [asdict(row) for row in rows]
    kept, dense = (sum(getattr(row, f"{w}_weights") for row in rows) for w in ("kept", "dense"))
    total = {"dense_weights": dense, "kept_weights": kept}
    return json.dumps({"layers": layers, "total": total}, indent=2)
