"""What a run is about to do, for who waits for its first epoch."""

from __future__ import annotations

from tvm_patdnn.training.phases import phases
from tvm_patdnn.training.run import TrainingRun

__all__ = ["outline_text"]


def outline_text(run: TrainingRun) -> str:
    """Says in a line what is trained with what, for how long, and where it goes on."""
    spec = run.spec
    data, done = spec.data, len(run.state.history)
    images = f"{len(data.train.labels)} training and {len(data.test.labels)} test images"
    epochs = ", ".join(f"{phase.name} {phase.epochs}" for phase in phases(spec.settings))
    said = (
        f"{spec.network} on {spec.computing.name}: {images} of {len(data.classes)} classes; "
        f"epochs: {epochs}{_dense(run)}; method: {spec.pruner.method}"
    )
    return f"{said}; goes on after {done} epochs" if run.state.started else said


def _dense(run: TrainingRun) -> str:
    path = run.spec.dense
    if run.state.started or path is None or not path.is_file():
        return ""
    return f" (dense: taken from {path})"
