"""The methods without a schedule: everything at once, and nothing at all."""

from __future__ import annotations

from tvm_patdnn.training.methods.base import Masks, PruningMethod

__all__ = ["Dense", "OneShot"]


class OneShot(PruningMethod):
    """Removes by magnitude before the first epoch; the rest is retraining."""

    _masks: Masks | None = None

    def step(self, epoch: int) -> Masks | None:
        """Returns the masks at the first call."""
        if self._masks is not None:
            return None
        return self.final_masks()

    def final_masks(self) -> Masks:
        """Returns the masks of the weights at the first call."""
        if self._masks is None:
            self._masks = self.project()
        return self._masks

    def planned_masks(self) -> Masks:
        """Returns the masks of the weights as they are until some are chosen."""
        return self.project() if self._masks is None else self._masks

    def state_dict(self) -> dict[str, object]:
        """Returns the masks too."""
        return {**super().state_dict(), "masks": self._masks}

    def load_state_dict(self, state: object) -> None:
        """Continues with the stored masks."""
        assert isinstance(state, dict)
        super().load_state_dict(state)
        self._masks = state["masks"]


class Dense(PruningMethod):
    """Prunes nothing: what the same training does to a dense network."""

    def final_masks(self) -> Masks:
        """Returns no mask."""
        return {}
