"""Training pruned networks: the methods, the loop around them, data and reports.

In a training script of one's own::

    pruner = PatternPruner(model, PrunerConfig(epochs=30))
    for epoch in range(30):
        pruner.step(epoch)
        for images, labels in batches:
            loss = cross_entropy(model(images), labels) + pruner.penalty()
            ...
    pruner.finalize()
    ...  # the same loop again, without the pruner: what was removed stays zero
    pruner.export_onnx("pruned.onnx", example)

A ``Teacher`` made of the dense network beforehand can add its outputs to the loss of the second
loop: ``loss = teacher.blend(cross_entropy(scores, labels), scores, images)``.
"""

from tvm_patdnn.training.needs_torch import require_torch

require_torch()

from tvm_patdnn.training.distillation import Teacher  # noqa: E402 (after the check)
from tvm_patdnn.training.options import PrunerConfig  # noqa: E402
from tvm_patdnn.training.pruner import PatternPruner  # noqa: E402

__all__ = ["PatternPruner", "PrunerConfig", "Teacher"]
