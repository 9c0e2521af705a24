"""Raises the pixel shuffle that importers write as two reshapes around a transpose.

Before:  reshape(x, (n, c, r, r, h, w)) -> permute_dims(0, 1, 4, 2, 5, 3)
         -> reshape((n, c, h * r, w * r))
After:   pixel_shuffle(x, r)
Requires: nothing; what the three operators computed on the way may still be read.
Ensures: the same results. A kernel in lanes can then do it where the tensor already is.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm import relax, topi
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import operator_name, shape_of

__all__ = ["RaisePixelShuffle", "legalize_pixel_shuffle"]

_MOVED = [0, 1, 4, 2, 5, 3]  # the rows of a block beside those of the plane, and so the columns


@tvm.transform.module_pass(opt_level=0, name="RaisePixelShuffle")
@dataclass(frozen=True)
class RaisePixelShuffle:
    """See the module's description."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)
        values = {binding.var: binding.value for binding in main.bindings}

        def emit_bindings() -> None:
            for binding in main.bindings:
                shuffle = _pixel_shuffle(binding.value, values)
                if shuffle is None:
                    main.keep(binding)
                else:
                    main.replace(binding.var, main.builder.emit(main.renew(shuffle)))

        return main.rebuild(emit_bindings)


def legalize_pixel_shuffle(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """Lowers what is not in lanes; TVM 0.27's own rule calls a function that is not there."""
    repeat = int(call.attrs.upscale_factor)
    return builder.call_te(topi.nn.depth_to_space, call.args[0], repeat, "NCHW", "CRD")


def _pixel_shuffle(value: relax.Expr, values: dict[relax.Var, relax.Expr]) -> relax.Expr | None:
    """Returns the pixel shuffle of which ``value`` is the last step; None if it is not one."""
    if operator_name(value) != "relax.reshape":
        return None
    moved = values.get(value.args[0])
    if moved is None or operator_name(moved) != "relax.permute_dims":
        return None
    axes = moved.attrs.axes
    split = values.get(moved.args[0])
    if axes is None or [int(axis) for axis in axes] != _MOVED:
        return None
    if split is None or operator_name(split) != "relax.reshape":
        return None
    before, blocks, after = shape_of(split.args[0]), shape_of(split), shape_of(value)
    if before is None or blocks is None or after is None or len(before) != 4:
        return None
    n, c, rows, columns, height, width = blocks
    is_whole = before == (n, c * rows * columns, height, width)
    if not is_whole or rows != columns or after != (n, c, height * rows, width * rows):
        return None
    return relax.op.nn.pixel_shuffle(split.args[0], rows)
