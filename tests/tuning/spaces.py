"""A space whose best point is known, for tests of what searches it."""

from __future__ import annotations

import itertools

import numpy as np

from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from tests.records.samples import record
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Record
from tvm_patdnn.tuning.space import Space

__all__ = ["BEST", "SPACE", "point", "seconds_of", "trial"]


def point(rows: int, vectors: int, chunks: int, *, sparse: bool) -> Conv2dConfiguration:
    schedule = Conv2dSchedule(rows=rows, vectors=vectors, chunks=chunks)
    return Conv2dConfiguration(sparse=sparse, schedule=schedule)


def seconds_of(each: Conv2dConfiguration) -> float:
    """The fastest has 5 rows, 7 vectors, 3 chunks, and is sparse."""
    s = each.schedule
    apart = (s.rows - 5) ** 2 + (s.vectors - 7) ** 2 + 4 * (s.chunks - 3) ** 2
    return 1e-3 * (1 + apart + 30 * (not each.sparse))


def features_of(each: Conv2dConfiguration) -> dict[str, float]:
    s = each.schedule
    return {
        "rows": float(s.rows),
        "vectors": float(s.vectors),
        "chunks": float(s.chunks),
        "sparse": float(each.sparse),
    }


POINTS = [
    point(rows, vectors, chunks, sparse=sparse)
    for rows, vectors, chunks, sparse in itertools.product(
        range(1, 13), range(1, 13), range(1, 9), (False, True)
    )
    if rows * vectors <= 64
]
BEST = point(5, 7, 3, sparse=True)
SPACE = Space(POINTS, (point(1, 1, 1, sparse=False), point(1, 1, 1, sparse=True)), features_of)


def trial(each: Conv2dConfiguration, key: TuningKey | None = None, noise: float = 0.0) -> Record:
    rng = np.random.default_rng(abs(hash(str(each))) % 2**32)
    made = record(seconds_of(each) * (1 + noise * rng.random()), key, features=features_of(each))
    return Record(**{**vars(made), "configuration": each})
