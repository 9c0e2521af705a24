"""Tunes a network from its file: what ``tvm-patdnn tune`` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.device.connect import free_devices
from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.records.shared_logs import alone_with
from tvm_patdnn.records.tuning_records import Record, Records
from tvm_patdnn.tuning.device_place import DevicePlace
from tvm_patdnn.tuning.network_tasks import network_tasks
from tvm_patdnn.tuning.places import HERE, Place
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.search import Search
from tvm_patdnn.tuning.settle_network import Settled, settle_network
from tvm_patdnn.tuning.tuner import TunedTask, TuneOptions, Tuner
from tvm_patdnn.tuning.workshop import WAIT_S, Limits, Workshop

__all__ = ["TuneRequest", "Tuned", "tune"]


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """What is tuned, where, and how much.

    Attributes:
        request: the model and the target.
        log: a folder of records; those for the target's CPU, or GPU, are in a file of its name.
        device: where kernels run; in a process of this machine by default.
        search: given records, returns what proposes trials.
    """

    request: Request
    log: Path
    search: Callable[[Sequence[Record]], Search]
    options: TuneOptions
    device: DeviceAddress | None = None


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What came of it.

    Attributes:
        tasks: those of which anything was measured in this run.
        layers: convolutions that can be tuned.
        trials: in the log, of this network.
        seconds_a_trial: on average over this run, with building, and with what is measured
            again in the end; None where nothing was measured.
        network: before and after; None where it was not measured.
    """

    tasks: tuple[TunedTask, ...]
    layers: int
    trials: int
    seconds_a_trial: float | None
    network: Settled | None


def tune(
    asked: TuneRequest,
    phase: Callable[[str], None] = lambda phase: None,
    progress: Callable[[int, TuningTask, float], None] = lambda done, task, best: None,
    finished: Callable[[TunedTask], None] = lambda task: None,
) -> Tuned:
    """Tunes a network.

    Args:
        phase: told the name of each phase as it begins.
        progress: see ``Tuner``.
        finished: told each task when it is decided.

    Raises:
        ModelError, TargetError: see ``build``.
        TuningError: the log cannot be read or written, another run writes it, or no layer can be
            tuned.
        DeviceError: the device is not there, or went away for long.
    """
    _make_folder(asked.log)
    compilation = Compilation.of(asked.request, phase)
    name = (compilation.options.gpu or compilation.options.cpu).name
    log = asked.log / f"{name.replace(' ', '-')}.jsonl"
    with alone_with(log):
        return _tune_into(log, asked, compilation, phase, progress, finished)


def _tune_into(
    log: Path,
    asked: TuneRequest,
    compilation: Compilation,
    phase: Callable[[str], None],
    progress: Callable[[int, TuningTask, float], None],
    finished: Callable[[TunedTask], None],
) -> Tuned:
    cpu, gpu = compilation.options.cpu, compilation.options.gpu
    tasks = network_tasks(compilation)
    records = Records(read_log(asked.log))
    limits = Limits(cold_bytes=2 * cpu.l2_bytes)
    place, devices = _place(asked.device, cpu.num_cores, limits)
    with Workshop(
        compilation.target, cpu.num_cores, place=place, devices=devices, limits=limits
    ) as workshop:
        tuner = Tuner(
            tasks,
            workshop,
            asked.search,
            log=log,
            records=records,
            options=asked.options,
            progress=progress,
        )
        phase("measuring")
        begun, known = time.monotonic(), tuner.trials
        done = []
        for each in tuner.run():
            done.append(each)
            finished(each)
        spent, new = time.monotonic() - begun, tuner.trials - known
    network = None
    if tuner.is_new and (gpu is None or place is HERE):  # a device's GPU runs layers only
        phase("whole network")
        network = settle_network(asked.request, tuner, done, place)
        place.release()
    return Tuned(
        tasks=tuple(done),
        layers=sum(len(task.layers) for task in tasks),
        trials=tuner.trials,
        seconds_a_trial=spent / new if new else None,
        network=network,
    )


def _place(device: DeviceAddress | None, threads: int, limits: Limits) -> tuple[Place, int]:
    """Returns where kernels run, and how many can at a time."""
    if device is None:
        return HERE, 1
    place = DevicePlace(address=device, threads=threads, wait_s=WAIT_S, silent_s=limits.run_s)
    return place, max(1, free_devices(device))


def _make_folder(log: Path) -> None:
    try:
        log.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TuningError(f"{log}: cannot be made: {error}; give --log another folder") from error
