"""Records as tests need them."""

from __future__ import annotations

from typing import Any

from te_schedules.cpu.conv2d_configuration import FAMILY, VERSION, Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Record

__all__ = ["key_of", "record"]


def key_of(**changes: Any) -> TuningKey:
    values = {
        "family": FAMILY,
        "workload": "in 1x8x8x8 kernel 3x3",
        "layout": "l",
        "lanes": 8,
        "threads": 2,
        "cpu": "a",
    }
    return TuningKey(**{**values, **changes})


def record(
    seconds: float | None,
    key: TuningKey | None = None,
    *,
    sparse: bool = False,
    schedule: dict[str, Any] | None = None,
    **changes: Any,
) -> Record:
    point = Conv2dSchedule(**{"rows": 1, "vectors": 1, **(schedule or {})})
    return Record(
        key=key or key_of(),
        configuration=Conv2dConfiguration(sparse=sparse, schedule=point),
        seconds=seconds,
        **{"version": VERSION, **changes},
    )
