"""The systems that can be compared, an adapter per file; this is the one list of them."""

from __future__ import annotations

from tvm_patdnn.bench.system import System
from tvm_patdnn.bench.systems import (
    alibaba_mnn,
    fma_peak,
    intel_openvino,
    microsoft_onnxruntime,
    patdnn,
    pytorch,
    tencent_ncnn,
    tvm_dense,
    tvm_untuned,
)

__all__ = ["OURS", "PROBE", "REFERENCE", "SYSTEMS"]

OURS = patdnn.SYSTEM
REFERENCE = microsoft_onnxruntime.SYSTEM
PROBE = fma_peak.SYSTEM  # measures the machine, not the model

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
