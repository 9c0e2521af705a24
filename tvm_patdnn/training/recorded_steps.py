"""Steps of training that a GPU repeats by itself.

A step of a small network is hundreds of kernels that take a few microseconds each, less than
Python needs to ask for them. Where the images lie on a CUDA device, what is random in an epoch
is drawn beforehand and put there, too; then all steps are the same work at addresses that stay,
which is recorded once (a CUDA graph) and repeated.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tvm_patdnn.training.data.augment import Crops, draw_crops
from tvm_patdnn.training.data.images import MemoryImages

__all__ = ["RecordedSteps"]

Step = Callable[[Tensor, Tensor], Tensor]


class RecordedSteps:
    """Trains the whole batches of an epoch.

    Args:
        images: on the device.
        batch: images of a step.
        optimizer: its learning rates become tensors on the device; it must read these there,
            as fused optimisers do.
        step: trains one step with images (batch, c, h, w) uint8 and labels (batch,), and
            returns what is to be summed over the steps, (2,).
        changing: whether ``step`` is other work in the next epoch.
    """

    def __init__(
        self,
        images: MemoryImages,
        batch: int,
        optimizer: Optimizer,
        step: Step,
        *,
        changing: bool,
    ) -> None:
        self._images, self._batch, self._step = images, batch, step
        self._changing = changing
        device = images.images.device
        self._labels = images.labels.to(device)
        count = len(images.labels) // batch
        self._draws = torch.zeros((count, 4, batch), dtype=torch.long, device=device)
        self._rates = torch.zeros(count, device=device)
        self._at = torch.zeros(1, dtype=torch.long, device=device)
        self._rate = torch.zeros((), device=device)
        self._sums = torch.zeros(2, device=device)
        self._optimizer = optimizer
        self._recording = _Recording(self._next)

    def run(
        self,
        order: Tensor,
        rates: Sequence[float],
        draw: torch.Generator,
        tick: Callable[[int], None],
    ) -> Tensor:
        """Trains the epoch's whole batches.

        Args:
            order: (n,) of the images.
            rates: the learning rate of each step.
            draw: draws crops, batch by batch.
            tick: called with the number of images of a step when it is asked for.

        Returns:
            The sums of what the steps returned: (2,).
        """
        self._place(order, rates, draw)
        if self._changing:
            self._recording.forget()
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate
        with self._recording.stream():
            for _ in range(len(self._rates)):
                self._recording()
                tick(self._batch)
        for group in self._optimizer.param_groups:
            group["lr"] = rates[len(self._rates) - 1]
        return self._sums.clone()

    def _place(self, order: Tensor, rates: Sequence[float], draw: torch.Generator) -> None:
        """Puts an epoch's draws onto the device."""
        whole = len(self._rates)
        batches = order[: whole * self._batch].reshape(whole, self._batch)
        augmentation = self._images.augmentation
        drawn = [torch.stack([b, *draw_crops(len(b), augmentation, draw)]) for b in batches]
        self._draws.copy_(torch.stack(drawn))
        self._rates.copy_(torch.tensor(rates[:whole]))
        self._at.zero_()
        self._sums.zero_()

    def _next(self) -> None:
        """Trains the step whose turn it is."""
        indices, y, x, flipped = self._draws.index_select(0, self._at)[0]
        self._rate.copy_(self._rates.index_select(0, self._at)[0])
        images = self._images.cut(indices, Crops(y, x, flipped.bool()))
        self._sums += self._step(images, self._labels.index_select(0, indices))
        self._at += 1


class _Recording:
    """Calls ``work``: once as it is, then recorded, then as recorded.

    The first call makes what is made only once, such as the state of an optimiser. Without a
    GPU every call is as it is.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._calls = 0
        self._graph: Any = None
        self._before: Any = None  # lets a new recording take the memory of the one before last
        self._stream = torch.cuda.Stream() if torch.cuda.is_available() else None
        self._pool = torch.cuda.graph_pool_handle() if self._stream else None

    def forget(self) -> None:
        """Records anew."""
        self._before = self._graph or self._before
        self._calls, self._graph = 0, None

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Everything is asked for in a stream of its own, which can be recorded."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield
        torch.cuda.current_stream().wait_stream(self._stream)

    def __call__(self) -> None:
        if self._calls == 1 and self._stream is not None:
            self._graph = self._record()
        if self._graph is None:
            self._work()
        else:
            self._graph.replay()
        self._calls += 1

    def _record(self) -> Any:
        """Returns the recorded work, None where it cannot be recorded."""
        graph = torch.cuda.CUDAGraph()
        try:
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                self._work()
            finally:
                graph.capture_end()
        except RuntimeError as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            warnings.warn(
                f"steps cannot be recorded: {said}; each is asked for anew, which is slower",
                stacklevel=2,
            )
            return None
        return graph
