from types import SimpleNamespace

import pytest

from tvm_patdnn.bench.roofline import layers_with_shares, peak_macs, total_counts

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


def test_layers_in_one_kernel_are_one_row():
    joined = {**_PATTERN, "name": "c", "kernel": "depthwise", "joined": True, "out_shape": [2]}
    built = {"facts": {"layers": [_DENSE, joined, _PATTERN]}}
    ours = SimpleNamespace(built=built, kernels={0: [("k", 0.2), ("k", 0.1)]})
    both, last = layers_with_shares(ours, _probe())
    assert (both["name"], both["kernel"]) == ("b + c", "dense + depthwise")
    assert (both["macs"], both["out_shape"], both["median_s"]) == (900, [2], 0.2)
    assert (last["name"], last["macs"]) == ("a", 100)


def test_what_was_counted_is_summed_over_the_layers():
    layers = [{"input_loads": 5, "products": 20}, {"input_loads": 7, "products": 30}]
    ours = SimpleNamespace(built={"facts": {"layers": layers}})
    assert total_counts(ours) == {"loads": 12, "products": 50}
    layers[1]["input_loads"] = None
    assert total_counts(ours) == {"products": 50}
    assert total_counts(SimpleNamespace(built={})) == {}


def test_each_layer_has_its_counts():
    counted = {**_PATTERN, "input_loads": 5, "products": 20}
    ours = SimpleNamespace(built={"facts": {"layers": [counted]}}, kernels={0: [("k", 0.2)]})
    (layer,) = layers_with_shares(ours, _probe())
    assert (layer["loads"], layer["products"]) == (5, 20)


def test_int8_layers_have_a_share_of_the_products_of_bytes_and_others_none():
    layers = [{**_PATTERN, "dtype": "int8"}, _DENSE]
    ours = SimpleNamespace(
        built={"facts": {"layers": layers}}, kernels={0: [("k", 0.2), ("k", 1.0)]}
    )
    probe = _probe(r0=[1.0])
    of_bytes = SimpleNamespace(built={"facts": {"macs": 4000, "dtype": "int32"}}, turns=probe.turns)
    first, second = layers_with_shares(ours, of_bytes)
    assert first["share_of_peak"] == pytest.approx(100 / 0.2 / 4000)
    assert second["share_of_peak"] is None
    first, second = layers_with_shares(ours, probe)
    assert (first["share_of_peak"], second["share_of_peak"]) == (None, pytest.approx(0.8))
