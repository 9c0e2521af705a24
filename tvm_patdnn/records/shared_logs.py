"""Logs that several runs use: one tunes at a time, and nothing that one writes is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.log_files import log_files
from tvm_patdnn.records.record_files import (
    append_records,
    cannot_be_written,
    log_lock,
    read_log,
)
from tvm_patdnn.records.tuning_records import Record, record_line
from tvm_patdnn.whole_file import write_whole

__all__ = ["alone_with", "replace_records"]


def replace_records(
    file: Path, change: Callable[[list[Record]], Iterable[Record]]
) -> tuple[int, int]:
    """Replaces the records of a log by what ``change`` makes of them.

    Meanwhile others wait with what they have to write.

    Returns:
        How many there were of this version, and how many there are.

    Raises:
        TuningError: it cannot be read or written.
    """
    list(log_files(file))  # if there is none, the lock would make its folder
    try:
        with log_lock(file):
            before = list(read_log(file))
            after = list(change(before))
            with write_whole(file) as partial:
                partial.write_text("".join(f"{record_line(record)}\n" for record in after))
    except OSError as error:
        raise cannot_be_written(file, error) from error
    return len(before), len(after)


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """A context in which no other run tunes into a log, which is known to be writable.

    Raises:
        TuningError: another does, or it cannot be written to.
    """
    append_records(file, [])
    lock = FileLock(file.parent / f".{file.name}.tuning.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TuningError(
            f"{file}: another run is tuning into this log; wait until it ends, or give --log "
            "another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()
