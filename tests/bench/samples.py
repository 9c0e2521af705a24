"""Rows and models that several tests of the comparison need."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from tests.onnx_models import model_of
from tvm_patdnn.bench.rows import Row, Status
from tvm_patdnn.bench.search_rows import SearchRow

__all__ = ["layer_row", "row", "search_row", "small_network"]


def row(system: str = "tvm-patdnn", **changes: Any) -> Row:
    """A measured row of the model "net"."""
    fields: dict[str, Any] = {
        "model": "net",
        "system": system,
        "status": Status.OK,
        "threads": 2,
        "median_s": 0.004,
        "p10_s": (changes.get("median_s") or 0.004) * 0.75,
        "p90_s": (changes.get("median_s") or 0.004) * 1.5,
        "repeats": 60,
        "ratio": 1.0,
        "max_rel_error": 3e-7,
        "peak_rss_bytes": 90 << 20,
        "base_rss_bytes": 80 << 20,
        "library_bytes": 3 << 19,
        "build_s": 12.34,
        "versions": {system: "1.0"},
        "cpu": "A CPU, 2 CPUs",
        "date": "2026-01-02",
        "command": "tvm-patdnn bench net.onnx",
    }
    return Row(**{**fields, **changes})


def layer_row(share: float = 0.61) -> Row:
    """Our row, with what it tells of its one layer."""
    layer = {
        "name": "conv1",
        "kernel": "pattern",
        "median_s": 0.002,
        "macs_per_s": 50e9,
        "share_of_peak": share,
    }
    return row(facts={"peak_macs_per_s": 82e9, "layers": [layer]})


def small_network() -> onnx.ModelProto:
    """x (1, 3, 8, 8) -> conv1 -> a; a -> conv2 -> b; b -> conv3 -> y, the last two alike."""
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", [source, f"w{i}"], [target], name=f"conv{i}", pads=[1] * 4)
        for i, (source, target) in enumerate([("x", "a"), ("a", "b"), ("b", "y")], 1)
    ]
    weights = {
        "w1": random.standard_normal((4, 3, 3, 3), np.float32),
        "w2": random.standard_normal((4, 4, 3, 3), np.float32),
        "w3": random.standard_normal((4, 4, 3, 3), np.float32),
    }
    return model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights=weights)


def search_row(layer: str = "layer") -> SearchRow:
    """What the race of the searches finds of a layer."""
    return SearchRow(
        layer=layer,
        cpu="a",
        threads=2,
        genetic_s=0.001,
        random_s=0.002,
        default_s=0.003,
        genetic_course=[0.004, 0.002, 0.001],
        random_course=[0.004, 0.004, 0.003, 0.002],
        correlation=0.75,
    )
