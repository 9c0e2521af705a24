"""Which outputs come from the bytes that ``permute`` reaches, and from which of them."""

from __future__ import annotations

from dataclasses import dataclass

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer

__all__ = ["PatchShape", "patch_shapes"]

SMALL, LARGE = 16, 64  # bytes that ``permute`` may reach
OF_LARGE = ((4, 8), (2, 14), (4, 7), (8, 4))  # outputs, with a stride of 1


@dataclass(frozen=True, kw_only=True)
class PatchShape:
    """Which outputs a patch is for.

    Attributes:
        size: bytes of a patch, used or not.
        rows, columns: of outputs.
        stride: from one output to the next, in inputs.
        taps: rows and columns of a kernel.
    """

    size: int
    rows: int
    columns: int
    stride: int = 1
    taps: tuple[int, int] = (3, 3)

    @property
    def in_rows(self) -> int:
        """Rows of inputs."""
        return (self.rows - 1) * self.stride + self.taps[0]

    @property
    def in_columns(self) -> int:
        """Columns of inputs."""
        return (self.columns - 1) * self.stride + self.taps[1]

    @property
    def vectors(self) -> int:
        """Vectors of sums of a patch; several patches may share one."""
        return -(-self.rows // self._rows_of_vector)

    @property
    def outs(self) -> int:
        """Sums of a patch, used or not."""
        return self.size // 4 * self.vectors

    def lane(self, row: int, column: int) -> int:
        """Returns which of ``outs`` an output is."""
        vector, row = divmod(row, self._rows_of_vector)
        return vector * (self.size // 4) + row * self.columns + column

    def byte(self, lane: int, tap: tuple[int, int]) -> int:
        """Returns the byte that a tap of an output is; of unused lanes, any."""
        vector, at = divmod(lane, self.size // 4)
        row, column = divmod(min(at, self._rows_of_vector * self.columns - 1), self.columns)
        row = min(vector * self._rows_of_vector + row, self.rows - 1)
        return (row * self.stride + tap[0]) * self.in_columns + column * self.stride + tap[1]

    @property
    def _rows_of_vector(self) -> int:
        return self.size // 4 // self.columns


def patch_shapes(layer: Int8Layer, instructions: Instructions) -> list[PatchShape]:
    """Returns the shapes in which a layer can be computed, if there are any."""
    window = layer.window
    if window.taps != (3, 3) or window.dilation != (1, 1) or layer.groups > 1:
        return []
    if instructions.reach == SMALL and window.stride == (1, 1):
        return [PatchShape(size=SMALL, rows=2, columns=2)]
    if instructions.reach == LARGE and window.stride == (1, 1):
        return [PatchShape(size=LARGE, rows=r, columns=c) for r, c in OF_LARGE]
    if instructions.reach == LARGE and window.stride == (2, 2):
        return [PatchShape(size=LARGE, rows=3, columns=4, stride=2)]
    return []
