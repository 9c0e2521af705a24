from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import PruneOptions, format_table, prune_onnx, prune_onnx_with_report
from tvm_patdnn.sparse.patterns import Pattern, find_patterns


def weight(seed: int, *shape: int, dtype=np.float32) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 0.2).astype(dtype)


def conv(name: str, source: str, stored: str, **attributes) -> onnx.NodeProto:
    return helper.make_node("Conv", [source, stored], [f"{name}.y"], name=name, **attributes)


def make_model(
    nodes: Sequence[onnx.NodeProto],
    stored: dict[str, np.ndarray],
    *,
    in_c: int = 3,
    kind: int = TensorProto.FLOAT,
    domains: Sequence[str] = ("",),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, [1, in_c, 12, 12])],
        [helper.make_tensor_value_info(nodes[-1].output[0], kind, list("nchw"))],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    opsets = [helper.make_opsetid(domain, 17 if not domain else 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def chain() -> onnx.ModelProto:
    """First 3x3, then 3x3, depthwise, grouped, 1x1 and 5x5."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        conv("first", "r", "first.w"),
        conv("middle", "first.y", "middle.w"),
        conv("depthwise", "middle.y", "depthwise.w", group=16),
        conv("grouped", "depthwise.y", "grouped.w", group=2),
        conv("point", "grouped.y", "point.w"),
        conv("wide", "point.y", "wide.w", pads=[2, 2, 2, 2]),
    ]
    stored = {
        "first.w": weight(0, 8, 3, 3, 3),
        "middle.w": weight(1, 16, 8, 3, 3),
        "depthwise.w": weight(2, 16, 1, 3, 3),
        "grouped.w": weight(3, 16, 8, 3, 3),
        "point.w": weight(4, 12, 16, 1, 1),
        "wide.w": weight(5, 9, 12, 5, 5),
    }
    return make_model(nodes, stored)


def stored_weight(model: onnx.ModelProto, name: str) -> np.ndarray:
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == name)


def run(model: onnx.ModelProto, in_c: int = 3, dtype=np.float32) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": weight(99, 1, in_c, 12, 12, dtype=dtype)})[0]


def rows_by_name(model: onnx.ModelProto, **options):
    return {row.name: row for row in prune_onnx_with_report(model, PruneOptions(**options))[1]}


def test_every_kind_of_layer_gets_its_treatment():
    rows = rows_by_name(chain())
    assert rows["first"].reason == "first layer (see first_layer)"
    assert rows["depthwise"].reason == "depthwise"
    assert rows["grouped"].reason == "grouped (2 groups)"
    pruned = [name for name, row in rows.items() if row.reason is None]
    assert pruned == ["middle", "point", "wide"]
    assert rows["middle"].kept_kernels == round(128 / 3.6)
    assert rows["middle"].kept_weights == 4 * rows["middle"].kept_kernels
    assert rows["middle"].patterns <= 8
    assert rows["point"].kept_kernels == round(192 / 3.6)
    assert rows["wide"].kept_weights == 25 * round(108 / 3.6)


def test_only_pruned_weights_change_and_the_input_does_not():
    model = chain()
    before = model.SerializeToString()
    pruned = prune_onnx(model)
    assert model.SerializeToString() == before
    for tensor in model.graph.initializer:
        dense, sparse = numpy_helper.to_array(tensor), stored_weight(pruned, tensor.name)
        assert np.array_equal(sparse[sparse != 0], dense[sparse != 0])
        assert np.array_equal(sparse, dense) == (
            tensor.name in ("first.w", "depthwise.w", "grouped.w")
        )
    assert pruned.graph.node == model.graph.node
    assert pruned.opset_import == model.opset_import


def test_the_result_is_valid_and_runs():
    pruned = prune_onnx(chain())
    onnx.checker.check_model(pruned, full_check=True)
    assert np.isfinite(run(pruned)).all()
    assert not np.array_equal(run(pruned), run(chain()))


def test_pruning_twice_changes_nothing():
    once = prune_onnx(chain())
    assert prune_onnx(once).SerializeToString() == once.SerializeToString()


def test_path_and_bytes_give_the_same(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(chain(), path)
    expected = prune_onnx(chain()).SerializeToString()
    assert prune_onnx(path).SerializeToString() == expected
    assert prune_onnx(path.read_bytes()).SerializeToString() == expected


def test_external_data_is_read_and_becomes_internal(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(chain(), path, save_as_external_data=True, size_threshold=0, location="w.bin")
    pruned = prune_onnx(path)
    path.unlink()
    (tmp_path / "w.bin").unlink()
    assert np.array_equal(run(pruned), run(prune_onnx(chain())))


def test_rates_by_layer():
    rows = rows_by_name(
        chain(), connectivity=2.0, connectivity_1x1=4.0, per_layer={"wide": 1.5, "first": 1.0}
    )
    assert rows["first"].kept_kernels == 24
    assert rows["first"].kept_weights == 4 * 24
    assert rows["middle"].kept_kernels == 64
    assert rows["point"].kept_kernels == 48
    assert rows["wide"].kept_kernels == 72


def test_patterns_only():
    rows = rows_by_name(chain(), connectivity=1.0, patterns=6, entries=3)
    assert rows["middle"].kept_weights == 3 * 128
    assert rows["middle"].patterns <= 6
    assert rows["point"].reason == "rate 1.0, and no patterns for 1x1 kernels"


def test_first_and_skipped_layers():
    rows = rows_by_name(chain(), first_layer=True, skip_layers=["middle", "wide.w"])
    assert rows["first"].reason is None
    assert rows["middle"].reason == rows["wide"].reason == "named in skip_layers"


def test_a_given_pattern_set_says_where_it_applies():
    wide = Pattern.from_mask(np.eye(5))
    pruned = prune_onnx(chain(), patterns=[wide], connectivity=1.0)
    assert find_patterns(stored_weight(pruned, "wide.w")).patterns == (wide,)
    assert np.count_nonzero(stored_weight(pruned, "middle.w")) == 16 * 8 * 9


def test_larger_kernels_get_mined_patterns_when_asked():
    rows = rows_by_name(chain(), pattern_kernels=frozenset({(3, 3), (5, 5)}), connectivity=1.0)
    assert rows["wide"].kept_weights == 4 * 108


def test_the_global_scope_spreads_one_rate_over_the_layers():
    rows = rows_by_name(chain(), connectivity_scope="global", per_layer={"point": 2.0})
    assert rows["point"].kept_kernels == 96
    assert rows["middle"].kept_kernels + rows["wide"].kept_kernels == round((128 + 108) / 3.6)


def test_the_balanced_scope_gives_filters_equal_work():
    pruned = prune_onnx(chain(), connectivity_scope="balanced")
    kept = (stored_weight(pruned, "middle.w") != 0).any(axis=(2, 3))
    assert (kept.sum(axis=1) == round(8 / 3.6)).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_types_stay_what_they_are(dtype):
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [conv("a", "x", "a.w"), conv("b", "a.y", "b.w")]
    stored = {"a.w": weight(0, 4, 3, 3, 3, dtype=dtype), "b.w": weight(1, 8, 4, 3, 3, dtype=dtype)}
    pruned = prune_onnx(make_model(nodes, stored, kind=kind))
    assert stored_weight(pruned, "b.w").dtype == dtype
    assert np.count_nonzero(stored_weight(pruned, "b.w")) == 4 * round(32 / 3.6)
    if dtype == np.float16:  # the runtime has no float64 convolution
        assert run(pruned, dtype=dtype).dtype == dtype


def test_weights_may_come_as_float_data():
    model = chain()
    tensor = next(t for t in model.graph.initializer if t.name == "middle.w")
    array = numpy_helper.to_array(tensor)
    tensor.CopyFrom(helper.make_tensor("middle.w", TensorProto.FLOAT, array.shape, array.flatten()))
    pruned = prune_onnx(model)
    expected = stored_weight(prune_onnx(chain()), "middle.w")
    assert np.array_equal(stored_weight(pruned, "middle.w"), expected)


def test_weights_may_be_constant_nodes_with_the_same_inner_name():
    arrays = [weight(0, 4, 3, 3, 3), weight(1, 8, 4, 3, 3), weight(2, 8, 8, 3, 3)]
    tensors = [numpy_helper.from_array(array, "value") for array in arrays]
    constants = [
        helper.make_node("Constant", [], [f"c{i}"], value=t) for i, t in enumerate(tensors)
    ]
    convs = [conv("a", "x", "c0"), conv("b", "a.y", "c1"), conv("c", "b.y", "c2")]
    pruned, rows = prune_onnx_with_report(make_model([*constants, *convs], {}), PruneOptions())
    assert [row.kept_kernels for row in rows] == [12, round(32 / 3.6), round(64 / 3.6)]
    assert np.isfinite(run(pruned)).all()


def test_weights_behind_identity_and_shared_weights_are_pruned_once():
    nodes = [
        conv("a", "x", "a.w"),
        helper.make_node("Identity", ["b.w"], ["same"]),
        conv("b", "a.y", "b.w"),
        conv("c", "b.y", "same"),
    ]
    stored = {"a.w": weight(0, 4, 3, 3, 3), "b.w": weight(1, 4, 4, 3, 3)}
    pruned, rows = prune_onnx_with_report(
        make_model(nodes, stored), PruneOptions(per_layer={"c": 2.0})
    )
    assert [(row.name, row.kept_kernels) for row in rows] == [("a", 12), ("b", 8)]
    assert np.count_nonzero(stored_weight(pruned, "b.w")) == 4 * 8


def test_a_weight_with_another_use_is_left_alone():
    nodes = [
        conv("a", "x", "a.w"),
        conv("b", "a.y", "b.w"),
        helper.make_node("ReduceSum", ["b.w"], ["sum"], name="total", keepdims=0),
        helper.make_node("Add", ["b.y", "sum"], ["y"]),
    ]
    stored = {"a.w": weight(0, 4, 3, 3, 3), "b.w": weight(1, 4, 4, 3, 3)}
    rows = rows_by_name(make_model(nodes, stored))
    assert rows["b"].reason == "its weight is also used by total (ReduceSum)"


def test_a_computed_weight_is_left_alone():
    nodes = [
        helper.make_node("Neg", ["a.w"], ["negative"]),
        conv("a", "x", "negative"),
    ]
    rows = rows_by_name(make_model(nodes, {"a.w": weight(0, 4, 3, 3, 3)}))
    assert rows["a"].reason == "its weight is not a floating-point constant"
    assert rows["a"].shape == ()


def test_a_1d_convolution_is_left_alone():
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["r"]),
        conv("a", "r", "a.w"),
        conv("b", "a.y", "b.w"),
    ]
    stored = {
        "shape": np.array([1, 3, 144]),
        "a.w": weight(0, 4, 3, 3),
        "b.w": weight(1, 4, 4, 3),
    }
    rows = rows_by_name(make_model(nodes, stored))
    assert rows["b"].reason == "a 1-d convolution"
    assert rows["b"].kept_weights == rows["b"].dense_weights == 48


def test_batch_norm_between_stays_as_it_is():
    norm = {f"n{i}": np.abs(weight(i, 4)) + 1 for i in range(4)}
    nodes = [
        conv("a", "x", "a.w"),
        helper.make_node("BatchNormalization", ["a.y", *norm], ["n"]),
        conv("b", "n", "b.w"),
    ]
    stored = {"a.w": weight(0, 4, 3, 3, 3), "b.w": weight(1, 8, 4, 3, 3)} | norm
    pruned = prune_onnx(make_model(nodes, stored))
    assert np.array_equal(stored_weight(pruned, "n1"), norm["n1"])
    assert np.count_nonzero(stored_weight(pruned, "b.w")) == 4 * round(32 / 3.6)


@pytest.mark.parametrize("op", ["QuantizeLinear", "QLinearConv", "ConvInteger"])
def test_a_quantised_model_is_declined(op):
    model = chain()
    model.graph.node.append(helper.make_node(op, ["wide.y"], ["q"], name="last"))
    with pytest.raises(PruningError, match=rf"last \({op}\): the model is quantised; prune the"):
        prune_onnx(model)


@pytest.mark.parametrize("option", ["per_layer", "skip_layers"])
def test_an_unknown_layer_is_declined(option):
    with pytest.raises(PruningError, match=f"{option}: .* no convolution 'midle'.*mean 'middle'"):
        prune_onnx(chain(), **{option: {"midle": 2.0}})
    with pytest.raises(PruningError, match=r"no convolution '\?'; it has first, middle"):
        prune_onnx(chain(), **{option: {"?": 2.0}})


def test_a_rate_for_a_layer_that_cannot_be_pruned_is_declined():
    with pytest.raises(PruningError, match="depthwise: cannot be pruned: depthwise; take the"):
        prune_onnx(chain(), per_layer={"depthwise": 2.0})


def test_weights_that_are_not_finite_are_declined():
    model = make_model([conv("a", "x", "a.w")], {"a.w": np.full((4, 3, 3, 3), np.nan, np.float32)})
    with pytest.raises(PruningError, match="a: 108 of 108 weights are infinite or not a number"):
        prune_onnx(model, first_layer=True)


def test_a_model_without_convolutions_stays_as_it_is():
    model = make_model([helper.make_node("Relu", ["x"], ["y"])], {})
    pruned, rows = prune_onnx_with_report(model, PruneOptions())
    assert pruned == model
    assert "0 of 0 pruned" in format_table(rows)


@pytest.mark.parametrize("block", [1, 2])
def test_all_patterns_keep_each_kernel_its_own_best(block):
    """The centre and the strongest three of the eight others, in each block of filters."""
    model = prune_onnx(chain(), patterns="all", connectivity=1.0, filter_block=block)
    dense, pruned = stored_weight(chain(), "middle.w"), stored_weight(model, "middle.w")
    energy = np.square(dense).reshape(-1, block, *dense.shape[1:]).sum(axis=1).reshape(-1, 9)
    energy[:, 4] = np.inf
    best = np.sort(np.argsort(-energy, axis=1)[:, :4], axis=1)
    kept = (pruned != 0).reshape(-1, block, *dense.shape[1:])
    assert (kept == kept[:, :1]).all()
    assert [np.flatnonzero(kernel).tolist() for kernel in kept[:, 0].reshape(-1, 9)] == (
        best.tolist()
    )
    assert len(find_patterns(pruned).patterns) > 16


def test_the_report_says_what_all_patterns_cost_in_fp32():
    _, rows = prune_onnx_with_report(chain(), PruneOptions(patterns="all"))
    by_name = {row.name: row.zeros for row in rows}
    assert "stored in fp32 as 16 patterns with zeros, 1." in by_name["middle"]
    assert "1.0x" not in by_name["middle"]
    assert by_name["point"] == by_name["wide"] == ""
    assert by_name["middle"] in format_table(rows)
    _, mined = prune_onnx_with_report(chain(), PruneOptions())
    assert not any(row.zeros for row in mined)
