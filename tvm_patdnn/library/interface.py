"""What every model shows of itself, whichever way it is run: names, shapes, dtypes, a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.model_inputs import check_input_names
from tvm_patdnn.tensor_spec import TensorSpec

if TYPE_CHECKING:
    from tvm_patdnn.library.metadata import Metadata
    from tvm_patdnn.library.report import Report

__all__ = ["ModelInterface"]


class ModelInterface(ABC):
    """A model that can be asked what it takes, and called.

    Attributes:
        metadata: its inputs, outputs and layers.
    """

    metadata: Metadata

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """Shape and dtype of each input, by name and in order."""
        return self.metadata.inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """The same of each output; a size that only the data tell is -1."""
        return self.metadata.outputs

    @property
    def report(self) -> Report:
        """What became of each convolution; empty where it was left out."""
        from tvm_patdnn.library.report import Report  # here: who only runs models loads less

        return Report(self.metadata.layers, inputs=self.inputs, outputs=self.outputs)

    @abstractmethod
    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Computes the outputs, by name, from the inputs, by name."""

    def __call__(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Computes the outputs from arrays in the order of ``inputs``.

        Returns:
            The outputs in the order of ``outputs``; a tuple even if there is one.

        Raises:
            LibraryError: they are too few or too many, or what ``run`` raises.
        """
        if len(inputs) != len(self.inputs):
            raise LibraryError(
                f"inputs: got {len(inputs)} array{'s' * (len(inputs) != 1)}, expected "
                f"{len(self.inputs)}: {_described(self.inputs)}; give them in this order"
            )
        return tuple(self.run(dict(zip(self.inputs, inputs, strict=True))).values())

    def check_names(self, names: Collection[str]) -> None:
        """Checks that ``names`` are those of the inputs.

        Raises:
            LibraryError: one is missing or unknown.
        """
        check_input_names(self.inputs, names)

    def __repr__(self) -> str:
        """What it is, what it takes and what it gives."""
        what = " ".join([type(self).__name__, *self._about()])
        return f"<{what}: {_described(self.inputs)} -> {_described(self.outputs)}>"

    def _about(self) -> list[str]:
        """Words for ``repr``: where it is from, what it runs on."""
        return []


def _described(specs: Mapping[str, TensorSpec]) -> str:
    return ", ".join(f"{name}: {spec.dtype}{list(spec.shape)}" for name, spec in specs.items())
