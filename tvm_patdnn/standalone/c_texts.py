"""Fills the C templates that all models have: the header, and tables of the interface."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import ClassVar

from tvm_patdnn.library.image_facts import image_facts
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.standalone.c_literals import c_floats, c_string
from tvm_patdnn.standalone.pack_weights import PackedWeights
from tvm_patdnn.standalone.sequence import Sequence as Calls
from tvm_patdnn.standalone.sequence import Tensor

__all__ = ["CTexts", "fill", "joined", "template"]


def template(name: str) -> str:
    """The text of a file in ``standalone/c``."""
    return (files("tvm_patdnn.standalone") / "c" / name).read_text()


def joined(parts: Sequence[str]) -> str:
    """The file that is the same for all models of a kind."""
    return "\n".join(template(f"{part}.c") for part in parts)


@dataclass(frozen=True, kw_only=True)
class CTexts:
    """What the texts are made of.

    Attributes:
        name: prefix of all its symbols; a C identifier.
        calls: what the model computes.
        version: of what built it.
    """

    name: str
    calls: Calls
    weights: PackedWeights
    metadata: Metadata
    version: str

    needs: ClassVar[str] = "Needs the C library and its threads, nothing else."
    extras: ClassVar[Mapping[str, str]] = {"codes": "", "options": "", "functions": ""}

    def header(self) -> str:
        """The interface."""
        described = "\n".join(self._described())
        extras = {key: fill(text, {"name": self.name}) for key, text in self.extras.items()}
        return self.filled("model.h", tensors=described, needs=self.needs, **extras)

    def tables(self) -> dict[str, object]:
        """What the models' own files have in common."""
        return {
            "weights_bytes": self.weights.bytes,
            "weights_crc": self.weights.crc,
            "weights_section": self.filled("weights_section.c"),
            "shapes": "\n".join(self._shapes()),
            "input_list": ",\n".join(self._rows("input")),
            "output_list": ",\n".join(self._rows("output")),
            "facts": self._facts(),
        }

    def filled(self, name: str, **values: object) -> str:
        """A template with ``values``, and those that all may want."""
        common = {
            "name": self.name,
            "NAME": self.name.upper(),
            "version": self.version,
            "target": _one_line(self.metadata.target),
            "inputs": len(self.tensors("input")),
            "outputs": len(self.tensors("output")),
        }
        return fill(template(name), {**common, **values})

    def tensors(self, kind: str) -> list[tuple[str, Tensor]]:
        """The "input" or "output" tensors, by name."""
        calls, metadata = self.calls, self.metadata
        if kind == "input":
            return list(zip(metadata.inputs, calls.inputs, strict=True))
        return list(zip(metadata.outputs, calls.outputs, strict=True))

    def _described(self) -> Iterator[str]:
        for kind in ("input", "output"):
            for i, (name, tensor) in enumerate(self.tensors(kind)):
                shape = ", ".join(map(str, tensor.shape))
                yield f"  {kind}s[{i}]: {_one_line(name)}, {tensor.dtype}[{shape}]"

    def _shapes(self) -> Iterator[str]:
        for kind in ("input", "output"):
            for i, (_, tensor) in enumerate(self.tensors(kind)):
                sizes = ", ".join(map(str, tensor.shape)) or "1"
                yield f"static const int64_t {kind}_shape_{i}[] = {{{sizes}}};"

    def _rows(self, kind: str) -> Iterator[str]:
        for i, (name, tensor) in enumerate(self.tensors(kind)):
            words = [c_string(name), c_string(tensor.dtype), len(tensor.shape)]
            words += [f"{kind}_shape_{i}", tensor.bytes]
            yield f"  {{{', '.join(map(str, words))}}}"
        yield "  {NULL, NULL, 0, NULL, 0}"

    def _facts(self) -> str:
        facts = image_facts(self.metadata.properties)
        names = ", ".join(map(c_string, facts.classes)) or "NULL"
        return f"""\
static const float mean[] = {{{c_floats(facts.mean)}}}, std[] = {{{c_floats(facts.std)}}};
static const char *const classes[] = {{{names}}};
static const API(facts) facts = {{
  {len(facts.mean)}, mean, std, {len(facts.classes)}, classes, METADATA
}};"""


def fill(text: str, values: Mapping[str, object]) -> str:
    """Replaces each @word@."""
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), text)


def _one_line(text: str) -> str:
    """For a comment."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")
