"""ONNX Runtime without optimisations: the reference of quantised models, which it computes as said.

Optimised, it multiplies bytes, of which sums of two products saturate on some CPUs.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module

from tvm_patdnn.bench.system import System
from tvm_patdnn.bench.systems.microsoft_onnxruntime import load_session

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="onnxruntime-exact",
    packages=("onnxruntime",),
    imports=lambda: import_module("onnxruntime"),
    requirements=("onnxruntime",),
    load=partial(load_session, optimised=False),
)
