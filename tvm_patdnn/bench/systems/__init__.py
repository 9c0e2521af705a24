"""The systems that can be compared, an adapter per file; this is the one list of them."""

from __future__ import annotations

from importlib import import_module

from tvm_patdnn.bench.system import System
from tvm_patdnn.bench.systems import (
    alibaba_mnn,
    dot_peak,
    exact_onnxruntime,
    fma_peak,
    intel_openvino,
    microsoft_onnxruntime,
    patdnn,
    pytorch,
    rungs,
    tencent_ncnn,
    tvm_dense,
    tvm_untuned,
)

__all__ = [
    "DENSE",
    "DOT_PROBE",
    "EXACT",
    "LADDER_SYSTEMS",
    "OURS",
    "PROBE",
    "REFERENCE",
    "SYSTEMS",
    "find_system",
]

OURS = patdnn.SYSTEM
DENSE = tvm_dense.SYSTEM
REFERENCE = microsoft_onnxruntime.SYSTEM
EXACT = exact_onnxruntime.SYSTEM  # the reference of quantised models
PROBE = fma_peak.SYSTEM  # measures the machine, not the model
DOT_PROBE = dot_peak.SYSTEM  # the same for quantised models
LADDER_SYSTEMS: dict[str, System] = {system.name: system for system in rungs.RUNGS}

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        OURS,
        tvm_dense.SYSTEM,
        tvm_untuned.SYSTEM,
        REFERENCE,
        intel_openvino.SYSTEM,
        tencent_ncnn.SYSTEM,
        alibaba_mnn.SYSTEM,
        pytorch.SYSTEM,
    )
}


def find_system(name: str) -> System | None:
    """Returns the system of that name, or None where there is none.

    Args:
        name: of the lists above, or ``module:ATTRIBUTE`` for a system of another package.
    """
    others = {system.name: system for system in (EXACT, PROBE, DOT_PROBE)}
    if name in (known := {**SYSTEMS, **LADDER_SYSTEMS, **others}):
        return known[name]
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if isinstance(found, System) else None
