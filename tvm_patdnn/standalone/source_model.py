"""What a standalone model is made from."""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm.target import Target

from tvm_patdnn.library.metadata import Metadata

__all__ = ["SourceModel"]


@dataclass(frozen=True, kw_only=True)
class SourceModel:
    """A model behind our passes, before it is lowered for any kind of library.

    Attributes:
        module: as ``run_pipeline`` returns it.
        data_dependent: operators of the ONNX file, described, whose result's size depends on
            the data.
    """

    module: tvm.IRModule
    target: Target
    metadata: Metadata
    data_dependent: tuple[str, ...] = ()
