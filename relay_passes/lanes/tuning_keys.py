"""What tuning records call a planned convolution."""

from __future__ import annotations

from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.conv2d_configuration import FAMILY
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import TuningKey

__all__ = ["conv2d_key", "splits_text"]


def conv2d_key(layer: ConvLayer, geometry: Conv2dGeometry, cpu: CpuModel) -> TuningKey:
    """Returns the key: the layer's workload, in its layouts, with all cores."""
    return TuningKey(
        family=FAMILY,
        workload=layer.workload,
        layout=f"{_layout(geometry.in_layout)} to {_layout(geometry.out_layout)}",
        lanes=cpu.lanes,
        threads=cpu.num_cores,
        cpu=cpu.name,
    )


def splits_text(source: Split, output: Split) -> str:
    """Returns what the layout of a key is without halos."""
    return f"{_split(source)} to {_split(output)}"


def _layout(layout: LaneLayout) -> str:
    halo = layout.halo
    return f"{_split(layout.split)} halo {halo.top},{halo.left},{halo.bottom},{halo.right}"


def _split(split: Split) -> str:
    return f"{split.lanes_y}x{split.lanes_x} blocks of {split.vectors_y}x{split.vectors_x}"
