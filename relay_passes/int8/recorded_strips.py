"""What was measured of a convolution of bytes: its key, and the kernel that records say."""

from __future__ import annotations

from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.int8.choose_conv2d import AnyConv2d, choose_conv2d, conv2d_cost
from te_schedules.cpu.int8.conv2d import Int8Kernel, int8_kernel
from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.strip_configuration import FAMILY, StripConfiguration
from te_schedules.cpu.int8.strip_space import strip_kernel
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_space import tile_kernel
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Record, Records

__all__ = ["recorded_kernel", "strip_key"]

SIMILAR_COST = 1.15  # a kernel of a similar layer may cost this much more than the cheapest


def strip_key(layer: ConvLayer, int8: Int8Layer, cpu: CpuModel) -> TuningKey:
    """Returns what tuning records call a layer."""
    return TuningKey(
        family=FAMILY,
        workload=f"{layer.workload} residual {int(int8.store.residual is not None)}",
        layout=f"planes of bytes, by {instructions_for(cpu).name}",
        lanes=cpu.lanes,
        threads=cpu.num_cores,
        cpu=cpu.name,
    )


def recorded_kernel(
    key: TuningKey,
    layer: Int8Layer,
    cpu: CpuModel,
    records: Records,
    *,
    sparse: bool,
    transforms: bool = True,
) -> Int8Kernel | None:
    """Returns the fastest kernel that records say, or that of a similar layer.

    Args:
        sparse: False is for kernels that compute a pruned layer as if it were dense.
        transforms: whether Winograd's may be used.

    Returns:
        None where no record fits the layer.
    """
    kinds = (True, False) if sparse else (False,)
    own = [record for kind in kinds if (record := records.best(key, sparse=kind)) is not None]
    own = [record for record in own if transforms or not _transforms(record)]
    for record in sorted(own, key=lambda record: record.seconds or 0.0):
        if (kernel := _kernel(record, layer, cpu)) is not None:
            return int8_kernel(kernel, sparse=record.sparse, why="scheduled as measured")
    similar = [record for kind in kinds for record in records.similar(key, sparse=kind)]
    similar = [record for record in similar if transforms or not _transforms(record)]
    if not similar:
        return None
    cheapest = choose_conv2d(layer, cpu, sparse=sparse, transforms=transforms)
    most = SIMILAR_COST * conv2d_cost(cheapest, cpu)
    for record in similar:
        kernel = _kernel(record, layer, cpu)
        if kernel is not None and conv2d_cost(kernel, cpu) <= most:
            why = "scheduled as a similar layer that was measured"
            return int8_kernel(kernel, sparse=record.sparse, why=why)
    return None


def _transforms(record: Record) -> bool:
    return isinstance(record.configuration, TileSchedule)


def _kernel(record: Record, layer: Int8Layer, cpu: CpuModel) -> AnyConv2d | None:
    configuration = record.configuration
    if isinstance(configuration, TileSchedule):
        return tile_kernel(configuration, layer, cpu)
    assert isinstance(configuration, StripConfiguration), "as its key's family says"
    return strip_kernel(configuration, layer, cpu)
