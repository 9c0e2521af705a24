"""What tuning records call a convolution on a GPU."""

from __future__ import annotations

from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.gpu.conv2d_configuration import FAMILY
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.records.tuning_key import TuningKey

__all__ = ["gpu_conv2d_key"]


def gpu_conv2d_key(layer: ConvLayer, gpu: GpuModel, storage: str) -> TuningKey:
    """Returns the key: the layer's workload on a GPU, which stands where others have the CPU.

    Args:
        storage: of tensors: "float32" or "float16".
    """
    return TuningKey(
        family=FAMILY,
        workload=layer.workload,
        layout=f"planes of {storage}",
        lanes=gpu.lanes,
        threads=gpu.multiprocessors,
        cpu=gpu.name,
    )
