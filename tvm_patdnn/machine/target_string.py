"""Reads the command-line form of a target, which TVM itself no longer does.

Example: ``llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72 -mattr=+dotprod -num-cores=4``
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import tvm_ffi

from tvm_patdnn.errors import TargetError

__all__ = ["parse_options", "target_kinds"]

Value = str | int | bool | list[str]

_OLD_NAMES = {"target": "mtriple"}  # what some tutorials write
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}


def target_kinds() -> list[str]:
    """Lists the kinds of target that TVM was built with."""
    return [str(kind) for kind in tvm_ffi.get_global_func("target.ListTargetKinds")()]


def parse_options(kind: str, text: str) -> dict[str, Value]:
    """Parses options such as ``-mcpu=cortex-a72 --num-cores 4``.

    Args:
        kind: the target kind that the options are for.
        text: the string without the kind at its start.

    Raises:
        TargetError: an option is unknown, lacks its value, or has one of the wrong type.
    """
    types = _option_types(kind)
    options: dict[str, Value] = {}
    for written, value in _pairs(text):
        name = _OLD_NAMES.get(written, written)
        if name not in types:
            raise TargetError(
                f"target option '-{written}': unknown for '{kind}'; known are {', '.join(types)}"
            )
        options[name] = _convert(name, value, types[name])
    return options


def _option_types(kind: str) -> dict[str, str]:
    listed = tvm_ffi.get_global_func("target.ListTargetKindOptionsFromName")(kind)
    return dict(sorted(json.loads(str(listed)).items()))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    words = iter(_words(text))
    for word in words:
        if not word.startswith("-"):
            raise TargetError(f"target: expected an option such as -mcpu=cortex-a72, got '{word}'")
        name, equals, value = word.lstrip("-").partition("=")
        yield name, value if equals else next(words, "")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise TargetError(f"target: cannot read {text!r}: {error}") from None


def _convert(name: str, value: str, wanted: str) -> Value:
    if not value:
        raise TargetError(f"target option '-{name}': has no value; write -{name}=VALUE")
    if wanted.startswith("Array"):
        return [item for item in value.split(",") if item]
    if wanted == "bool" and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if wanted == "int" and value.isdecimal():
        return int(value)
    if wanted in ("bool", "int"):
        raise TargetError(f"target option '-{name}': got '{value}', expected {wanted}")
    return value
