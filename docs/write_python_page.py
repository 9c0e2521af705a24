"""Writes python.md, the page of the Python API, from the docstrings: run it when these change.

``python docs/write_python_page.py``
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("python.md")

_PARTS = {
    "Compile and run": (
        "tvm_patdnn:build",
        "tvm_patdnn:inspect",
        "tvm_patdnn:Optimizations",
        "tvm_patdnn:Library",
        "tvm_patdnn:Device",
        "tvm_patdnn:load",
        "tvm_patdnn.library.standalone_model:StandaloneModel",
        "tvm_patdnn.library.running:RunnableModel",
        "tvm_patdnn.targets:preset_names",
        "tvm_patdnn.targets:resolve_target",
    ),
    "Prune": (
        "tvm_patdnn:prune_onnx",
        "tvm_patdnn:quantize_onnx",
        "tvm_patdnn.pruning:PruneOptions",
        "tvm_patdnn:Pattern",
    ),
    "Prune while training": (
        "tvm_patdnn.training:PatternPruner",
        "tvm_patdnn.training:PrunerConfig",
        "tvm_patdnn.training:Teacher",
    ),
}
_HEAD = """\
# The Python API

Written by `docs/write_python_page.py` from the docstrings. Errors are in `tvm_patdnn.errors`:
{errors}, all below `PatDNNError`; [errors.md](errors.md) says what to do about messages.
"""


def page() -> str:
    """Returns the page."""
    errors = import_module("tvm_patdnn.errors").__all__
    named = ", ".join(f"`{name}`" for name in errors if name != "PatDNNError")
    lines = [_HEAD.format(errors=named)]
    for title, names in _PARTS.items():
        lines += [f"## {title}\n", *(line for name in names for line in _describe(name))]
    return "\n".join(lines)


def _describe(name: str) -> Iterator[str]:
    module, _, attribute = name.partition(":")
    found = getattr(import_module(module), attribute)
    yield f"### `{module}.{attribute}`\n"
    yield _block(attribute, found)
    if inspect.isclass(found):
        for member, value in vars(found).items():
            function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if member.startswith("_") or not inspect.getdoc(function):
                continue
            if inspect.isfunction(function) or isinstance(function, property):
                yield _block(f"{attribute}.{member}", function)


def _block(name: str, found: Any) -> str:
    text = inspect.cleandoc(found.__doc__ or "")
    called = name if isinstance(found, property) else f"{name}({_parameters(found)})"
    return f"```text\n{called}\n\n{text}\n```\n"


def _parameters(found: Any) -> str:
    names = [n for n in inspect.signature(found).parameters.values() if n.name not in _BOUND]
    words: list[str] = []
    for i, each in enumerate(names):
        if each.kind is each.KEYWORD_ONLY and (i == 0 or names[i - 1].kind is not each.kind):
            words.append("*")
        star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        words.append(star + each.name + _default(each.default))
    return ", ".join(words)


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    shown = repr(value)
    return "=..." if "<" in shown or "(" in shown else f"={shown}"


_BOUND = ("self", "cls")

if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
