"""What the layers of a network cost at a rate: products, or cycles as the compiler sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from tvm_patdnn.training.layers import Plane, as_float_array, conv_modules, weight_array
from tvm_patdnn.training.projection import NetworkProjection
from tvm_patdnn.training.sensitivity import masks_at

__all__ = ["Costs", "CycleModel", "layer_cycles", "layer_macs", "macs_at_options"]

Costs = dict[str, dict[float, float]]


def layer_macs(model: nn.Module, projection: NetworkProjection, rates: Sequence[float]) -> Costs:
    """Counts the multiply-accumulates of each layer to prune, at each rate."""
    weights = projection.weights(model)
    costs: Costs = {name: {} for name in projection.names}
    for rate in rates:
        for name, mask in zip(projection.names, masks_at(projection, weights, rate)):
            costs[name][rate] = float(mask.sum()) * projection.positions[name]
    return costs


def macs_at_options(model: nn.Module, projection: NetworkProjection) -> float:
    """Counts the multiply-accumulates that the options as they are would leave."""
    counts = projection.kept_counts(projection.weights(model))
    return float(sum(n * projection.positions[x] for n, x in zip(counts, projection.names)))


def layer_cycles(
    model: nn.Module,
    projection: NetworkProjection,
    rates: Sequence[float],
    planes: Mapping[str, Plane],
    target: str | None = None,
) -> tuple[Costs, dict[str, float]]:
    """Asks the compiler's cost model for the cycles of each layer to prune, at each rate.

    Args:
        planes: what each layer works on.
        target: what the network is compiled for; None for this machine.

    Returns:
        The cycles, and by layer those of all convolutions of the dense network.

    Raises:
        TargetError: there is no such target.
    """
    cycle_model = CycleModel(target)
    modules = conv_modules(model)
    weights = projection.weights(model)
    costs: Costs = {name: {} for name in projection.names}
    for rate in rates:
        masks = masks_at(projection, weights, rate)
        for name, weight, mask in zip(projection.names, weights, masks):
            kept = weight.detach() * mask
            costs[name][rate] = cycle_model.cycles(
                modules[name], as_float_array(kept), planes[name]
            )
    dense = {
        name: cycle_model.cycles(modules[name], weight_array(modules[name]), plane)
        for name, plane in planes.items()
    }
    return costs, dense


class CycleModel:
    """The compiler's choice of a kernel, and what its cost model says of it.

    Each layer is looked at by itself: what lies between layers is not counted.

    Args:
        target: see ``build``.
    """

    def __init__(self, target: str | None = None) -> None:
        from tvm_patdnn.machine.cpu_model import CpuModel
        from tvm_patdnn.machine.targets import resolve_target

        self._cpu = CpuModel.from_target(resolve_target(target))

    def cycles(self, module: Any, weight: np.ndarray, plane: Plane) -> float:
        """Returns the cycles of one layer: a convolution of 2 dimensions with ``weight``."""
        from relay_passes.lanes.choose_kernels import choose_kernel
        from relay_passes.recognition.analyze_convolutions import ConvLayer
        from te_schedules.cpu.conv2d_geometry import Conv2dGeometry

        padding = _padding(module)
        layer = ConvLayer(
            name="",
            weight=weight,
            groups=module.groups,
            stride=module.stride,
            dilation=module.dilation,
            padding=(*padding, *padding),
            in_shape=(1, module.in_channels, *plane.input),
            out_shape=(1, module.out_channels, *plane.output),
        )
        geometry = Conv2dGeometry.alone(
            layer.window, layer.in_shape, layer.out_shape, self._cpu.lanes
        )
        return plane.calls * choose_kernel(layer, geometry, self._cpu).cycles


def _padding(module: Any) -> tuple[int, int]:
    if isinstance(module.padding, str):
        if module.padding == "valid":
            return 0, 0
        y, x = (d * (k - 1) // 2 for d, k in zip(module.dilation, module.kernel_size))
        return y, x
    y, x = module.padding
    return y, x
