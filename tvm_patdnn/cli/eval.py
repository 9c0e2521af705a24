"""``tvm-patdnn eval``: the accuracy of a model on a folder of images."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import add_command, add_input_shape, add_output_options, positive
from tvm_patdnn.cli.image_options import (
    add_image_options,
    normalisation,
    warn_of_guessed_scale,
)
from tvm_patdnn.cli.plain_warnings import plain_warnings
from tvm_patdnn.cli.seen_warnings import seen_warnings
from tvm_patdnn.errors import LibraryError

if TYPE_CHECKING:
    import numpy as np

    from tvm_patdnn.evaluation.verification import Runnable

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "measure the accuracy of a classifier on a folder of images"
    parser = add_command(commands, "eval", text, _run)
    add = parser.add_argument
    add("model", metavar="MODEL", help="a built library, or an ONNX file, which is built first")
    add(
        "--data",
        metavar="FOLDER",
        type=Path,
        required=True,
        help="CLASS/IMAGE files, or such in its folder test or val",
    )
    add("--limit", metavar="N", type=positive, help="N images only, spread over all")
    add(
        "--classes",
        metavar="FILE",
        type=Path,
        help="names of the classes, one a line, in the order of the scores (default: those that "
        "the model names, else the folders in alphabetical order)",
    )
    add_input_shape(add)
    add_image_options(parser)
    add_output_options(parser)


def _run(args: argparse.Namespace) -> None:
    from tvm_patdnn.evaluation.accuracy import count_right

    with plain_warnings(quiet=args.quiet), seen_warnings(quiet=args.quiet):
        found = count_right(_answers(args))
    print(json.dumps(asdict(found)) if args.json else found)


def _answers(args: argparse.Namespace) -> Iterator[tuple[np.ndarray, int]]:
    """Runs the model on each image."""
    from tqdm import tqdm

    from tvm_patdnn.cli.read_input import read_input
    from tvm_patdnn.evaluation.labelled_folder import labelled_images
    from tvm_patdnn.evaluation.random_inputs import random_inputs
    from tvm_patdnn.library.image_facts import image_facts

    model = _open(args)
    facts = image_facts(model.metadata.properties)
    if len(model.metadata.inputs) != 1:
        raise LibraryError(
            f"{args.model}: has inputs {', '.join(model.metadata.inputs)}; expected one, an image"
        )
    ((name, spec),) = model.metadata.inputs.items()
    first = next(iter(model.metadata.outputs))
    scores = _class_scores(args.model, first, model.run(random_inputs({name: spec}))[first])
    classes = _read_classes(args.classes) if args.classes else facts.classes
    paths, labels = labelled_images(args.data, classes, scores)
    warn_of_guessed_scale(args, facts)
    values = normalisation(args, facts)
    chosen = range(len(paths))[:: max(1, len(paths) // (args.limit or len(paths)))][: args.limit]
    for i in tqdm(chosen, disable=True if args.quiet else None, unit=" images", leave=False):
        image = read_input(paths[i], name, spec, values)
        yield model.run({name: image})[first], labels[i]


def _open(args: argparse.Namespace) -> Runnable:
    if not args.model.endswith(".onnx"):
        from tvm_patdnn.library.loading import load

        return load(args.model)
    from tvm_patdnn.builder import build

    return build(args.model, input_shapes=dict(args.input_shape)).runnable


def _class_scores(model: str, name: str, output: np.ndarray) -> int:
    if output.size != max(output.shape, default=0) or output.size < 2:
        raise LibraryError(
            f"{model}: output '{name}' has the shape {list(output.shape)}; expected a score per "
            "class of one image, such as [1, 1000]"
        )
    return int(output.size)


def _read_classes(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path}: cannot be read: {error}") from error
