"""A report as text for people and as JSON for machines."""

from __future__ import annotations

import json
from dataclasses import asdict

from tvm_patdnn.cli.pattern_pictures import count_patterns, draw_patterns
from tvm_patdnn.library.report import Report

__all__ = ["interface_facts", "interface_text", "report_json", "report_text"]


def interface_text(report: Report) -> str:
    """Returns a line for each input and output of the model: name, dtype and shape."""
    tensors = [("input ", each) for each in report.inputs.items()]
    tensors += [("output", each) for each in report.outputs.items()]
    return "\n".join(f"{what}  {n}: {spec.dtype} {list(spec.shape)}" for what, (n, spec) in tensors)


def interface_facts(report: Report) -> dict[str, object]:
    """Returns the same for ``report_json``."""
    return {
        "inputs": {name: spec._asdict() for name, spec in report.inputs.items()},
        "outputs": {name: spec._asdict() for name, spec in report.outputs.items()},
    }


def report_text(report: Report) -> str:
    """Returns the table, the pictures of the patterns, and the sizes."""
    if not report:
        return str(report)
    parts = [str(report)]
    for kernel_shape, counts in count_patterns(report).items():
        size = "x".join(map(str, kernel_shape))
        parts.append(f"patterns in {size} kernels ({len(counts)}):\n{draw_patterns(counts)}")
    return "\n\n".join([*parts, _sizes(report)])


def report_json(report: Report, **facts: object) -> str:
    """Returns ``facts``, the layers, the patterns by their picture, and the sums."""
    counts = {
        picture: count
        for by_picture in count_patterns(report).values()
        for picture, count in by_picture.items()
    }
    layers = [asdict(layer) for layer in report]
    return json.dumps(
        {**facts, "layers": layers, "pattern_counts": counts, "total": _total(report)}, indent=2
    )


def _total(report: Report) -> dict[str, int]:
    names = ("dense_macs", "kept_macs", "bytes", "structure_bytes", "dense_bytes", "csr_bytes")
    return {name: sum(getattr(layer, name) for layer in report) for name in names}


def _sizes(report: Report) -> str:
    total = _total(report)
    packed, dense, csr = (total[f"{name}bytes"] / 1024 for name in ("", "dense_", "csr_"))
    structure = total["structure_bytes"] / 1024
    return (
        f"convolution weights: {dense:,.0f} KiB dense, {csr:,.0f} as CSR, {packed:,.0f} as stored "
        f"({structure:,.0f} of it structure): {dense / packed:.1f}x smaller"
    )
