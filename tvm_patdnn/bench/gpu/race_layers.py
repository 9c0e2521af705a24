"""Races layers on a GPU: our kernels against torch, which calls cuDNN.

Every kernel is first compared with torch in float64. Ours have bias and ReLU, torch's convolution
has only the bias. Inputs and weights are the same in all turns, for ours as for torch.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from te_schedules.gpu.block_lists import BlockLists
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from tvm_patdnn.bench.gpu.device import Device
from tvm_patdnn.bench.gpu.layer_case import Layer, LayerCase, Variant, layer_weight
from tvm_patdnn.sparse.fkw import FKW, pack_fkw

__all__ = ["LayerRace"]

TOLERANCE = {"float32": 1e-5, "float16": 2e-3}  # of the norm
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class LayerRace:
    """A race of cases.

    Attributes:
        folder: with the modules of the cases.
        torch: the module.
        where: torch's name of the device.
    """

    device: Device
    folder: Path
    torch: Any
    where: str = "cuda"
    _packed: dict[tuple[str, Variant, int], FKW] = field(default_factory=dict)

    def ours(self, cases: Sequence[LayerCase]) -> Iterator[Row]:
        """Checks and times each case; a case that fails has its error in its row."""
        made: tuple[object, dict[str, Any], Any] = (None, {}, None)
        for case in cases:
            key = (case.layer.name, case.batch, case.variant, case.storage)
            if made[0] != key:
                made = (key, *self._tensors(case))
            row = _row(case.layer, case.batch, f"ours, {case.variant}", case.storage)
            row |= {"kernel": case.name, "schedule": case.schedule, "model": case.micros}
            try:
                yield row | self._case(case, made[1], made[2])
            except Exception as error:  # the others still can be raced
                yield row | {"error": f"{type(error).__name__}: {error}"}

    def torchs(self, layer: Layer, batch: int) -> Iterator[Row]:
        """Times torch's convolution in each precision and order of the channels."""
        backends = self.torch.backends
        for name, tf32, half in (("fp32", 0, 0), ("tf32", 1, 0), ("fp16", 0, 1)):
            backends.cudnn.allow_tf32 = bool(tf32)
            backends.cudnn.benchmark = True
            for order in ("contiguous_format", "channels_last"):
                row = _row(layer, batch, f"torch {name}", "float16" if half else "float32")
                try:
                    micros = self.device.time(
                        self._convolution(layer, batch, half=half, order=order)
                    )
                    yield row | {"order": order} | _times(micros)
                except Exception as error:
                    yield row | {"order": order, "error": f"{type(error).__name__}: {error}"}
        backends.cudnn.allow_tf32 = False

    def _convolution(self, layer: Layer, batch: int, *, half: int, order: str) -> Callable[[], Any]:
        weight = layer_weight(layer, "dense")[0]
        dtype = self.torch.float16 if half else self.torch.float32
        layout = {"dtype": dtype, "memory_format": getattr(self.torch, order)}
        data = self.device.array(_data(layer, batch)).to(**layout)
        kernels = self.device.array(weight).to(**layout)
        bias = self.device.array(_bias(layer)).to(dtype)
        conv2d = self.torch.nn.functional.conv2d
        return lambda: conv2d(data, kernels, bias, padding=1)

    def _tensors(self, case: LayerCase) -> tuple[dict[str, Any], Any]:
        """Returns what all schedules of a case share, and what they have to give."""
        layer, torch = case.layer, self.torch
        data, bias = _data(layer, case.batch), _bias(layer)
        weight = layer_weight(layer, case.variant)[0]
        data, weight, bias = (each.astype(case.storage) for each in (data, weight, bias))
        double = [self.device.array(each.astype(np.float64)) for each in (data, weight, bias)]
        expected = torch.relu(torch.nn.functional.conv2d(*double, padding=1))
        output = self.device.array(np.zeros(tuple(expected.shape), case.storage))
        operand = bias.reshape(1, -1)
        arrays = {"data": self.device.array(data), "operand0": self.device.array(operand)}
        return arrays | {"output": output}, expected

    def _case(self, case: LayerCase, shared: dict[str, Any], expected: Any) -> Row:
        schedule = GpuSchedule(**case.schedule)
        lists = BlockLists.of(self._fkw(case, schedule.window), schedule, case.channel)
        arrays = {
            **shared,
            "reorder": self.device.array(self._fkw(case, schedule.window).reorder.astype(np.int32)),
            "lists": self.device.array(lists.lists),
            "weight": self.device.array(lists.weight.astype(case.storage)),
        }
        shape = (schedule.splits, *expected.shape)
        if schedule.splits > 1:
            arrays["parts"] = self.device.array(np.full(shape, np.nan, np.float32))
        arrays["output"].fill_(float("nan"))
        call = lambda: self.device.call(self.folder / case.module, case.launches, arrays)  # noqa: E731
        call()
        error = _difference(arrays["output"], expected)
        row = {"error_of_norm": error, "right": error < TOLERANCE[case.storage]}
        return row | _times(self.device.time(call))

    def _fkw(self, case: LayerCase, window: int) -> FKW:
        key = (case.layer.name, case.variant, window)
        if key not in self._packed:
            weight, ids, patterns, group = layer_weight(case.layer, case.variant)
            self._packed[key] = pack_fkw(weight, ids, patterns, group, window)
        return self._packed[key]


def _difference(got: Any, expected: Any) -> float:
    error = float((got.double() - expected).norm() / expected.norm())
    return error if error == error else float("inf")


def _times(micros: Sequence[float]) -> Row:
    return {"us": statistics.median(micros), "us_least": min(micros), "us_most": max(micros)}


def _row(layer: Layer, batch: int, system: str, storage: str) -> Row:
    return {
        "layer": layer.name,
        "shape": f"{layer.in_c}->{layer.out_c}@{layer.side}",
        "batch": batch,
        "system": system,
        "storage": storage,
        "dense_macs": batch * layer.dense_macs,
    }


def _data(layer: Layer, batch: int) -> np.ndarray:
    shape = (batch, layer.in_c, layer.side, layer.side)
    return np.random.default_rng(1).standard_normal(shape, np.float32)


def _bias(layer: Layer) -> np.ndarray:
    return np.random.default_rng(2).standard_normal(layer.out_c, np.float32)
