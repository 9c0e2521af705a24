"""The part of the page of measured speeds that is about whole networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["networks_section"]

Row = dict[str, Any]

HEAD = """## Networks, batch {batch}

Images of 224x224, all in CUDA graphs, and every output of ours first compared with ONNX Runtime's.
VGG-16 is its convolutional part. torch runs the dense network as it is written, in eval mode, the
faster order of channels for fp32 and channels last for the rest: a compiler for it would fuse what
is between the convolutions, as ours does.

| network | torch fp32 | TF32 | FP16 | blocks of 4 | fp32 / it | TF32 / it | free | fp32 / it |
|---|---|---|---|---|---|---|---|---|"""

NAMES = {
    "vgg16": "VGG-16",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "mobilenet_v2": "MobileNet-V2",
}


def networks_section(rows: Iterable[Row], batch: int = 1) -> str:
    """Returns the section, from the rows of ``models.race_gpu`` of one GPU."""
    graphs = [row for row in rows if row["launch"] == "graph" and row["batch"] == batch]
    lines = [HEAD.format(batch=batch)]
    for name, called in NAMES.items():
        of_network = [row for row in graphs if row["network"] == name]
        fp32, tf32, fp16 = (_torch(of_network, *kind) for kind in KINDS)
        blocks, free = _ours(of_network, "blocks"), _ours(of_network, "pruned")
        cells = [*map(_micros, (fp32, tf32, fp16, blocks)), _times(fp32, blocks)]
        cells += [_times(tf32, blocks), _micros(free), _times(fp32, free)]
        lines.append(f"| {called} | {' | '.join(cells)} |")
    return "\n".join(lines)


KINDS = (("float32", False), ("float32", True), ("float16", True))


def _torch(rows: Iterable[Row], storage: str, tf32: bool) -> float | None:
    return _least(
        row
        for row in rows
        if row["system"] == "torch" and (row["storage"], row["tf32"]) == (storage, tf32)
    )


def _ours(rows: Iterable[Row], variant: str) -> float | None:
    return _least(
        row
        for row in rows
        if row["system"] != "torch" and (row["variant"], row["storage"]) == (variant, "float32")
    )


def _least(rows: Iterable[Row]) -> float | None:
    return min((row["us"] for row in rows), default=None)


def _micros(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _times(slow: float | None, fast: float | None) -> str:
    return "" if slow is None or fast is None else f"{slow / fast:.1f}"
