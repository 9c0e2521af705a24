"""What of the systems can be built for a device that runs TVM's libraries, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import tvm

from tvm_patdnn.bench.systems import DENSE, OURS, SYSTEMS
from tvm_patdnn.builder import build
from tvm_patdnn.importing.importer import import_onnx
from tvm_patdnn.library.library import Library
from tvm_patdnn.library.metadata import Metadata, embed_metadata
from tvm_patdnn.machine.targets import TargetLike, resolve_target
from tvm_patdnn.optimizations import Optimizations

__all__ = ["BUILDERS"]

Builder = Callable[[Path, TargetLike, str | None], Library]


def _ours(model: Path, target: TargetLike, logs: str | None, *, sparse: bool) -> Library:
    return build(model, target, logs=logs, optimizations=Optimizations(sparse=sparse))


def _untuned(model: Path, target: TargetLike, logs: str | None) -> Library:
    resolved = resolve_target(target)
    imported = import_onnx(model)
    metadata = Metadata(
        target=str(resolved),
        inputs=imported.inputs,
        outputs=imported.outputs,
        layers=(),
        versions={},
        properties=imported.properties,
    )
    module = embed_metadata(imported.module, metadata)
    return Library(tvm.compile(module, target=resolved), resolved, metadata)


# By the system's name: from the model, the target and tuning records.
BUILDERS: Mapping[str, Builder] = {
    OURS.name: partial(_ours, sparse=True),
    DENSE.name: partial(_ours, sparse=False),
    SYSTEMS["tvm-untuned"].name: _untuned,
}
