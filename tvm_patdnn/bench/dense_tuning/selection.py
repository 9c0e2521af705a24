"""Decides which dense convolutions the baseline computes as TVM's own tuner scheduled them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tvm

from tvm_patdnn.bench.dense_tuning.records import DenseRecord
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape, TunedConvolutions

__all__ = ["MARGIN", "Selection", "select_records"]

MARGIN = 0.05  # by which it must be faster: about the noise, and what a change of layout costs


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the records say for one machine.

    Attributes:
        tuned: traces of the convolutions where TVM's schedule is faster.
        ours: how many convolutions have a record that says that our kernel is.
        ignored: how many records do not apply, by the reason.
    """

    tuned: TunedConvolutions = field(default_factory=dict)
    ours: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Returns what a row of the benchmark tells of it."""
        return {
            "records": len(self.tuned) + self.ours,
            "records_where_tuned_is_faster": len(self.tuned),
            "ignored_records": dict(self.ignored),
        }


def select_records(records: Iterable[DenseRecord], cpu: str, threads: int) -> Selection:
    """Selects the convolutions that are faster as TVM's tuner scheduled them.

    Args:
        records: of any machines.
        cpu: LLVM's name of the CPU.
        threads: that will compute; where no record has as many, others count.
    """
    ignored: Counter[str] = Counter()
    best: dict[ConvShape, DenseRecord] = {}
    for record in records:
        reason = _reason_to_ignore(record, cpu)
        if reason:
            ignored[reason] += 1
        elif record.shape not in best or _distance(record, threads) < _distance(
            best[record.shape], threads
        ):
            best[record.shape] = record
    tuned = {shape: record.trace for shape, record in best.items() if _is_faster(record)}
    return Selection(tuned=tuned, ours=len(best) - len(tuned), ignored=ignored)


def _reason_to_ignore(record: DenseRecord, cpu: str) -> str:
    if record.cpu != cpu:
        return f"measured on {record.cpu}, this is {cpu}"
    if record.tvm != tvm.__version__:
        return f"of TVM {record.tvm}, this is {tvm.__version__}"
    return ""


def _distance(record: DenseRecord, threads: int) -> int:
    return abs(record.threads - threads)


def _is_faster(record: DenseRecord) -> bool:
    if record.trace is None or record.tuned_s is None:
        return False
    return record.tuned_s * (1 + MARGIN) < record.ours_s
