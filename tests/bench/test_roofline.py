from types import SimpleNamespace

import pytest

from tvm_patdnn.bench.roofline import layers_with_shares, peak_macs

_SHAPES = {"in_shape": [1], "out_shape": [1], "kernel_shape": [3, 3], "stride": [1, 1]}
_MACS = {"kept_macs": 100, "dense_macs": 800, "compression": 8}
_PATTERN = {"name": "a", "kernel": "pattern", **_MACS, **_SHAPES}
_DENSE = {**_PATTERN, "name": "b", "kernel": "dense"}


def _probe(**turns):
    return SimpleNamespace(
        built={"facts": {"macs": 1000}}, turns={int(k[1:]): v for k, v in turns.items()}
    )


def _ours(kernels):
    return SimpleNamespace(built={"facts": {"layers": [_PATTERN, _DENSE]}}, kernels=kernels)


def test_shares_are_taken_within_a_round():
    """Half as fast in the second round, both of us: the shares stay."""
    probe = _probe(r0=[1.0], r1=[2.0])
    timed = {0: [("k", 0.2), ("k", 1.0)], 1: [("k", 0.4), ("k", 2.0)]}
    pattern, dense = layers_with_shares(_ours(timed), probe)
    assert pattern["share_of_peak"] == pytest.approx(100 / 0.2 / 1000)
    assert dense["share_of_peak"] == pytest.approx(800 / 1.0 / 1000)  # it does all the work
    assert pattern["macs_per_s"] == pytest.approx(100 / 0.3)
    assert peak_macs(probe) == pytest.approx(750)


def test_without_the_peak_there_is_a_time_but_no_share():
    first, _ = layers_with_shares(_ours({0: [("k", 0.2), ("k", 1.0)]}), _probe())
    assert (first["median_s"], first["share_of_peak"]) == (0.2, None)
    assert peak_macs(_probe()) is None


def test_kernels_that_do_not_match_the_layers_are_no_result():
    assert layers_with_shares(_ours({0: [("k", 0.2)]}), _probe(r0=[1.0])) == []
    assert layers_with_shares(SimpleNamespace(built={}, kernels={}), _probe(r0=[1.0])) == []
