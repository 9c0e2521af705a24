"""Stands in for cupy: memory is numpy's, kernels are Python functions, a graph is a list."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np

__all__ = ["install"]


class Array(np.ndarray):
    def get(self) -> np.ndarray:
        return np.asarray(self)


class Stream:
    capturing: list | None = None

    def __init__(self, non_blocking: bool = False) -> None:
        assert non_blocking

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def synchronize(self) -> None:
        return None

    def begin_capture(self) -> None:
        Stream.capturing = []

    def end_capture(self) -> types.SimpleNamespace:
        calls, Stream.capturing = Stream.capturing, None
        return types.SimpleNamespace(launch=lambda stream: [call() for call in calls or []])


class Event:
    clock = 0.0

    def record(self, stream: Stream) -> None:
        self.time = Event.clock

    def synchronize(self) -> None:
        return None


def install(monkeypatch, kernels: dict[str, Callable[..., None]]) -> None:
    """Makes ``import cupy`` give this; each launch takes a millisecond."""

    class RawModule:
        def __init__(self, path: str) -> None:
            assert Path(path).read_bytes()[:4] == b"\x7fELF"

        def get_function(self, name: str) -> Callable[..., None]:
            def kernel(grid, block, arguments, shared_mem=0) -> None:
                def call() -> None:
                    Event.clock += 1.0
                    kernels[name](grid, block, *arguments)

                call() if Stream.capturing is None else Stream.capturing.append(call)

            return kernel

    cuda = types.SimpleNamespace(
        Stream=Stream,
        Event=Event,
        Device=lambda: types.SimpleNamespace(synchronize=lambda: None),
        get_elapsed_time=lambda start, end: end.time - start.time,
    )
    module = types.ModuleType("cupy")
    module.cuda, module.RawModule = cuda, RawModule
    module.asarray = lambda array: np.array(array).view(Array)
    monkeypatch.setitem(sys.modules, "cupy", module)
