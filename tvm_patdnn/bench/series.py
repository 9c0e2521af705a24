"""Several comparisons of one kind: the points of a sweep, or the layers of a ladder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tvm_patdnn.bench.subject import Subject

__all__ = ["Series"]


class Series(Sequence[Subject]):
    """Subjects that are made when they are asked for, as their weights fill the memory.

    Args:
        makers: make one each.
    """

    def __init__(self, makers: Sequence[Callable[[], Subject]]) -> None:
        self._makers = tuple(makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if isinstance(index, slice):
            return Series(self._makers[index])
        return self._makers[index]()
