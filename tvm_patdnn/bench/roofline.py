"""What share of the machine's peak our layers reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tvm_patdnn.bench.entrant import Entrant

__all__ = ["layers_with_shares", "peak_macs", "total_counts"]

_COUNTS = {"loads": "input_loads", "products": "products"}  # in rows, in the build's report


def peak_macs(probe: Entrant) -> float | None:
    """Returns the multiply-adds a second that the machine can do: the median of the rounds."""
    peaks = list(_peaks(probe).values())
    return median(peaks) if peaks else None


def layers_with_shares(entrant: Entrant, probe: Entrant) -> list[dict[str, Any]]:
    """Returns our layers, each with its time and its share of the peak.

    Args:
        entrant: whose ``kernels`` are in the order of its layers.
        probe: measured the peak in the same rounds, of products of bytes or of numbers.

    Returns:
        For each layer, or pair of layers in one kernel, its name, kernel, shapes, macs, counted
        loads and products, ``median_s``, ``macs_per_s`` (of the macs it really has to do) and
        ``share_of_peak``; nothing where the layers do not match what was timed.
    """
    layers = _by_kernel(entrant.built.get("facts", {}).get("layers", []))
    rounds = {
        number: [seconds for _, seconds in timed]
        for number, timed in entrant.kernels.items()
        if len(timed) == len(layers)
    }
    if not rounds:
        return []
    return [
        _with_share(
            layer, {number: timed[i] for number, timed in rounds.items()}, _roof(layer, probe)
        )
        for i, layer in enumerate(layers)
    ]


def total_counts(entrant: Entrant) -> dict[str, int]:
    """Returns what all its kernels do in one run, as counted in their generated code.

    Returns:
        ``loads``, vectors of activations that are loaded, and ``products``, vectors that are
        multiplied and added; nothing where that was not counted.
    """
    layers = entrant.built.get("facts", {}).get("layers", [])
    totals = {}
    for name, stored in _COUNTS.items():
        counts = [layer.get(stored) for layer in layers]
        if counts and None not in counts:
            totals[name] = sum(counts)
    return totals


def _roof(layer: Mapping[str, Any], probe: Entrant) -> Mapping[int, float]:
    """Returns the peaks by round, if they are of what the layer multiplies: bytes or numbers."""
    of_bytes = probe.built.get("facts", {}).get("dtype") == "int32"
    return _peaks(probe) if of_bytes == (layer.get("dtype") == "int8") else {}


def _by_kernel(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the layers with their ``macs``; those in one kernel are taken together."""
    kernels: list[Mapping[str, Any]] = []
    for layer in layers:
        each = {**layer, "macs": layer["kept_macs" if layer["kernel"] != "dense" else "dense_macs"]}
        kernels.append(_together(kernels.pop(), each) if layer.get("joined") else each)
    return kernels


def _together(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    sums = ("macs", *_COUNTS.values())
    return {
        **first,
        "out_shape": second["out_shape"],
        **{name: f"{first[name]} + {second[name]}" for name in ("name", "kernel")},
        **{name: first[name] + second[name] for name in sums if name in first},
    }


def _with_share(
    layer: Mapping[str, Any], seconds: Mapping[int, float], peaks: Mapping[int, float]
) -> dict[str, Any]:
    kept = ("name", "kernel", "in_shape", "out_shape", "kernel_shape", "stride", "compression")
    macs = layer["macs"]
    shares = [macs / spent / peaks[number] for number, spent in seconds.items() if number in peaks]
    return {
        **{name: layer[name] for name in kept},
        **{name: layer.get(stored) for name, stored in _COUNTS.items()},
        "macs": macs,
        "median_s": median(seconds.values()),
        "macs_per_s": macs / median(seconds.values()),
        "share_of_peak": median(shares) if shares else None,
    }


def _peaks(probe: Entrant) -> dict[int, float]:
    macs = probe.built.get("facts", {}).get("macs", 0)
    return {number: macs / median(seconds) for number, seconds in probe.turns.items() if macs}
