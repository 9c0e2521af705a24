"""What the ladder's rungs climb: the layers of VGG-16, or a model of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tvm_patdnn.bench.sample_layers import VGG_LAYERS, SampleLayer
from tvm_patdnn.bench.series import Series
from tvm_patdnn.bench.session import make_subjects
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.importing.onnx_shapes import InputShapes

__all__ = ["LADDER", "ladder_subjects"]

LADDER = "ladder"  # the name of this series in rows


def ladder_subjects(
    model: Path | None = None,
    *,
    input_shapes: InputShapes | None = None,
    per_layer: bool = False,
) -> Sequence[Subject]:
    """Makes the subjects of a ladder.

    Args:
        model: a pruned one; None: the distinct layers of VGG-16, L1 to L9, with random
            weights: 8 patterns, 4 entries, 3.6x connectivity, L1 patterns only.
        input_shapes: sizes of its dynamic inputs.
        per_layer: each distinct convolution of the model, not the model.

    Raises:
        ModelError: the model cannot be read, or a dynamic input has no shape.
        BenchError: it has no convolution.
    """
    if model is None:
        return Series([partial(_vgg_layer, i, each) for i, each in enumerate(VGG_LAYERS, 1)])
    subjects = make_subjects(model, input_shapes=input_shapes, per_layer=per_layer)
    return [replace(subject, series=LADDER) for subject in subjects]


def _vgg_layer(number: int, layer: SampleLayer) -> Subject:
    pruned = layer.pruned(connectivity=1.0) if number == 1 else layer.pruned()
    return Subject(model="VGG-16", layer=f"L{number} ({layer})", pruned=pruned, series=LADDER)
