"""Prunes a network while a training loop of the user's own trains it."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning.filter_blocks import FilterBlocks
from tvm_patdnn.sparse.patterns import Pattern, find_patterns
from tvm_patdnn.training.example_run import Example
from tvm_patdnn.training.export import export_onnx
from tvm_patdnn.training.layers import output_positions
from tvm_patdnn.training.masks import MaskKeeper, share_outside
from tvm_patdnn.training.methods import METHOD_CLASSES, PruningMethod, Residual
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection
from tvm_patdnn.training.summary import Summary, summarise
from tvm_patdnn.training.wrapped_models import check_whole, unwrapped

__all__ = ["PatternPruner"]

_FAR = 0.3  # a tenth of the squared norm; trained to the end ADMM leaves less


class PatternPruner:
    """Prunes ``model`` with patterns and connectivity, or with a method to compare with.

    Call ``step(epoch)`` before each epoch of the pruning phase, add ``penalty()`` to each
    loss, and call ``finalize()`` at its end. From then on what was removed stays exactly
    zero, whatever optimiser trains the rest.

    Layers that are frozen when the pruner is made stay as they are. The model's own state
    stays what it would be without a pruner. A copy of the model has the zeros of its moment;
    to keep them while the copy trains, make a pruner for it and load this one's state.

    Args:
        model: trained; its parameters are changed in place. It may be wrapped by
            ``DataParallel``, ``DistributedDataParallel`` or ``torch.compile``: layers are
            then named, and the file is written, without the wrapper.
        config: the method and what it is to prune.
        example: one batch as the model takes it, a tuple for several inputs; needed to count
            multiply-accumulates, and to know which layer runs first where it is not defined
            first.

    Raises:
        PruningError: an option does not fit the model, or there is nothing to prune.
        TrainingError: the method does not fit the model, weights to prune are not whole
            parameters (weight norm, FSDP), or the model does not take the example.
    """

    def __init__(
        self,
        model: nn.Module,
        config: PrunerConfig | None = None,
        *,
        example: Example | None = None,
    ) -> None:
        self.model = unwrapped(model)
        self.config = config or PrunerConfig()
        check_whole(self.model)
        positions = {} if example is None else output_positions(self.model, example)
        self.projection = NetworkProjection.of_model(self.model, self.config.prune, positions)
        self.method: PruningMethod = self._make_method()
        self.keeper = MaskKeeper(self.model)
        self.finalized = False
        self._let_go: dict[str, Tensor] = {}  # the masks when the model was let go of

    @property
    def patterns(self) -> dict[tuple[int, ...], tuple[Pattern, ...]]:
        """The pattern set of each kernel size."""
        return self.projection.patterns

    @property
    def log(self) -> list[Residual]:
        """What the method noted at its updates: residuals, or shares removed."""
        return self.method.log

    def step(self, epoch: int) -> None:
        """Prepares an epoch of the pruning phase.

        Args:
            epoch: from 0.
        """
        if self.finalized:
            raise TrainingError("step: the network is finalized; retrain it without step")
        masks = self.method.step(epoch)
        if masks is not None:
            self.keeper.set(masks)

    def penalty(self) -> Tensor:
        """Returns what to add to the loss: a scalar, 0 where the method penalises nothing."""
        penalty = None if self.finalized else self.method.penalty()
        return penalty if penalty is not None else torch.zeros((), device=self._device())

    def finalize(self) -> Summary:
        """Removes for good what the method chose; returns what is left.

        Warns where weights that were to be drawn to their patterns are still far from them.
        """
        if not self.finalized:
            self._check_near()
            self.keeper.set(self.method.final_masks())
            self.finalized = True
        return self.summary()

    def remove(self) -> None:
        """Lets go of the model: zeros stay as they are now, and may train to anything.

        Raises:
            TrainingError: the pruning is not finalized.
        """
        if not self.finalized:
            raise TrainingError("remove: nothing is removed for good yet; call finalize()")
        self.keeper.apply()
        self._let_go = self._let_go or self.keeper.masks
        self.keeper.close()

    def summary(self) -> Summary:
        """Counts what is left in each convolution as it is now.

        Until it is finalized the result holds the plan, too, which is what it prints.
        """
        if self.finalized:
            return summarise(self.model, self.projection)
        planned = self.method.planned_masks()
        plan = summarise(self.model, self.projection, planned)
        return summarise(self.model, self.projection, plan=plan)

    def pattern_counts(self) -> dict[Pattern, int]:
        """Counts the kernels of each pattern in the layers pruned by patterns, as they are."""
        counts: Counter[Pattern] = Counter()
        for weight in self.projection.weights(self.model):
            if self.projection.has_patterns(weight):
                found = find_patterns(weight.detach().cpu().numpy())
                counts.update(dict(zip(found.patterns, found.counts)))
        return dict(counts)

    def export_onnx(
        self,
        path: str | os.PathLike[str],
        example: Example,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """Writes the model in inference mode; removed weights are exactly zero in the file.

        Warns where they are not, as after ``remove``, or where it clears much that trained.

        Args:
            path: the file.
            example: an input, or a tuple of several; their shapes are fixed in the file.
            notes: become the file's metadata properties, such as how to scale inputs.

        Raises:
            TrainingError: the pruning is not finalized, or the model does not take the example.
            BuildError: the file cannot be written.
        """
        if not self.finalized:
            raise TrainingError("export_onnx: nothing is removed for good yet; call finalize()")
        self._check_zeros()
        self.keeper.apply()
        export_onnx(self.model, example, path, notes)

    def state_dict(self) -> dict[str, Any]:
        """Returns what ``load_state_dict`` continues from, for ``torch.save``.

        The weights are not in it: they are in the model's own state.
        """
        return {
            "method": self.config.method,
            "layers": list(self.projection.names),
            "patterns": {size: list(map(str, p)) for size, p in self.patterns.items()},
            "blocks": {
                name: torch.from_numpy(blocks.order)
                for name, blocks in self.projection.blocks.items()
            },
            "state": self.method.state_dict(),
            "masks": self.keeper.masks,
            "finalized": self.finalized,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues where ``state_dict`` was called, with the model's weights of then.

        Raises:
            TrainingError: the state is of another method, or of other layers.
        """
        if state["method"] != self.config.method:
            raise TrainingError(
                f"the stored state is of method {state['method']!r}, this run's is "
                f"{self.config.method!r}; continue with the same options"
            )
        layers = list(self.projection.names)
        if state.get("layers", layers) != layers:
            raise TrainingError(
                f"the stored state prunes {', '.join(state['layers'])}; this run prunes "
                f"{', '.join(layers)}; make the pruner with the same options, and with the "
                "same layers frozen"
            )
        self.patterns.clear()
        for size, pictures in state["patterns"].items():
            self.patterns[tuple(size)] = tuple(map(Pattern.from_picture, pictures))
        for name, order in state["blocks"].items():
            size = self.config.prune.filter_block
            self.projection.blocks[name] = FilterBlocks(size=size, order=order.numpy())
        self.method.load_state_dict(state["state"])
        self.keeper.set(state["masks"])
        self.finalized = bool(state["finalized"])

    def _check_near(self) -> None:
        settings = self.method.draws_by
        distance = self.method.distance() if settings else 0.0
        if distance > _FAR:
            warnings.warn(
                f"finalize: weights are still far from their patterns: removing what is left "
                f"takes {distance:.0%} of their norm; raise {settings}, or retrain longer",
                stacklevel=3,
            )

    def _check_zeros(self) -> None:
        """Warns where the model is not the one that was pruned."""
        share = share_outside(self.model, self._let_go or self.keeper.masks)
        if self._let_go and share:
            said = (
                f"removed weights have trained since remove(), to {share:.2g} of the weights' "
                "norm, so the file is not pruned; export before remove()"
            )
        elif share > _FAR:
            said = (
                f"what was removed is there again, {share:.0%} of the weights' norm, and is "
                "cleared: the model's state is not of this pruning; load one of after finalize()"
            )
        else:
            return
        warnings.warn(f"export_onnx: {said}", stacklevel=3)

    def _make_method(self) -> PruningMethod:
        return METHOD_CLASSES[self.config.method](self.model, self.projection, self.config)

    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
