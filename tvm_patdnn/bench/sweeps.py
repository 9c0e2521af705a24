"""What is swept, and the models at each value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tvm_patdnn.bench.series import Series
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.bench.sweep_sources import DenseSource, layer_source, model_source
from tvm_patdnn.errors import BenchError
from tvm_patdnn.importing.onnx_shapes import InputShapes

__all__ = ["SWEEPS", "Sweep", "sweep_subjects"]

_ENTRIES = 4
_KERNEL = 9  # weights of a 3x3 kernel


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A setting that is swept.

    Attributes:
        axis: what its values are.
        values: the default ones, given the number of cores.
        whole: its values are whole numbers.
        subject: makes the subject of a value.
    """

    axis: str
    values: Callable[[int], Sequence[float]]
    whole: bool = True
    subject: Callable[[DenseSource, float], Subject]


def sweep_subjects(
    name: str,
    model: Path | None,
    *,
    threads: int,
    values: Sequence[float] | None = None,
    input_shapes: InputShapes | None = None,
) -> Sequence[Subject]:
    """Makes the subjects of a sweep.

    Args:
        name: in ``SWEEPS``.
        model: a dense one, which is pruned: 8 patterns, 4 entries, 3.6x connectivity, but for
            what is swept; None: VGG's convolution 256->256 at 56x56, with random weights.
        threads: up to how many are swept.
        values: instead of the usual ones.
        input_shapes: sizes of dynamic inputs of the model.

    Raises:
        BenchError: a value makes no sense.
        ModelError: the model cannot be read, or a dynamic input has no shape.
    """
    sweep = SWEEPS[name]
    chosen = sorted(set(sweep.values(threads) if values is None else values))
    for value in chosen:
        if value < 1 or (sweep.whole and value != int(value)):
            wanted = "whole numbers of at least 1" if sweep.whole else "numbers of at least 1"
            raise BenchError(f"{name}: got the value {value:g}, expected {wanted}")
    source = layer_source() if model is None else model_source(model, input_shapes)
    return Series([partial(_point, name, source, value) for value in chosen])


def _point(name: str, source: DenseSource, value: float) -> Subject:
    made = SWEEPS[name].subject(source, value)
    return Subject(**{**vars(made), "series": name, "value": value})


def _with_compression(source: DenseSource, value: float) -> Subject:
    """Keeps 4 entries of a kernel; below 2.25x more of them, and nearly all kernels."""
    entries = max(_ENTRIES, -int(-_KERNEL // value))
    connectivity = max(1.0, value * entries / _KERNEL)
    return source.subject(entries=entries, connectivity=connectivity)


def _with_patterns(source: DenseSource, value: float) -> Subject:
    return source.subject(patterns=int(value))


def _with_filter_block(source: DenseSource, value: float) -> Subject:
    return source.subject(filter_block=int(value))


def _with_threads(source: DenseSource, value: float) -> Subject:
    return Subject(**{**vars(source.subject()), "threads": int(value)})


def _with_image_size(source: DenseSource, value: float) -> Subject:
    return source.subject(int(value))


def _thread_counts(cores: int) -> Sequence[float]:
    return [*(count for count in (1, 2, 4, 8, 16, 32, 64) if count < cores), cores]


SWEEPS: dict[str, Sweep] = {
    "compression": Sweep(
        axis="compression of 3x3 kernels (all weights over kept weights)",
        values=lambda _: (1.5, 2.25, 3.15, 4.5, 8.1, 12, 18),
        whole=False,
        subject=_with_compression,
    ),
    "patterns": Sweep(
        axis="patterns in the set", values=lambda _: (4, 6, 8, 12), subject=_with_patterns
    ),
    "filter-block": Sweep(
        axis="neighbouring filters that share kernels and patterns",
        values=lambda _: (1, 2, 4, 8),
        subject=_with_filter_block,
    ),
    "threads": Sweep(axis="threads", values=_thread_counts, subject=_with_threads),
    "image-size": Sweep(
        axis="image height and width",
        values=lambda _: (64, 112, 160, 224, 320, 448),
        subject=_with_image_size,
    ),
}
