"""Makes ``demosaic_bayer_pruned.onnx``: prunes, refits layer by layer, and fine-tunes.

``python -m models.recover_demosaic demosaic_bayer.onnx -o demosaic_bayer_pruned.onnx``

Trains on made-up images only, about 12 minutes of one core. It is a script for one
network, not the trainer.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

import numpy as np
import onnx
import torch
from torch import Tensor
from torch.nn import functional as F

from models.demosaic import BayerDemosaic, load_weights, store_weights
from models.least_squares import refit
from models.mosaics import bayer_mosaic, dead_leaves, psnr, smooth_image
from tvm_patdnn.pruning import PruneOptions, format_table, prune_onnx_with_report

__all__ = ["OPTIONS", "fine_tune", "recover", "refit_all", "restore_lost", "training_images"]

#: The 64-channel layers hold 97 % of the work. Those that see raw pixels lose the most
#: by pruning and the least by staying dense.
OPTIONS = PruneOptions(
    patterns=8,
    entries=4,
    connectivity=3.6,
    connectivity_1x1=1.0,
    skip_layers=("main_processor.conv1", "fullres_processor.post_conv"),
)
_CROP = 64
_BATCH = 8


def training_images(count: int, size: int = 128, seed: int = 0) -> np.ndarray:
    """Draws images, every fourth smooth: (count, 3, size, size) float32 in 0..1."""
    rng = np.random.default_rng(seed)
    images = [
        smooth_image(size, seed + i) if i % 4 == 3 else dead_leaves(size, rng) for i in range(count)
    ]
    return np.stack(images)


@torch.no_grad()
def refit_all(network: BayerDemosaic, dense: BayerDemosaic, mosaics: Tensor) -> None:
    """Refits the half-resolution layers of ``network`` to those of ``dense``, in order."""
    pruned_x = dense_x = dense.pack(mosaics)
    pairs = zip(network.half_resolution(), dense.half_resolution(), strict=True)
    for pruned_conv, dense_conv in pairs:
        target = dense_conv(dense_x)
        refit(pruned_conv, pruned_x, target)
        pruned_x, dense_x = pruned_conv(pruned_x).relu(), target.relu()


def fine_tune(network: BayerDemosaic, dense: BayerDemosaic, images: np.ndarray, steps: int) -> None:
    """Trains the kept weights to give the dense network's output, by Adam.

    Args:
        network: pruned; its zeros stay zero.
        dense: the teacher.
        images: (n, 3, h, w) float32 in 0..1, at least 64 pixels high and wide.
        steps: batches; the learning rate falls along a cosine.
    """
    masks = [(p, p != 0) for p in network.parameters() if p.ndim > 1]
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-4)
    rng = np.random.default_rng(1)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 3e-4 * (0.51 + 0.49 * math.cos(math.pi * step / steps))
        mosaics = torch.tensor(bayer_mosaic(_random_crops(images, rng)))
        with torch.no_grad():
            target = dense(mosaics)
        loss = F.l1_loss(network(mosaics), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for weight, kept in masks:
            weight.data.mul_(kept)
        if step % 100 == 0:
            print(f"step {step} of {steps}: L1 to the teacher {loss.item():.5f}", file=sys.stderr)


def recover(model: onnx.ModelProto, *, steps: int, images: int = 256) -> onnx.ModelProto:
    """Returns a pruned ``model`` whose kept weights are refitted and trained."""
    pruned, rows = prune_onnx_with_report(model, OPTIONS)
    print(format_table(rows), file=sys.stderr)
    pictures = training_images(images)
    dense, network = load_weights(model), load_weights(pruned)
    refit_all(network, dense, torch.tensor(bayer_mosaic(pictures[:32])))
    fine_tune(network, dense, pictures, steps)
    restore_lost(network, load_weights(pruned))
    store_weights(network, pruned)
    pruned.producer_name = "models.recover_demosaic"
    return pruned


@torch.no_grad()
def restore_lost(network: BayerDemosaic, pruned: BayerDemosaic) -> None:
    """Gives kept weights that became zero the value they had in ``pruned``.

    Their inputs were zero in all images, so nothing is known about them; as zeros they
    would read as further patterns.
    """
    for weight, before in zip(network.parameters(), pruned.parameters(), strict=True):
        weight.copy_(torch.where(weight == 0, before, weight))


def _random_crops(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cuts ``_BATCH`` squares at even positions, mirrored at random."""
    limits = [len(images), *((extent - _CROP) // 2 + 1 for extent in images.shape[2:])]
    crops = []
    for index, y, x in rng.integers(0, limits, (_BATCH, 3)):
        crop = images[index, :, 2 * y : 2 * y + _CROP, 2 * x : 2 * x + _CROP]
        crops.append(crop[:, :: rng.choice([1, -1]), :: rng.choice([1, -1])])
    return np.stack(crops)


def _quality(model: onnx.ModelProto) -> str:
    """Returns the PSNR on images that were not trained on."""
    network = load_weights(model)
    scores = {}
    for name, images in (
        ("smooth", [smooth_image(128, 10**6 + i) for i in range(8)]),
        ("dead leaves", [dead_leaves(128, np.random.default_rng(10**6 + i)) for i in range(8)]),
    ):
        truth = np.stack(images)
        with torch.no_grad():
            scores[name] = psnr(network(torch.tensor(bayer_mosaic(truth))).numpy(), truth)
    return ", ".join(f"{name} {score:.1f} dB" for name, score in scores.items())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m models.recover_demosaic", description=__doc__)
    parser.add_argument("model", help="the dense demosaic_bayer.onnx")
    parser.add_argument("-o", "--output", required=True, help="the ONNX file to write")
    parser.add_argument("--steps", type=int, default=1000, help="of training (%(default)s)")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = onnx.load(args.model)
    pruned = recover(model, steps=args.steps)
    onnx.save(pruned, args.output)
    print(f"dense: {_quality(model)}")
    print(f"pruned: {_quality(pruned)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
