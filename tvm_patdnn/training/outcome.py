"""Puts a finished run into a row, and into words."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

import torch

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.machine.cpu_name import cpu_name
from tvm_patdnn.training.evaluation import Accuracy
from tvm_patdnn.training.rows import TrainRow
from tvm_patdnn.training.run import TrainingRun

__all__ = ["outcome_row", "outcome_text"]

_OWN_FIELDS = ("dense_epochs", "prune_epochs", "retrain_epochs", "seed", "distill", "rewind")
_METHOD_FIELDS = (
    *("update_every", "rho", "rho_factor", "rho_stages", "restart_duals", "strength"),
)


def outcome_row(run: TrainingRun, command: str) -> TrainRow:
    """Returns the row of a finished run.

    Args:
        command: that repeats it.
    """
    pruner, summary, state = run.pruner, run.pruner.summary(), run.state
    dense, projected, final = _finished(run)
    spec, settings = run.spec, run.spec.settings
    prune = pruner.config.prune
    return TrainRow(
        network=spec.network,
        data=spec.data.name,
        method=pruner.config.method,
        seed=settings.seed,
        train_images=len(spec.data.train.labels),
        test_images=len(spec.data.test.labels),
        scope=prune.connectivity_scope,
        filter_block=prune.filter_block,
        filter_grouping=prune.filter_grouping,
        patterns=sum(map(len, pruner.patterns.values())),
        entries=prune.entries,
        connectivity=prune.connectivity,
        rates=dict(prune.per_layer),
        dense_epochs=state.dense_epochs,
        prune_epochs=settings.prune_epochs,
        retrain_epochs=settings.retrain_epochs,
        top1_dense=dense.top1,
        top5_dense=dense.top5,
        top1_projected=projected.top1,
        top1_pruned=final.top1,
        top5_pruned=final.top5,
        compression_macs=summary.compression_macs or 1.0,
        compression_weights=summary.compression_weights,
        compression_3x3=summary.compression_3x3,
        dense_macs=summary.dense_macs or 0,
        kept_macs=summary.kept_macs or 0,
        distill=settings.distill,
        teacher=spec.teacher.name if spec.teacher else "",
        rewind=settings.rewind,
        settings=_settings(run),
        seconds=round(state.seconds, 1),
        device=_device(run),
        threads=torch.get_num_threads(),
        versions={"torch": torch.__version__, "tvm-patdnn": _own_version()},
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=command,
    )


def outcome_text(run: TrainingRun) -> str:
    """Returns the accuracies and what is left of each layer, as a table."""
    dense, projected, final = _finished(run)
    lines = [
        f"{'':24}{'top-1':>8}{'top-5':>8}",
        *(
            f"{name:24}{found.top1:7.2f}%{found.top5:7.2f}%"
            for name, found in (
                (f"dense, {run.state.dense_epochs} epochs", dense),
                ("after the projection", projected),
                ("after retraining", final),
            )
        ),
    ]
    return "\n".join([*lines, "", str(run.pruner.summary())])


def _settings(run: TrainingRun) -> dict[str, object]:
    """Returns the settings without fields of their own, those of the method last."""
    training = asdict(run.spec.settings)
    method = {name: getattr(run.pruner.config, name) for name in _METHOD_FIELDS}
    return {k: v for k, v in training.items() if k not in _OWN_FIELDS} | method


def _device(run: TrainingRun) -> str:
    if run.spec.computing.device.type == "cpu":
        precision = "bfloat16" if run.spec.computing.bfloat16 else "float32"
        return f"{cpu_name()}, {precision}"
    return run.spec.computing.name


def _finished(run: TrainingRun) -> tuple[Accuracy, Accuracy, Accuracy]:
    """Returns the accuracies of the dense, the projected and the final network."""
    state = run.state
    if state.dense is None or state.projected is None or state.final is None:
        raise TrainingError("the run is not finished: there is no result to write down")
    return state.dense, state.projected, state.final


def _own_version() -> str:
    try:
        return version("tvm-patdnn")
    except PackageNotFoundError:  # a checkout that is not installed
        return "unknown"
