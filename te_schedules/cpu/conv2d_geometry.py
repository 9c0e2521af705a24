"""Where a window's taps lie in tensors that are stored in lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import Split, best_split
from te_schedules.window import Window

__all__ = ["Conv2dGeometry", "holding", "input_layout"]


@dataclass(frozen=True, kw_only=True)
class Conv2dGeometry:
    """What the kernel of a convolution or a pooling needs to know of the layer's shape.

    Attributes:
        in_layout, out_layout: the same split; in_layout has ``stride`` times the steps.
    """

    batch: int
    in_channels: int
    out_channels: int
    in_layout: LaneLayout
    out_layout: LaneLayout
    window: Window

    @classmethod
    def of(
        cls,
        window: Window,
        in_shape: Sequence[int],
        out_channels: int,
        out_layout: LaneLayout,
        in_layout: LaneLayout | None = None,
    ) -> Conv2dGeometry:
        """Returns the geometry of a layer.

        Args:
            in_shape: (n, c, height, width).
            out_layout: in which the result is stored.
            in_layout: in which the input is; by default with just the halo that it needs.
        """
        return cls(
            batch=in_shape[0],
            in_channels=in_shape[1],
            out_channels=out_channels,
            in_layout=in_layout or input_layout(out_layout.split, window, in_shape[2], in_shape[3]),
            out_layout=out_layout,
            window=window,
        )

    @classmethod
    def alone(
        cls, window: Window, in_shape: Sequence[int], out_shape: Sequence[int], lanes: int
    ) -> Conv2dGeometry:
        """Returns the geometry of a layer without neighbours: the best split of its result."""
        best = best_split(out_shape[2], out_shape[3], lanes)
        split = holding(best, window, in_shape[2], in_shape[3])
        return cls.of(window, in_shape, out_shape[1], LaneLayout(split))

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Of the input, as it is stored."""
        return self.in_layout.shape(self.batch, self.in_channels)

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Of the output, as it is stored."""
        return self.out_layout.shape(self.batch, self.out_channels)

    @property
    def stride(self) -> tuple[int, int]:
        """Of the window, (y, x)."""
        return self.window.stride

    @property
    def dilation(self) -> tuple[int, int]:
        """Of the window, (y, x)."""
        return self.window.dilation

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before the first row and column."""
        return self.window.padding


def holding(split: Split, window: Window, height: int, width: int) -> Split:
    """Returns ``split`` with steps enough that ``stride`` times as many hold the input."""
    need_y = -(-height // (split.lanes_y * window.stride[0]))
    need_x = -(-width // (split.lanes_x * window.stride[1]))
    return replace(
        split, vectors_y=max(split.vectors_y, need_y), vectors_x=max(split.vectors_x, need_x)
    )


def input_layout(output: Split, window: Window, height: int, width: int) -> LaneLayout:
    """Returns the layout, with its halo, in which the window's taps are whole vectors.

    Args:
        output: the split of the result.
        height, width: of the input's planes.
    """
    split = replace(
        output,
        height=height,
        width=width,
        vectors_y=output.vectors_y * window.stride[0],
        vectors_x=output.vectors_x * window.stride[1],
    )
    (top, left), (bottom, right) = window.padding, window.reach
    return LaneLayout(split, Halo(top=top, left=left, bottom=bottom, right=right))
