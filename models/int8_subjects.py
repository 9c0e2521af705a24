"""The trained networks here, as they are quantised and judged."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from models.calibration import CALIBRATION, made_up_mosaics, made_up_pictures
from models.mosaics import bayer_mosaic, dead_leaves, psnr
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.export import export_onnx
from tvm_patdnn.training.network_file import load_network
from tvm_patdnn.training.trained_network import read_trained_network

__all__ = ["Subject", "checkpoint", "classifier", "demosaicking", "subjects"]

Run = Callable[[np.ndarray], np.ndarray]

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network, what it is quantised by, and how good it is.

    Attributes:
        name: of the network.
        calibration: what it is quantised by, in words.
        data: what it is judged by, in words.
        model: in float32, with one input.
        arrays: what it is quantised by.
        judge: how good a way to run it is.
        unit: of that.
    """

    name: str
    calibration: str
    data: str
    model: onnx.ModelProto
    arrays: Callable[[], Iterable[np.ndarray]]
    judge: Callable[[Run], float]
    unit: str = "top-1, %"


def subjects(data: DataSet) -> Iterator[Subject]:
    """Yields the networks in ``models/`` and ``models/checkpoints/``."""
    shipped = onnx.load(_HERE / "small_vgg_cifar10_pruned.onnx")
    yield classifier("small_vgg, pruned 8.1x (shipped)", shipped, data)
    yield classifier("small_vgg, pruned 8.1x (shipped)", shipped, data, made_up=True)
    for file in sorted((_HERE / "checkpoints").glob("*.pt")):
        yield checkpoint(file, data)
    yield demosaicking(onnx.load(_HERE / "demosaic_bayer_pruned.onnx"))


def classifier(
    name: str, model: onnx.ModelProto, data: DataSet, *, made_up: bool = False
) -> Subject:
    """Judges by all test images; quantises by training images, or by made-up pictures."""
    half = data.train
    spread = torch.arange(0, len(half.labels), max(1, len(half.labels) // CALIBRATION))
    chosen = spread[:CALIBRATION]

    def images() -> Iterable[np.ndarray]:
        return made_up_pictures(model) if made_up else _batches(data, half.batch(chosen))

    what = "made-up pictures" if made_up else "training images"
    return Subject(
        name=name,
        calibration=f"{CALIBRATION if made_up else len(chosen)} {what}",
        data=data.name,
        model=model,
        arrays=images,
        judge=lambda run: _top1(run, data),
    )


def checkpoint(file: Path, data: DataSet) -> Subject:
    """Reads a trained torch network; see ``classifier``."""
    factory = str(load_network(file).facts["network"])  # of this package: it may be called
    images = int(load_network(file).facts["train_images"])
    same = data.limited(images, None)
    network = read_trained_network(file, same, torch.device("cpu"), factory=factory).network
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_onnx(network, torch.zeros(1, *data.test.shape), path)
        return classifier(f"{file.stem}, dense", onnx.load(path), data)


def demosaicking(model: onnx.ModelProto) -> Subject:
    """Judges by made-up images that are not those it is quantised by."""
    size = model.graph.input[0].type.tensor_type.shape.dim[3].dim_value
    rng = np.random.default_rng(2016)
    truths = np.stack([dead_leaves(size, rng) for _ in range(8)])

    def judge(run: Run) -> float:
        return psnr(np.stack([run(bayer_mosaic(truth)[None])[0] for truth in truths]), truths)

    return Subject(
        name="demosaicking, pruned 6.6x (shipped)",
        calibration="16 made-up images",
        data="8 others",
        model=model,
        arrays=lambda: made_up_mosaics(model),
        judge=judge,
        unit="PSNR, dB",
    )


def _top1(run: Run, data: DataSet) -> float:
    indices = torch.arange(len(data.test.labels))
    images = _batches(data, data.test.batch(indices))
    guesses = [int(np.argmax(run(image))) for image in images]
    return 100 * float(np.mean(np.array(guesses) == data.test.labels.numpy()))


def _batches(data: DataSet, images: torch.Tensor) -> list[np.ndarray]:
    """Returns images (n, c, h, w) uint8 as batches of one, as networks take them."""
    return list(data.normalise(images, images.shape[1]).numpy()[:, None])
