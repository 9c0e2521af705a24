"""Runs a compiled model on a device."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import tvm
from tvm.runtime.vm import VirtualMachine

from tvm_patdnn.device.kernel_times import KERNEL_TIMES_FUNCTION, kernel_times
from tvm_patdnn.error_lines import first_line, last_line
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.devices import open_device
from tvm_patdnn.library.interface import ModelInterface
from tvm_patdnn.library.layer_times import median_by_layer
from tvm_patdnn.library.metadata import METADATA_FUNCTION, Metadata, read_metadata
from tvm_patdnn.library.model_inputs import checked_inputs
from tvm_patdnn.library.vm_threads import check_threads, compute_with
from tvm_patdnn.machine.threads import use_all_cores
from tvm_patdnn.native_warnings import without_native_warnings

__all__ = ["RunnableModel"]

_CALL_S = 10.0  # of runs in one call of a device
_OF_A_DEVICE = "Error caught from RPC call"  # what was the matter is the last line

_has_threads: int | None = None  # the process in which a model ran here first, with its threads


class RunnableModel(ModelInterface):
    """A model loaded on a device, local or reached over RPC.

    Several threads may use it: they take turns, as each run has all cores.

    Attributes:
        metadata: its inputs, outputs and layers.
    """

    def __init__(
        self,
        module: object,
        device: tvm.runtime.Device | None = None,
        *,
        origin: str = "",
        num_threads: int | None = None,
        session: tvm.rpc.RPCSession | None = None,
    ) -> None:
        """Loads ``module``: an executable, or a library that holds one.

        Args:
            device: of another machine over RPC; by default the GPU that the library is for, or
                this CPU.
            origin: the file it is from, for people.
            num_threads: that compute on this machine; one per physical core by default.
            session: with the device.

        Raises:
            LibraryError: the library was not built by this package or by a newer version, the
                number of threads is impossible, or there is no such GPU.
        """
        use_all_cores()
        check_threads(num_threads)
        self._num_threads, self._origin = num_threads, origin
        self._remote = device is not None
        self._turn = threading.Lock()
        self._session: Any = session
        whole = getattr(module, "mod", module)
        self._device = device if device is not None else open_device(whole)
        try:
            with without_native_warnings():
                self._machine = VirtualMachine(module, self._device)
            stored = self._machine[METADATA_FUNCTION]().numpy().tobytes()
            self.metadata: Metadata = read_metadata(stored)
        except (AttributeError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise LibraryError(
                f"the library holds no model that this version can run ({first_line(error)}); "
                "build it again with this version"
            ) from error

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Computes the outputs.

        Args:
            inputs: an array for each input, by name, of the shape and dtype it was built for.

        Returns:
            The outputs by name.

        Raises:
            LibraryError: an input is missing, unknown, or of another shape or dtype; the
                device went away; or the process was forked after a run.
        """
        checked = self.check_inputs(inputs)
        with self._running():
            results = self._machine["main"](*self._to_device(checked))
            if isinstance(results, tvm.runtime.Tensor):
                results = [results]
            arrays = [result.numpy() for result in results]
        return dict(zip(self.outputs, arrays, strict=True))

    def check_inputs(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Returns the inputs in the order of "main".

        Raises:
            LibraryError: one is missing, unknown, or of another shape or dtype.
        """
        return checked_inputs(self.inputs, inputs)

    def time(self, inputs: Mapping[str, np.ndarray], repeats: int = 20) -> list[float]:
        """Measures the latency on the device.

        Returns:
            Seconds of each of ``repeats`` runs, after one that warms up.

        Raises:
            LibraryError: as ``run``.
        """
        checked = self.check_inputs(inputs)
        with self._running():
            self._machine.set_input("main", *self._to_device(checked))
            seconds: list[float] = []
            while len(seconds) < repeats:
                seconds += self._timed(self._runs_of_a_call(seconds, repeats))
            return seconds

    def _runs_of_a_call(self, seconds: list[float], repeats: int) -> int:
        """Returns how many runs come next; a device is not silent for longer than it need be."""
        left = repeats - len(seconds)
        if not self._remote:
            return left
        return min(left, int(_CALL_S / max(seconds))) or 1 if seconds else 1

    def _timed(self, repeats: int) -> list[float]:
        timer = self._machine.time_evaluator(
            "invoke_stateful", self._device, number=1, repeat=repeats
        )
        return list(timer("main").results)

    def time_layers(self, inputs: Mapping[str, np.ndarray], repeats: int = 5) -> dict[str, float]:
        """Measures each layer on the device, as it runs in the network.

        Returns:
            Seconds of each layer of the report, by name and in order: the median of ``repeats``
            runs after one that warms up. Layers in one kernel are joined by " + "; "others" is
            all that is no layer of the report.

        Raises:
            LibraryError: as ``run``; or the device's server cannot do it.
        """
        checked = self.check_inputs(inputs)
        with self._running():
            self._machine.set_input("main", *self._to_device(checked))
            timed = self._timer_of_kernels()
            runs = [json.loads(str(timed(self._machine.module))) for _ in range(1 + repeats)]
        return median_by_layer(runs[1:], self.metadata.layers)

    def _timer_of_kernels(self) -> Callable[[object], object]:
        if not self._remote:
            return kernel_times
        try:
            found: Callable[[object], object] = self._session.get_function(KERNEL_TIMES_FUNCTION)
            return found
        except AttributeError:
            raise LibraryError(
                "the device's server cannot time layers; start `tvm-patdnn serve` there"
            ) from None

    def _about(self) -> list[str]:
        return [self._origin] if self._origin else []

    def _to_device(self, arrays: list[np.ndarray]) -> list[tvm.runtime.Tensor]:
        return [tvm.runtime.tensor(array, self._device) for array in arrays]

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Waits for other threads, and turns what TVM raises into a ``LibraryError``."""
        _check_not_forked()
        with self._turn:
            try:
                if not self._remote:
                    compute_with(self._num_threads)
                yield
            except LibraryError:
                raise
            except Exception as error:  # any: what is raised on a device has any class
                raise LibraryError(
                    f"the model did not run to its end: {_reason(error)}; if it runs on a "
                    "device, check that its server still runs, and connect again"
                ) from error


def _reason(error: Exception) -> str:
    return last_line(error) if _OF_A_DEVICE in str(error) else first_line(error)


def _check_not_forked() -> None:
    """Notes who runs models; a forked process has none of the threads that compute."""
    global _has_threads
    if _has_threads is None:
        _has_threads = os.getpid()
    if _has_threads != os.getpid():
        raise LibraryError(
            "this process was forked from one that had run a model, whose threads did not come "
            "along: no model can run here; fork before the first run, or start processes by "
            "'spawn', as multiprocessing.get_context('spawn') does"
        )
