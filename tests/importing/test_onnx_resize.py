"""Resize of all operator sets, against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

import tvm_patdnn
from tests.onnx_models import model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_normal_form import normal_form
from tvm_patdnn.importing.resize_coordinates import TRANSFORMATIONS

SHAPE = (1, 2, 5, 7)
SCALES = [(2.0, 2.0), (0.5, 0.5), (1.3, 0.7), (0.6, 0.6), (3.0, 1.0), (2.5, 1.4)]
SIZES = [(10, 14), (3, 4), (9, 5), (1, 1), (5, 1), (4, 7)]
NEAREST = [("nearest", m) for m in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")]
MODES = [*NEAREST, ("linear", "floor"), ("cubic", "floor")]
DECLINED = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
)
REGION = [0, 0, 0.2, -0.3, 1, 1, 0.7, 1.1]


def resize(
    *,
    opset=13,
    shape=SHAPE,
    roi=None,
    scales=None,
    sizes=None,
    element_type=TensorProto.FLOAT,
    **given,
):
    """A model of one Resize, with its sizes as initialisers, empty where there are none."""
    node = helper.make_node("Resize", ["x", "roi", "scales"], ["y"], **given)
    weights = {"roi": np.array(roi or [], np.float32)}
    weights["scales"] = np.array(scales or [], np.float32)
    if sizes is not None:
        node.input.append("sizes")
        weights["sizes"] = np.array(sizes)
    return of_opset(model_of([node], inputs={"x": shape}, weights=weights), opset, element_type)


def old_resize(op_type, opset, mode, factors):
    scales = np.array([1, 1, *factors], np.float32)
    if opset < 9:
        node = helper.make_node(op_type, ["x"], ["y"], mode=mode, scales=scales.tolist())
        return of_opset(model_of([node], inputs={"x": SHAPE}), opset)
    node = helper.make_node(op_type, ["x", "scales"], ["y"], mode=mode)
    return of_opset(model_of([node], inputs={"x": SHAPE}, weights={"scales": scales}), opset)


def of_opset(model, opset, element_type=TensorProto.FLOAT):
    model.opset_import[0].version = opset
    model.graph.input[0].type.tensor_type.elem_type = element_type
    model.graph.output[0].type.tensor_type.elem_type = element_type
    return model


def values(model):
    """Numbers that no mean of a few of them happens to equal."""
    tensor = model.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in tensor.shape.dim]
    array = 50 * np.random.default_rng(3).standard_normal(shape)
    dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return (np.abs(array) if dtype == np.uint8 else array).astype(dtype)


def run(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"x": values(model)})[0]


def checks(model):
    """Checks the rewritten model's numbers where ONNX Runtime has any; returns whether."""
    try:
        right = run(model)
    except DECLINED:
        return False
    new = normal_form(model)
    assert [node.op_type for node in normal_form(new).graph.node] == [
        node.op_type for node in new.graph.node
    ]
    element_type = model.graph.input[0].type.tensor_type.elem_type
    got = run(of_opset(new, max(13, new.opset_import[0].version), element_type))
    assert got.dtype == right.dtype
    np.testing.assert_allclose(got, right, rtol=1e-3, atol=2e-3)
    return True


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
@pytest.mark.parametrize("mode", MODES, ids="-".join)
def test_every_mode_and_transformation(mode, transformation):
    given = dict(zip(("mode", "nearest_mode"), mode))
    given["coordinate_transformation_mode"] = transformation
    roi = REGION if transformation == "tf_crop_and_resize" else None
    opset = 19 if transformation == "half_pixel_symmetric" else 11
    corners = transformation == "align_corners"
    scales = [s for s in SCALES if not corners or {5 * s[0] % 1, 7 * s[1] % 1} == {0}]
    models = [resize(opset=opset, roi=roi, scales=[1, 1, *s], **given) for s in scales]
    models += [resize(opset=opset, roi=roi, sizes=[*SHAPE[:2], *s], **given) for s in SIZES]
    assert sum(checks(model) for model in models)


@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_filters_that_widen_and_edges_that_do_not_count(mode, antialias):
    given = {"opset": 18, "mode": mode, "antialias": antialias}
    for exclude in [0, 1]:
        models = [resize(scales=[1, 1, *s], exclude_outside=exclude, **given) for s in SCALES] + [
            resize(sizes=[*SHAPE[:2], *s], exclude_outside=exclude, **given) for s in SIZES
        ]
        if (mode, antialias, exclude) != ("linear", 0, 1):  # which ONNX Runtime declines
            assert all(checks(model) for model in models)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("axes", [[2, 3], [3, 2], [1], [-1], [0, 1, 2, 3], [1, 2]], ids=str)
def test_axes(axes, mode):
    scales = [1, 2, 1.5, 1] if len(axes) == 4 else [2, 1.5][: len(axes)]
    assert checks(resize(opset=18, mode=mode, axes=axes, scales=scales))


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller", "stretch"])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_policies_for_the_aspect_ratio(mode, policy):
    given = {"axes": [2, 3], "sizes": [8, 9], "keep_aspect_ratio_policy": policy}
    assert checks(resize(opset=18, mode=mode, **given))


@pytest.mark.parametrize(
    ("shape", "scales"),
    [
        ((3, 5), [2, 1.5]),
        ((2, 3, 9), [1, 1, 1.7]),
        ((1, 2, 3, 4, 5), [1, 1, 2, 1.5, 2]),
        ((2, 5, 7, 3), [1, 2, 1.5, 1]),
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_ranks_and_axes_other_than_the_last_two(mode, shape, scales):
    assert checks(resize(mode=mode, shape=shape, scales=scales))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("element_type", ["FLOAT16", "UINT8", "INT8", "INT32"])
def test_element_types(element_type, mode):
    number = TensorProto.DataType.Value(element_type)
    assert checks(resize(mode=mode, scales=[1, 1, 1.5, 1.5], element_type=number))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("op_type", "opset"), [("Upsample", 7), ("Upsample", 9), ("Resize", 10)])
def test_oldest_forms(op_type, opset, mode):
    smaller = [(0.5, 0.6), (0.4, 2)] if op_type == "Resize" else []
    for factors in [(2, 2), (2, 3), (1.5, 1.7), (1, 2), *smaller]:
        assert checks(old_resize(op_type, opset, mode, factors))


@pytest.mark.parametrize("opset", [7, 9, 10, 11, 13, 19])
def test_whole_numbers_of_copies_stay_one_operator(opset):
    if opset < 11:
        model = old_resize("Upsample" if opset < 10 else "Resize", opset, "nearest", (3, 3))
    else:
        model = resize(opset=opset, sizes=[1, 2, 15, 21])
    assert [node.op_type for node in normal_form(model).graph.node] == ["Resize"]
    right = np.repeat(np.repeat(values(model), 3, axis=2), 3, axis=3)
    np.testing.assert_array_equal(tvm_patdnn.build(model).run({"x": values(model)})["y"], right)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("antialias", [0, 1])
def test_built(mode, antialias):
    model = resize(opset=18, mode=mode, antialias=antialias, scales=[1, 1, 0.6, 1.7])
    got = tvm_patdnn.build(model).run({"x": values(model)})["y"]
    if (mode, antialias) != ("nearest", 1):  # which ONNX Runtime declines
        np.testing.assert_allclose(got, run(model), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (resize(), "'up' (Resize): expected one positive scale or size for each axis"),
        (
            resize(
                mode="linear",
                coordinate_transformation_mode="align_corners",
                scales=[1, 1, 0.5, 1],
            ),
            "align_corners with a scale of 0.5 for 5 values",
        ),
        (resize(scales=[1, 1, 2]), "expected one positive scale or size for each axis"),
        (resize(scales=[1, 1, 0.1, 1]), "its output would have the sizes [1, 2, 0, 7]"),
        (resize(mode="best", scales=[1, 1, 2, 2]), "there is no Interpolation(mode='best'"),
        (
            resize(
                coordinate_transformation_mode="tf_crop_and_resize",
                roi=[0, 1],
                scales=[1, 1, 2, 2],
            ),
            "its roi has 2 numbers; expected 8",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_has_no_meaning_is_declined(model, message):
    model.graph.node[0].name = "up"
    with pytest.raises(ModelError) as caught:
        normal_form(model)
    assert message in str(caught.value)


def test_sizes_that_are_computed_while_the_model_runs_are_declined():
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], name="up")
    model = model_of([node], inputs={"x": SHAPE, "s": (4,)})
    with pytest.raises(ModelError, match="'up' (.*): 's' is computed while the model runs"):
        normal_form(model)
