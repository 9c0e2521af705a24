"""A cost model that learns from records which configurations of a layer are faster.

It ranks: how fast another layer or another device is altogether does not matter, so that
records of any of them teach it. It begins with what the family's own cost model expects
(``COST``) and learns where measurements say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from te_schedules.cost_feature import COST
from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.tuning_records import Record
from tvm_patdnn.tuning.search import Score

__all__ = ["check_xgboost", "learned_score"]

_ROUNDS = 60
_FEWEST = 12  # records, below which nothing is learned
_TRUST = 3.0  # in the expected cost: what should take half as long is the faster in 95 % of cases
_OPTIONS = {
    "objective": "rank:pairwise",
    "eta": 0.15,
    "max_depth": 6,
    "min_child_weight": 1.0,
    "subsample": 0.9,
    "tree_method": "hist",
    "verbosity": 0,
}


def check_xgboost() -> None:
    """Checks that the model's library is installed.

    Raises:
        TuningError: it is not.
    """
    if find_spec("xgboost") is None:
        raise TuningError(
            "the learned cost model needs xgboost, which is not installed; run "
            "pip install 'tvm-patdnn[tune]', or choose --search random"
        )


def learned_score(records: Iterable[Record], seed: int = 0, threads: int = 1) -> Score:
    """Learns from the trials of one family of kernels.

    Args:
        records: of any layers and devices; those without features are left out, as are those
            without an expected cost of a layer of which others have one: a compiler that did not
            expect any of their kind has written them.
        seed: of the trees.
        threads: that learn.

    Returns:
        What scores configurations of one layer by their features; of too few records it is
        what the family's own cost model expects.
    """
    groups = _by_layer(records)
    if sum(map(len, groups)) < _FEWEST:
        return _expected
    import xgboost

    names = sorted({name for group in groups for record in group for name in record.features})
    data = _data(names, [record.features for group in groups for record in group])
    data.set_label(np.concatenate([_labels(group) for group in groups]))
    data.set_group([len(group) for group in groups])
    options: dict[str, Any] = {**_OPTIONS, "seed": seed, "nthread": threads}
    model = xgboost.train(options, data, num_boost_round=_ROUNDS)
    return lambda features: np.asarray(model.predict(_data(names, features)))


def _data(names: Sequence[str], features: Sequence[Mapping[str, float]]) -> Any:
    """Returns the rows of features, each with the score that it has before anything is learned."""
    import xgboost

    rows = [[each.get(name, 0.0) for name in names] for each in features]
    return xgboost.DMatrix(np.array(rows), base_margin=_expected(features))


def _expected(features: Sequence[Mapping[str, float]]) -> np.ndarray:
    return np.array([-_TRUST * each.get(COST, 0.0) for each in features])


def _by_layer(records: Iterable[Record]) -> list[list[Record]]:
    """Returns the trials of each layer on each device, where there are two to compare."""
    groups: dict[Any, list[Record]] = {}
    for record in records:
        if record.features and not record.chosen:
            groups.setdefault(record.key, []).append(record)
    comparable = map(_comparable, groups.values())
    return [group for group in comparable if len(group) > 1]


def _comparable(group: list[Record]) -> list[Record]:
    """Returns the trials that have an expected cost, unless none has."""
    return [record for record in group if COST in record.features] or group


def _labels(group: Sequence[Record]) -> np.ndarray:
    """Returns the speed of each trial as a share of the fastest; 0 where it failed."""
    times = np.array([np.inf if r.seconds is None else r.seconds for r in group], np.float64)
    fastest = times.min()
    return fastest / times if np.isfinite(fastest) else np.zeros(len(times))
