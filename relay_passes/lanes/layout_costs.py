"""What the nodes of a network cost in each split that they may be written in.

A convolution costs what was measured, where there are records of it in its rules' split or in
several, and else what the cost model says of its kernel. The constants are of a Zen 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from tvm import relax

from relay_passes.lanes.assign_layouts import WASTE, enlarged, input_layouts
from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.tuning_keys import splits_text
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.graph import Convolution, LaneNode
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d_configuration import FAMILY
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry, holding
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split, splits
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_key import without_halos
from tvm_patdnn.records.tuning_records import Records

__all__ = ["LayoutCosts"]

RELAYOUT_S = 0.7e-9  # of a value that is laid out anew, halos included, on one core
HALO_S = 0.5e-9  # of a value that a kernel stores once more, for the halos of its readers
COPY_S = 0.2e-9  # of a value that a pooling or a copy writes
CYCLE_S = 0.28e-9  # of the cost model of convolutions


@dataclass(frozen=True, kw_only=True)
class LayoutCosts:
    """Seconds of nodes and of what lies between them, on all cores.

    Attributes:
        records: measured schedules.
        optimizations: which kernels there are.
        fixed: results whose splits are not to be changed.
    """

    cpu: CpuModel
    records: Records = field(default_factory=Records)
    optimizations: Optimizations = field(default_factory=Optimizations)
    fixed: Set[relax.Var] = frozenset()

    def of_splits(self, node: LaneNode, kept: Split) -> dict[Split, float]:
        """Returns what a node costs in each split of its result, ``kept`` first."""
        if node.result in self.fixed:
            return {kept: 0.0}
        found = [kept, *(split for split in _splits(node, kept.lanes) if split != kept)]
        if not isinstance(node.operator, Convolution):
            return {split: self._copied(node, split) for split in found}
        return self._measured(node, found) or self._modelled(node.operator.layer, found)

    def between(self, written: Split, values: int, needed: LaneLayout) -> float:
        """Returns what it costs to read a tensor that is written in a split.

        Args:
            values: planes of the tensor, of all images.
            needed: the layout in which it is read.
        """
        if written == needed.split:
            halo = needed.plane_values - written.vectors * written.lanes
            return HALO_S * values * halo / self.cpu.num_cores
        return RELAYOUT_S * values * needed.plane_values / self.cpu.num_cores

    @cached_property
    def _decided(self) -> Mapping[tuple[str, str], float]:
        """The seconds of what was decided for each convolution, by its workload and splits."""
        found: dict[tuple[str, str], float] = {}
        here = (FAMILY, self.cpu.lanes, self.cpu.num_cores, self.cpu.name)
        for key in self.records.layers():
            if (key.family, key.lanes, key.threads, key.cpu) != here:
                continue
            for record in (self.records.best(key, sparse=sparse) for sparse in (False, True)):
                if record is not None and record.chosen and record.seconds is not None:
                    place = key.workload, without_halos(key.layout)
                    found[place] = min(record.seconds, found.get(place, record.seconds))
        return found

    def _measured(self, node: LaneNode, found: Sequence[Split]) -> dict[Split, float]:
        """Returns the measured splits; none, where they say nothing about the others."""
        assert isinstance(node.operator, Convolution)
        costs = {}
        for split in found:
            (source,) = input_layouts(node, split)
            place = node.operator.layer.workload, splits_text(source.split, split)
            if place in self._decided:
                costs[split] = self._decided[place]
        return costs if found[0] in costs or len(costs) > 1 else {}

    def _copied(self, node: LaneNode, split: Split) -> float:
        batch, channels = fixed_shape(node.result)[:2]
        return COPY_S * batch * channels * split.vectors * split.lanes / self.cpu.num_cores

    def _modelled(self, layer: ConvLayer, found: Sequence[Split]) -> dict[Split, float]:
        """Returns what the cost model says of the kernel that is chosen in the first split."""
        if not self.optimizations.complete:
            return {found[0]: 0.0}
        choice = choose_kernel(
            layer, _geometry(layer, found[0]), self.cpu, optimizations=self.optimizations
        )
        candidate, costs = choice.chosen.candidate, {}
        most = WASTE * min(split.vectors for split in found)
        pruned = candidate.kind in ("pattern", "connectivity")
        for split in (found[0], *(each for each in found[1:] if each.vectors <= most)):
            geometry = _geometry(layer, split)
            scheduled = candidate.scheduled(geometry, self.cpu)
            if scheduled is not None:
                cycles = candidate.cycles(geometry, scheduled[0], self.cpu, beside_copies=pruned)
                costs[split] = CYCLE_S * cycles / self.cpu.num_cores
        return costs


def _geometry(layer: ConvLayer, split: Split) -> Conv2dGeometry:
    return Conv2dGeometry.of(layer.window, layer.in_shape, layer.out_shape[1], LaneLayout(split))


def _splits(node: LaneNode, lanes: int) -> list[Split]:
    """Returns all splits in which a node can write its result."""
    height, width = fixed_shape(node.result)[2:]
    in_height, in_width = fixed_shape(node.inputs[0])[2:]
    if node.window is not None:
        found = splits(height, width, lanes)
        return [holding(split, node.window, in_height, in_width) for split in found]
    return [enlarged(node, split) for split in splits(in_height, in_width, lanes)]
