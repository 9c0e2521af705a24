"""Logs of tuning: files of records, one JSON line each, to which trials are appended.

A line is written at once and whole: what a killed writer left unfinished is cut off by the
next one, and skipped by readers. Logs of several machines are merged by concatenation.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from filelock import FileLock

from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.families import FAMILIES
from tvm_patdnn.records.log_files import Traversable, log_files
from tvm_patdnn.records.tuning_records import FORMAT, Record, Records, record_line, record_of

__all__ = ["append_records", "cannot_be_written", "log_lock", "read_log", "read_records"]

_LOG = logging.getLogger(__name__)
_CPU = re.compile(r'^{"format": \d+, .*?"cpu": "([^"\\]*)"')


def read_records(cpu: str, logs: str | PathLike[str] | None = None) -> Records:
    """Reads the records for a CPU.

    Args:
        cpu: LLVM's name of it.
        logs: see ``log_files``.

    Raises:
        TuningError: there is no such file, or a line is not a record.
    """
    return Records(record for record in read_log(logs, cpu) if record.key.cpu == cpu)


def read_log(logs: str | PathLike[str] | None = None, cpu: str | None = None) -> Iterator[Record]:
    """Yields all records of the current versions; warns of others, once for each family.

    Args:
        logs: see ``read_records``.
        cpu: whose records are asked for; lines of others are not looked at.

    Raises:
        TuningError: see ``read_records``.
    """
    others: Counter[tuple[str, int]] = Counter()
    for file in log_files(logs):
        for number, values in _lines(file, cpu):
            try:
                record = record_of(values)
            except (ValueError, KeyError, TypeError) as error:
                raise _not_a_record(file, number, error) from error
            if record is not None:
                yield record
            else:
                others[values["family"], values["version"]] += 1
    for (name, version), count in others.items():
        family = FAMILIES.get(name)
        _LOG.warning(
            "%d tuning records are of version %s of the kernels '%s', this is %s: they are "
            "ignored; tune again",
            *(count, version, name, family.version if family else "without these kernels"),
        )


def append_records(file: Path, records: Iterable[Record]) -> None:
    """Appends records to a log, which need not exist.

    Raises:
        TuningError: it cannot be written to.
    """
    text = "".join(f"{record_line(record)}\n" for record in records)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with log_lock(file), file.open("ab+", buffering=0) as log:
            _cut_unfinished(log)
            log.write(text.encode())
    except OSError as error:
        raise cannot_be_written(file, error) from error


def log_lock(file: Path) -> FileLock:
    """Returns what is held while a log is written."""
    return FileLock(file.parent / f".{file.name}.lock")


def cannot_be_written(file: Path, error: OSError) -> TuningError:
    """Returns the error that a log cannot be written to."""
    return TuningError(f"{file}: cannot be written: {error}; give --log another one")


def _cut_unfinished(log: Any) -> None:
    """Cuts off the line at whose end its writer was killed."""
    size = log.seek(0, 2)
    tail = b""
    while size > 0 and b"\n" not in tail:
        step = min(size, 1 << 16)
        size -= step
        log.seek(size)
        tail = log.read(step) + tail
    if tail and not tail.endswith(b"\n"):
        log.truncate(size + tail.rfind(b"\n") + 1)
    log.seek(0, 2)


def _lines(file: Traversable, cpu: str | None) -> Iterator[tuple[int, Any]]:
    """Yields the numbers and the values of a file's lines, but those of other CPUs than ``cpu``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TuningError(f"{file}: cannot be read: {error}; give the log that tuning wrote") from (
            error
        )
    lines = text.split("\n")
    unfinished = len(lines)  # number of the line behind the last line break
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (cpu is not None and _is_of_another(cpu, line)):
            continue
        try:
            values = json.loads(line)
            if not isinstance(values, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            if number == unfinished and line.startswith('{"format": '):
                return
            raise _not_a_record(file, number, error) from error
        yield number, values


def _is_of_another(cpu: str, line: str) -> bool:
    """Whether a line, as ``record_line`` writes it, is of another CPU."""
    found = _CPU.search(line)
    return found is not None and found[1] != cpu


def _not_a_record(file: Traversable, number: int, error: Exception) -> TuningError:
    return TuningError(
        f"{file}:{number}: is not a tuning record of format {FORMAT} ({error}); tune again "
        "with this version, or remove the line"
    )
