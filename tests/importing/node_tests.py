"""The tests of single operators that come with the onnx package, and how each ends here.

They are made by code, a module for each operator; a module is run when its cases are asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import pkgutil
import warnings
from dataclasses import dataclass
from unittest import mock

import numpy as np
import onnx
import onnx.backend.test.case.base as snippets
import onnx.backend.test.case.node as node_cases
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase

import tvm_patdnn
from tvm_patdnn.errors import ModelError

__all__ = ["DECLINED", "RIGHT", "Verdict", "judge", "modules", "verdicts"]

RIGHT, DECLINED, WRONG, FOREIGN = "right", "declined", "wrong", "foreign"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a case ended.

    Attributes:
        operator: the ONNX operator, with its domain if that is not the default one.
        end: RIGHT, DECLINED by a ModelError, WRONG numbers, or FOREIGN: another exception.
        said: the message, or what is wrong.
    """

    name: str
    operator: str
    end: str
    said: str = ""


def modules() -> list[str]:
    """Returns the modules of cases."""
    prefix = f"{node_cases.__name__}."
    found = pkgutil.walk_packages(node_cases.__path__, prefix)
    return sorted(module.name.removeprefix(prefix) for module in found if not module.ispkg)


def verdicts(module: str, *, constants: bool = True) -> list[Verdict]:
    """Builds and runs the cases of a module.

    Args:
        constants: all inputs but the first are initialisers, as weights and sizes are in models.
    """
    return [judge(case, constants=constants) for case in _cases(module)]


def _cases(module: str) -> list[TestCase]:
    """Makes the cases, without the documentation and the expanded twins."""
    before = len(node_cases._NodeTestCases)
    with (
        mock.patch.object(snippets, "process_snippet", return_value=("", "")),
        mock.patch.object(node_cases, "function_testcase_helper", return_value=([], 0)),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        importlib.import_module(f"{node_cases.__name__}.{module}")
    return node_cases._NodeTestCases[before:]


def judge(case: TestCase, *, constants: bool) -> Verdict:
    """Builds and runs one case."""
    (node,) = case.model.graph.node
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    end, said = _end(case, constants)
    return Verdict(name=case.name, operator=operator, end=end, said=said)


def _end(case: TestCase, constants: bool) -> tuple[str, str]:
    (given, expected), *_ = case.data_sets
    model, inputs = _with_constants(case.model, given, constants)
    outputs = [value.name for value in model.graph.output]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            got = tvm_patdnn.build(model).run({k: _array(v) for k, v in inputs.items()})
    except ModelError as error:
        return DECLINED, str(error)
    except Exception as error:  # that it is none of ours is what is looked for
        return FOREIGN, f"{type(error).__name__}: {error}"
    for name, value in zip(outputs, expected, strict=True):
        fault = _fault(got[name], _array(value), case)
        if fault:
            return WRONG, f"{name}: {fault}"
    return RIGHT, ""


def _with_constants(
    model: onnx.ModelProto, given: list, constants: bool
) -> tuple[onnx.ModelProto, dict]:
    new = onnx.ModelProto()
    new.CopyFrom(model)
    inputs = dict(zip([value.name for value in model.graph.input], given, strict=True))
    if not constants:
        return new, inputs
    kept = list(new.graph.input[:1])
    for value in new.graph.input[1:]:
        if isinstance(inputs[value.name], list | type(None)):  # a sequence, or an absent optional
            kept.append(value)
            continue
        tensor = numpy_helper.from_array(_array(inputs.pop(value.name)), value.name)
        new.graph.initializer.append(tensor)
    del new.graph.input[:]
    new.graph.input.extend(kept)
    return new, inputs


def _array(value: object) -> np.ndarray:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value)


def _fault(got: np.ndarray, right: np.ndarray, case: TestCase) -> str:
    if got.shape != right.shape or got.dtype != right.dtype:
        return f"got {got.dtype}{list(got.shape)}, expected {right.dtype}{list(right.shape)}"
    if right.dtype.kind in "fc":
        atol = max(case.atol, 1e-6)
        equal = np.isclose(got, right, rtol=case.rtol, atol=atol, equal_nan=True)
    else:
        equal = got == right
    return "" if np.all(equal) else f"{np.sum(~equal)} of {equal.size} numbers differ"
