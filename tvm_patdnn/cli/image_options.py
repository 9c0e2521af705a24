"""How images become inputs: the options of commands that read some."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

from tvm_patdnn.cli.arguments import numbers

if TYPE_CHECKING:
    from tvm_patdnn.cli.read_input import Normalisation
    from tvm_patdnn.library.image_facts import ImageFacts

__all__ = ["add_image_options", "normalisation"]


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Adds them."""
    group = parser.add_argument_group(
        "images",
        "Values are (pixel x scale - mean) / std. Defaults are what the model says, as those of "
        "`tvm-patdnn train` do, else 0 and 1.",
    )
    add = group.add_argument
    add("--scale", type=float, default=1 / 255, help="of pixels 0..255 (default: 1/255)")
    add("--mean", metavar="M[,M,M]", type=numbers, help="one, or one per channel")
    add("--std", metavar="S[,S,S]", type=numbers, help="one, or one per channel")
    add(
        "--crop",
        metavar="SHARE",
        type=float,
        help="take the middle square of this share of the shorter side, for ImageNet usually "
        "0.875 (default: the whole image)",
    )


def normalisation(args: argparse.Namespace, facts: ImageFacts) -> Normalisation:
    """Returns what was asked for, else what the model says."""
    from tvm_patdnn.cli.read_input import Normalisation

    return Normalisation(
        scale=args.scale,
        mean=args.mean or facts.mean or (0.0,),
        std=args.std or facts.std or (1.0,),
        crop=facts.crop if args.crop is None else args.crop,
    )


def warn_of_guessed_scale(args: argparse.Namespace, facts: ImageFacts) -> None:
    """Warns where neither the user nor the model says how images become values."""
    if not (args.mean or args.std or facts.mean):
        warnings.warn(
            f"{args.model}: does not say how its images are scaled; they are given as 0 to 1; if "
            "it was trained on others, give --mean and --std",
            stacklevel=2,
        )
